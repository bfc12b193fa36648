/* Unit file: the settings of one systemd unit, its drop-ins merged in, by
 * systemd.syntax(7) and systemd.unit(5).
 *
 * Lines end at '\n', '\r' or NUL as systemd reads them; a trailing backslash
 * continues a line, comments inside a continuation are passed over; an empty
 * assignment forgets earlier values. Specifiers (%i) are kept as written. A
 * line systemd would not understand is passed over, as systemd does.
 */
#ifndef DL_AGENT_SURVEY_UNIT_FILE_H
#define DL_AGENT_SURVEY_UNIT_FILE_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>

enum {
	DL_UNIT_FILE_SETTINGS_MAX = 4096,    /* assignments in one unit and its drop-ins */
	DL_UNIT_FILE_VALUE_MAX = 128 * 1024, /* bytes of one value, continuations joined */
};

struct dl_unit_file;

struct dl_unit_file *dl_unit_file_new(void);
void dl_unit_file_free(struct dl_unit_file *unit);
DL_DEFINE_AUTO(dl_unit_file, dl_unit_file_free)

/* Reads the unit's own text first, then each drop-in in systemd's order.
 * DL_E_LIMIT: more than the limits above; what was read until then stays. */
int dl_unit_file_add(struct dl_unit_file *unit, const char *text, size_t size,
		     struct dl_error *err);

/* The value in force, NULL if there is none; raw bytes, borrowed. */
const char *dl_unit_file_get(const struct dl_unit_file *unit, const char *section, const char *key);

/* The values in force of a setting that may be given more than once, one after the other:
 * start with *at = 0; NULL at the end. Borrowed. */
const char *dl_unit_file_next(const struct dl_unit_file *unit, const char *section,
			      const char *key, size_t *at);

/* Whether a word stands in the space-separated lists of a setting (WantedBy=). */
bool dl_unit_file_lists(const struct dl_unit_file *unit, const char *section, const char *key,
			const char *word);

/* unit_name_is_valid(): what systemd accepts as the name of a unit; others it passes over. */
bool dl_unit_name_is_valid(const char *name);

/* "name@.service" of "name@instance.service", owned; NULL if it is no instance. */
char *dl_unit_name_template(const char *name);

#endif
