/* What the compiled templates (tools/template) call: HTML written from a view.
 *
 * A view is the JSON value the API would answer; a template cannot write
 * anything of it unescaped. Absent members are written as nothing and count
 * as false.
 */
#ifndef DL_SERVER_PORTAL_HTML_H
#define DL_SERVER_PORTAL_HTML_H

#include "core/base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct dl_html {
	struct dl_buf *out; /* borrowed */
	const json_t *view; /* borrowed */
	int64_t now;        /* ms; what relative times are relative to */
};

/* Markup of the template itself. */
void dl_html_literal(struct dl_html *html, const char *text, size_t size);

/* Truth of a value: not absent, null, false, 0, "", [] or {}. */
bool dl_html_true(const json_t *value);
bool dl_html_is_null(const json_t *value); /* or absent */
bool dl_html_is(const json_t *value, const char *text);
bool dl_html_is_number(const json_t *value, int64_t number);

/* Filters. `text` writes strings and whole numbers: the five characters that
 * mean something in HTML become references; control characters, what is never
 * seen and what turns the order of a line become [U+XXXX], so that nothing can
 * hide or be reordered. The others, in the form their name says: */
void dl_html_text(struct dl_html *html, const json_t *value);
/* Bytes from a host in the spelling of core/base/bytes.h: as text, each %XX in
 * an element of class "byte". */
void dl_html_bytes(struct dl_html *html, const json_t *value);
/* Sentences with names in them: as bytes, and what stands between backticks
 * (core/plan/words.h) in an element <code>. Backticks without a partner stay. */
void dl_html_words(struct dl_html *html, const json_t *value);
void dl_html_count(struct dl_html *html, const json_t *value); /* members of a list */
void dl_html_size(struct dl_html *html, const json_t *value);  /* "4,096 bytes" */
void dl_html_mode(struct dl_html *html, const json_t *value);  /* "0755 rwxr-xr-x" */
/* Times in ms as <time datetime>: "4 min ago", "31 Jan 2026, 23:59 UTC", and
 * since when: "14:02 UTC" today, else with its date. Nothing for 0. */
void dl_html_ago(struct dl_html *html, const json_t *value);
void dl_html_date(struct dl_html *html, const json_t *value);
void dl_html_clock(struct dl_html *html, const json_t *value);
/* A part of an address, percent-encoded. */
void dl_html_url(struct dl_html *html, const json_t *value);
/* A whole address of this server (server/http/local_path.h), else "/". */
void dl_html_path(struct dl_html *html, const json_t *value);

/* A picture of the sprite, hidden from screen readers: words stand beside it. */
void dl_html_icon(struct dl_html *html, const char *name);
/* The address of a static file, with its content's hash; or a script element for it. */
void dl_html_asset(struct dl_html *html, const char *name);
void dl_html_script(struct dl_html *html, const char *name);

#endif
