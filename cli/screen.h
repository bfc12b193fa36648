/* Screen: what the commands print.
 *
 * Every text passes dl_screen_safe: an attacker's file name or a reporter's
 * subject must not move the cursor, change colours or turn the reading
 * direction. Colours only on a terminal and without NO_COLOR.
 */
#ifndef DL_CLI_SCREEN_H
#define DL_CLI_SCREEN_H

#include "core/base/mem.h"
#include "core/json/json.h"

/* Escapes control and bidirectional characters as core/base/bytes.h does, but
 * leaves '%' alone: texts from hosts are escaped already. Owned by the caller. */
char *dl_screen_safe(const char *text);

/* The member as a safe text: strings, numbers, "-" for null. Owned by the caller. */
char *dl_screen_member(const json_t *object, const char *name);

/* The member's milliseconds as UTC, or "-". Owned by the caller. */
char *dl_screen_time(const json_t *object, const char *name);

/* A table; cells are copied. */
struct dl_table;
struct dl_table *dl_table_new(const char *const *heads); /* NULL-terminated */
void dl_table_free(struct dl_table *table);
DL_DEFINE_AUTO(dl_table, dl_table_free)
/* One row; takes the texts, as many as there are heads. */
void dl_table_add(struct dl_table *table, char *const *cells);
/* Prints it, or `nothing` when it has no row. */
void dl_table_print(const struct dl_table *table, const char *nothing);

/* A paragraph with each line indented. */
void dl_screen_paragraph(const char *text);

/* "*TEXT*" in bold, red, … on a terminal; otherwise as it is. */
enum dl_tone { DL_TONE_PLAIN, DL_TONE_BOLD, DL_TONE_GOOD, DL_TONE_WARN, DL_TONE_BAD };
void dl_screen_tone(enum dl_tone tone, const char *text);

void dl_screen_json(const json_t *value);

/* Whether somebody is there to be asked. */
bool dl_screen_can_ask(void);
/* Asks on the terminal; true only for y or yes. Without a terminal: false. */
bool dl_screen_confirm(const char *question);

#endif
