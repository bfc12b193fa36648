#include "core/json/json.h"
#include "server/http/exchange.h"
#include "server/http/local_path.h"
#include "server/log.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>
#include <stdio.h>

/* What every answer carries. A page may load what this server serves and
 * nothing else; `data:` images are in the style sheet's icons. */
static const char *const security_headers[][2] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	  "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	  "frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	/* same-origin, not no-referrer: that would make a form's Origin "null". */
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()" },
};

static const char *status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} known[] = {
		{ 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 303, "See Other" },
		{ 304, "Not Modified" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 409, "Conflict" }, { 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < DL_COUNT(known); i++)
		if (known[i].status == status)
			return known[i].words;
	return "Other";
}

static struct evkeyvalq *reply_headers(struct dl_request *request)
{
	return evhttp_request_get_output_headers(request->evhttp_request);
}

void dl_reply_header(struct dl_request *request, const char *name, const char *value)
{
	evhttp_add_header(reply_headers(request), name, value); /* refuses CR and LF itself */
}

void dl_reply_cookie(struct dl_request *request, const char *name, const char *value,
		     int64_t max_age_seconds)
{
	dl_autobuf text = DL_BUF_INIT;

	dl_buf_printf(&text, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s", name,
		      value, max_age_seconds, dl_request_is_tls(request) ? "; Secure" : "");
	dl_reply_header(request, "Set-Cookie", text.data);
}

static void reply_add_common(struct dl_request *request)
{
	struct evkeyvalq *headers = reply_headers(request);

	for (size_t i = 0; i < DL_COUNT(security_headers); i++)
		evhttp_add_header(headers, security_headers[i][0], security_headers[i][1]);
	if (dl_request_is_tls(request))
		evhttp_add_header(headers, "Strict-Transport-Security", "max-age=31536000");
	if (!evhttp_find_header(headers, "Cache-Control"))
		evhttp_add_header(headers, "Cache-Control", "no-store");
	if (request->listener->http->stopping)
		evhttp_add_header(headers, "Connection", "close");
}

/* evhttp would send a body after the head of an answer to HEAD. */
static struct evbuffer *reply_body(struct dl_request *request, const void *body, size_t size)
{
	char length[24];
	struct evbuffer *buffer = evbuffer_new();

	snprintf(length, sizeof(length), "%zu", size);
	evhttp_add_header(reply_headers(request), "Content-Length", length);
	if (evhttp_request_get_command(request->evhttp_request) != EVHTTP_REQ_HEAD)
		evbuffer_add(buffer, body, size);
	return buffer;
}

static void reply_send(struct dl_request *request, int status, struct evbuffer *body)
{
	struct evhttp_request *evhttp_request = request->evhttp_request;
	struct dl_connection *connection = request->connection;

	reply_add_common(request);
	dl_connection_release(connection);
	dl_request_free(request);
	evhttp_send_reply(evhttp_request, status, status_words(status), body);
	dl_connection_flush(connection);
	if (body)
		evbuffer_free(body);
}

void dl_reply(struct dl_request *request, int status, const char *content_type, const void *body,
	      size_t size)
{
	dl_reply_header(request, "Content-Type", content_type);
	reply_send(request, status, reply_body(request, body, size));
}

void dl_reply_text(struct dl_request *request, int status, const char *content_type,
		   const char *text)
{
	dl_reply(request, status, content_type, text, strlen(text));
}

void dl_reply_empty(struct dl_request *request, int status)
{
	reply_send(request, status, NULL);
}

void dl_reply_redirect(struct dl_request *request, const char *path)
{
	dl_reply_header(request, "Location", dl_path_is_local(path) ? path : "/");
	dl_reply_text(request, 303, "text/plain; charset=utf-8", "See Other\n");
}

static void show_plain_error(struct dl_request *request, int status, const char *code,
			     const char *message)
{
	dl_autojson *json = json_pack("{s{ss ss}}", "error", "code", code, "message", message);
	dl_autofree char *text = json ? dl_json_text(json) : dl_strdup("{}");

	dl_reply_text(request, status, "application/json", text);
}

void dl_reply_error(struct dl_request *request, int status, const char *code, const char *message)
{
	const struct dl_route_table *table = request->table;

	if (table && table->show_error)
		table->show_error(request, status, code, message, table->app);
	else
		show_plain_error(request, status, code, message);
}

static int failure_status(int code)
{
	switch (code) {
	case DL_E_INVALID:
		return 400;
	case DL_E_DENIED:
		return 403;
	case DL_E_NOT_FOUND:
		return 404;
	case DL_E_STALE:
	case DL_E_STATE:
	case DL_E_EXISTS:
		return 409;
	case DL_E_LIMIT:
		return 413;
	case DL_E_BUSY:
	case DL_E_UNAVAILABLE:
	case DL_E_TIMEOUT:
		return 503;
	default:
		return 500;
	}
}

void dl_reply_failure(struct dl_request *request, int code, const struct dl_error *err)
{
	int status = failure_status(code);
	const char *words = err && *err->text ? err->text : "no further words";

	if (status != 500) {
		dl_reply_error(request, status, dl_error_name(code), words);
		return;
	}
	dl_log(DL_LOG_ERROR, "%s %s: %s", dl_request_method(request), dl_request_path(request),
	       words);
	dl_reply_error(request, 500, "internal", "the server could not do this; its log says why");
}
