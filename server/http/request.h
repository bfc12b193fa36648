/* One HTTP request and its reply.
 *
 * A handler either replies before it returns, or leaves the request open and
 * replies later. Between the two the client may leave and the request die with
 * it: whoever comes back later (a store completion) holds the *id*, never the
 * pointer, and asks dl_request_find, which says NULL when there is nobody left
 * to answer. After a reply the pointer is invalid.
 *
 * Strings returned are borrowed and live as long as the request. Texts from
 * the client are bytes: valid UTF-8 is not promised.
 */
#ifndef DL_SERVER_HTTP_REQUEST_H
#define DL_SERVER_HTTP_REQUEST_H

#include "server/http/http.h"

struct dl_request;
struct dl_route;

uint64_t dl_request_id(const struct dl_request *request);
struct dl_http *dl_request_http(const struct dl_request *request);
struct dl_request *dl_request_find(struct dl_http *http, uint64_t id);

const char *dl_request_method(const struct dl_request *request); /* "GET", "POST" … */
const char *dl_request_path(const struct dl_request *request);   /* percent-decoded, without query */
const char *dl_request_target(const struct dl_request *request); /* as sent, with query */
const char *dl_request_peer(const struct dl_request *request);   /* numeric address */
bool dl_request_is_tls(const struct dl_request *request);

/* NULL when absent. Header names compare without case. */
const char *dl_request_header(const struct dl_request *request, const char *name);
const char *dl_request_cookie(const struct dl_request *request, const char *name);

/* Decoded members of the query and of an application/x-www-form-urlencoded
 * body, bounded as server/http/fields.h says: what breaks that is refused with
 * 400 before a handler sees the request. The first of several; NULL when absent. */
const char *dl_request_query(const struct dl_request *request, const char *name);
const char *dl_request_form(const struct dl_request *request, const char *name);
/* The n-th value of a repeated form field (check boxes), NULL after the last. */
const char *dl_request_form_nth(const struct dl_request *request, const char *name, size_t n);

/* The body's bytes, followed by a NUL that is not counted. */
const char *dl_request_body(struct dl_request *request, size_t *ret_size);

/* What stands in the route's pattern at "{name}". */
const char *dl_request_param(const struct dl_request *request, const char *name);
/* The same as a positive 64-bit number. DL_E_NOT_FOUND when it is none. */
int dl_request_param_id(const struct dl_request *request, const char *name, int64_t *ret_id,
			struct dl_error *err);
const struct dl_route *dl_request_route(const struct dl_request *request);

/* A value that rides along (the authenticated caller); `release` is called
 * with it when the request ends. */
void dl_request_attach(struct dl_request *request, void *value, void (*release)(void *value));
void *dl_request_attached(const struct dl_request *request);

/* Adds a header to the coming reply. Line breaks in a value are refused by
 * dropping the header. The security headers are set by themselves. */
void dl_reply_header(struct dl_request *request, const char *name, const char *value);
void dl_reply_cookie(struct dl_request *request, const char *name, const char *value,
		     int64_t max_age_seconds);

/* Sends the reply; the request ends. `body` is copied. */
void dl_reply(struct dl_request *request, int status, const char *content_type, const void *body,
	      size_t size);
void dl_reply_text(struct dl_request *request, int status, const char *content_type,
		   const char *text);
void dl_reply_empty(struct dl_request *request, int status); /* 204, 304 */
/* 303 See Other to a path on this server (server/http/local_path.h), else to "/". */
void dl_reply_redirect(struct dl_request *request, const char *path);
/* An error in the form of the route's table (JSON for the API, a page for the
 * portal); `code` is a stable word, `message` is for people. */
void dl_reply_error(struct dl_request *request, int status, const char *code, const char *message);
/* The same from a library's error: NOT_FOUND 404, DENIED 403, INVALID 400,
 * LIMIT 413, STALE, STATE and EXISTS 409, BUSY, TIMEOUT and UNAVAILABLE 503, else 500
 * (whose words go to the log and not to the client). */
void dl_reply_failure(struct dl_request *request, int code, const struct dl_error *err);

/* Parked requests: long polls. */
enum dl_wake { DL_WAKE_CALLED, DL_WAKE_TIMEOUT, DL_WAKE_DISCONNECT, DL_WAKE_SHUTDOWN };

/* `wake` is called exactly once, in the loop. It must reply or park again,
 * but for DL_WAKE_DISCONNECT, when there is nobody to reply to. */
typedef void (*dl_wake_fn)(struct dl_request *request, enum dl_wake why, void *arg);
void dl_request_park(struct dl_request *request, int64_t timeout_ms, dl_wake_fn wake, void *arg);

/* Calls the parked request's `wake` with DL_WAKE_CALLED from the loop, soon.
 * Nothing happens when the request is gone or no longer parked. */
void dl_request_wake(struct dl_http *http, uint64_t id);

#endif
