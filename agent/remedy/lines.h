/* Lines: a text file as bytes, seen line by line. Pure functions; nothing is
 * normalized, so that what is put back is what was taken. A line ends with LF;
 * the last one may lack it (cron then ignores it, crontab(5)). */
#ifndef DL_AGENT_REMEDY_LINES_H
#define DL_AGENT_REMEDY_LINES_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *data; /* borrowed */
	size_t size;
};

struct line {
	size_t start, length; /* without its LF */
	bool ended;           /* has its LF */
};

/* The line that begins at `start`; false at the end of the text. */
bool lines_at(struct text text, size_t start, struct line *ret_line);
/* Where the next one begins. */
size_t lines_after(struct line line);

/* The `occurrence`th (from 1) line with exactly these bytes. */
bool lines_find(struct text text, const char *wanted, int64_t occurrence, struct line *ret_line);
int64_t lines_count(struct text text, const char *wanted);

/* The text without that line and its LF. */
void lines_without(struct text text, struct line line, struct dl_buf *ret_text);

/* What surrounds a line. */
struct neighbours {
	bool has_before, has_after;
	struct text before, after; /* borrowed from the text, without LF */
};
struct neighbours lines_around(struct text text, struct line line);

/* Where a line with these neighbours fits: at `position` if they stand there,
 * else the only place where they stand side by side. False: none, or several. */
bool lines_place(struct text text, const struct neighbours *around, size_t position,
		 size_t *ret_position);

/* The text with the line put in at `position` (the start of a line, or the
 * end). false: the line before it lacks its LF, so they would run together. */
bool lines_with(struct text text, size_t position, struct text line, bool ended,
		struct dl_buf *ret_text);

#endif
