/* Session: signing in and out.
 *
 * A session's token is 256 random bits, given once; the store keeps its
 * SHA-256. A new one is made at every sign-in and it ends on the server.
 */
#ifndef DL_SERVER_AUTH_SESSION_H
#define DL_SERVER_AUTH_SESSION_H

#include "server/auth/caller.h"
#include "server/auth/password.h"

enum { DL_SESSION_SECONDS = 12 * 3600 };

struct dl_sessions; /* the password pool and the throttle, over the store */

struct dl_sessions *dl_sessions_new(struct dl_http *http, struct dl_store *store);
/* First thing after the loop ended: finishes what the pool computes. */
void dl_sessions_stop(struct dl_sessions *sessions);
/* After dl_http_free, which runs the completions still under way. */
void dl_sessions_free(struct dl_sessions *sessions);
DL_DEFINE_AUTO(dl_sessions, dl_sessions_free)

struct dl_password_pool *dl_sessions_passwords(struct dl_sessions *sessions);

/* Called in the loop when the request is still there. Result 0: the token
 * (borrowed) and the session view. DL_E_DENIED: wrong name or password, never
 * which; DL_E_BUSY: too many attempts, the words say how long to wait. */
typedef void (*dl_sign_in_done)(struct dl_request *request, int result, const char *token,
				json_t *session, const struct dl_error *err);
void dl_sign_in(struct dl_sessions *sessions, struct dl_request *request, const char *login,
		const char *password, dl_sign_in_done done);

/* Proves the caller's present password, as at a sign-in and counted with them.
 * Called in the loop when the request is still there. Result 0: `hash` (borrowed)
 * is what it was verified against; DL_E_DENIED and DL_E_BUSY as above. `app` must
 * outlive the request. */
typedef void (*dl_prove_done)(struct dl_request *request, void *app, int result, const char *hash,
			      const struct dl_error *err);
void dl_prove_password(struct dl_sessions *sessions, struct dl_request *request,
		       const char *password, dl_prove_done done, void *app);

/* Ends the caller's session in the store; `done` is a dl_store_done. */
void dl_sign_out(struct dl_sessions *sessions, struct dl_request *request, dl_store_done done, void *arg);

/* The portal's cookie: "__Host-dislodge" over TLS; "dislodge" on plain
 * loopback, where a browser would not keep the first. */
const char *dl_session_cookie(const struct dl_request *request); /* its value, or NULL */
void dl_session_set_cookie(struct dl_request *request, const char *token);
void dl_session_clear_cookie(struct dl_request *request);

/* "Bearer TOKEN" of the Authorization header: exactly 64 hexadecimal digits. NULL: none. */
const char *dl_session_bearer(const struct dl_request *request);

#endif
