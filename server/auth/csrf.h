/* CSRF: another site must not make a signed-in browser act.
 *
 * The token of a session is a hash of its secret token under another name:
 * nothing more to store, and it tells nothing about the session's token. Forms
 * before sign-in have no session; for them the browser's Origin is compared.
 */
#ifndef DL_SERVER_AUTH_CSRF_H
#define DL_SERVER_AUTH_CSRF_H

#include "core/crypto/sha256.h"
#include "server/http/request.h"

void dl_csrf_of_token(const char *session_token, char out[DL_SHA256_TEXT_SIZE]);

/* Does the form field "csrf" or the header X-CSRF-Token hold it? */
bool dl_csrf_matches(struct dl_request *request, const char *csrf);

/* The Origin is absent (not a browser's form) or names this host. */
bool dl_csrf_same_origin(const struct dl_request *request);

#endif
