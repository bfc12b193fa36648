/* A strict look at a request's head before the HTTP library parses it.
 *
 * Lenient parsers disagree about where one request ends and the next begins
 * (request smuggling). This check admits the one unambiguous spelling of
 * RFC 9112 and refuses the rest: bare CR or LF, NUL and other controls, folded
 * lines, blanks before a colon, a repeated Host or Content-Length, any
 * Transfer-Encoding, targets that are not origin-form, HTTP other than 1.1.
 * It does no I/O and keeps no state.
 */
#ifndef DL_SERVER_HTTP_PRECHECK_H
#define DL_SERVER_HTTP_PRECHECK_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DL_PRECHECK_HEADERS_MAX = 64, DL_PRECHECK_METHOD_SIZE = 8 };

struct dl_precheck {
	char method[DL_PRECHECK_METHOD_SIZE];
	const char *path; /* within the head, still percent-encoded, without the query */
	size_t path_size;
	int64_t content_length; /* 0 when none is given */
	bool expects_continue;
};

/* `head` is everything up to and including the empty line. Returns 0 or the
 * HTTP status to refuse with: 400, 417, 501, 505; the words are in `err`.
 * On a refusal *ret may be partly filled; path is NULL when it was not read. */
int dl_precheck_head(const char *head, size_t size, struct dl_precheck *ret, struct dl_error *err);

#endif
