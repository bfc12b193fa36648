/* Guard: checks the proof and the role a route asks for, before its handler.
 *
 * Session and bearer routes: the token's hash is looked up in the store, one
 * of the session's roles must be among the route's. Session routes that are
 * not GET need the session's CSRF token besides, in the form field "csrf" or
 * the header X-CSRF-Token. A bearer route does not look at cookies, so another
 * site cannot make a browser use it. Without proof: 401 `signed_out`; without
 * the role: 403 `denied`; with a wrong CSRF token: 403 `csrf`.
 */
#ifndef DL_SERVER_AUTH_GUARD_H
#define DL_SERVER_AUTH_GUARD_H

#include "server/auth/caller.h"

/* A dl_guard_fn; `store` is the struct dl_store. */
void dl_guard(struct dl_request *request, const struct dl_route *route, void *store);

#endif
