/* Call: one request to the server's API (docs/api.md), over libcurl.
 *
 * A token is sent in the clear to this machine only: http:// to any other is
 * refused. Redirects are not followed. Answers are bounded.
 */
#ifndef DL_CLI_CALL_H
#define DL_CLI_CALL_H

#include "cli/account.h"

enum { DL_CALL_ANSWER_MAX_BYTES = 32 * 1024 * 1024, DL_CALL_TIMEOUT_SECONDS = 60 };

/* `body` NULL for none. *ret_answer is a new reference. The server's refusals
 * become: 401, 403 DENIED · 404 NOT_FOUND · 409 STALE, STATE or EXISTS · 413
 * LIMIT · 400 INVALID · 429, 503 BUSY; no server at all is UNAVAILABLE. */
int dl_call(const struct dl_account *account, const char *method, const char *path,
	    const json_t *body, json_t **ret_answer, struct dl_error *err);

/* The same with the saved account, and the path made as by printf. */
int dl_call_saved(const char *method, const json_t *body, json_t **ret_answer,
		  struct dl_error *err, const char *path_format, ...)
	__attribute__((format(printf, 5, 6)));

/* Follows a list's `next` to its end; *ret_items is one array. */
int dl_call_list(const char *path, json_t **ret_items, struct dl_error *err);

#endif
