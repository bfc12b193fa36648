/* The server's event loop and its listening sockets: a thin face over
 * libevent's evhttp and OpenSSL, the only place that includes them.
 *
 * Everything here runs in the one thread that calls dl_http_run, but for
 * dl_http_post, which any thread may call. Before a byte reaches evhttp's
 * lenient parser it passes the strict check of server/http/precheck.h; what
 * is refused there is answered 4xx and the connection closes.
 */
#ifndef DL_SERVER_HTTP_HTTP_H
#define DL_SERVER_HTTP_HTTP_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DL_HTTP_HEAD_MAX_BYTES = 16 * 1024,
	DL_HTTP_HEAD_SECONDS = 20, /* from a request's first byte to the end of its head */
	DL_HTTP_BODY_SECONDS = 20, /* from there to the end of its body */
	DL_HTTP_IDLE_SECONDS = 75, /* a kept-alive connection between requests */
	DL_HTTP_CONNECTIONS_MAX = 10000, /* of all listeners; beyond it nothing is accepted */
	DL_HTTP_OPEN_SECONDS = 30, /* a handler that has not replied by then: 503 */

	/* Bytes of bodies that all connections together may hold until they are
	 * answered, whoever sends them: one more is answered 503 with Retry-After.
	 * The last quarter is for bodies of DL_ROUTE_SMALL_BODY_BYTES, so that
	 * large ones never keep people from signing in. */
	DL_HTTP_COLLECTED_MAX_BYTES = 128 * 1024 * 1024,
	DL_HTTP_LARGE_COLLECTED_MAX_BYTES = DL_HTTP_COLLECTED_MAX_BYTES / 4 * 3,
};

struct dl_http;
struct dl_router;

int dl_http_new(struct dl_http **ret_http, struct dl_error *err);
void dl_http_free(struct dl_http *http);
DL_DEFINE_AUTO(dl_http, dl_http_free)

struct dl_listen {
	const char *address;         /* "127.0.0.1:8080", "[::1]:8443"; port 0 lets the system pick */
	const char *certificate;     /* PEM file; NULL: plain HTTP, on loopback only */
	const char *private_key;     /* PEM file */
	const struct dl_router *router; /* borrowed, outlives the loop */
};

/* DL_E_DENIED: plain HTTP was asked for on an address that is not loopback.
 * *ret_port (may be NULL) is the bound port. */
int dl_http_listen(struct dl_http *http, const struct dl_listen *listen, int *ret_port,
		   struct dl_error *err);

/* Runs until SIGTERM or SIGINT: then it stops accepting, wakes what is parked
 * with DL_WAKE_SHUTDOWN, lets replies leave for up to two seconds and returns. */
int dl_http_run(struct dl_http *http, struct dl_error *err);

/* After the end was asked for. A completion that would start something new
 * (another call of the store) looks here first. */
bool dl_http_is_stopping(const struct dl_http *http);

/* Asks dl_http_run to end as if by SIGTERM; any thread. */
void dl_http_stop(struct dl_http *http);

/* Runs `call(arg)` soon in the loop's thread, in the order of posting. This is
 * how another thread (the store's, the password pool's) hands over a result.
 * Calls still waiting when the loop ends are run by dl_http_free. */
void dl_http_post(struct dl_http *http, void (*call)(void *arg), void *arg);

/* Runs `call(arg)` every `period_ms` in the loop's thread, until dl_http_free. */
void dl_http_every(struct dl_http *http, int64_t period_ms, void (*call)(void *arg), void *arg);

#endif
