/* Page: lines for a person at a terminal, cut or wrapped at its edge.
 *
 * Texts from a host are in the spelling of core/base/bytes.h, so that no
 * control character reaches the terminal; `%25` and `%09`, which are common
 * and hide nothing, are shown as what they stand for.
 */
#ifndef DL_AGENT_PAGE_H
#define DL_AGENT_PAGE_H

#include <stdbool.h>
#include <stdio.h>

struct dl_table_look {
	size_t width; /* columns of the terminal */
	bool colour;
};

struct dl_page {
	FILE *out;
	struct dl_table_look look;
};

enum dl_ink { DL_INK_PLAIN, DL_INK_BOLD, DL_INK_DIM, DL_INK_RED, DL_INK_YELLOW, DL_INK_GREEN };

/* As wide as asked for, but never so narrow that nothing fits. */
struct dl_page dl_page_on(FILE *out, const struct dl_table_look *look);
/* Standard output as it is now. */
struct dl_page dl_page_stdout(void);

/* The escape sequence, "" without colours. */
const char *dl_page_ink(const struct dl_page *page, enum dl_ink ink);

/* The rest of a line of which `used` columns are taken: cut at the edge with "…". */
void dl_page_cut(const struct dl_page *page, const char *text, size_t used);
/* The rest of a line, continued on further ones that are indented by `used`. */
void dl_page_wrap(const struct dl_page *page, const char *text, size_t used);

/* A label and its text, cut; nothing for a NULL text. */
void dl_page_field(const struct dl_page *page, const char *label, const char *text);
/* The same, wrapped; nothing for NULL and "". */
void dl_page_words(const struct dl_page *page, const char *label, const char *text);

/* Whether everything printed so far could be written. */
bool dl_page_is_written(const struct dl_page *page);

#endif
