#include "server/portal/screen.h"

#include "core/base/time.h"
#include "server/auth/caller.h"
#include "server/portal/notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static json_t *make_frame(const struct dl_request *request, const char *title, const char *section)
{
	const struct dl_caller *caller = dl_caller_of(request);
	bool compose = caller->roles & DL_MAY_COMPOSE;
	bool survey = caller->roles & DL_MAY_SURVEY;
	bool administer = caller->roles & DL_MAY_ADMINISTER;
	return json_pack("{s{ss ss} sO ss s{sb sb sb sb}}", "page", "title", title, "section", section,
			 "session", caller->session, "csrf", caller->csrf, "may", "compose", compose,
			 "survey", survey, "verify", administer, "administer", administer);
}

struct dl_screen *dl_screen_new(struct dl_request *request, struct dl_portal *portal,
				void (*show)(struct dl_html *html), const char *title,
				const char *section)
{
	struct dl_screen *screen = DL_NEW(struct dl_screen);
	screen->portal = portal;
	screen->show = show;
	screen->http = dl_request_http(request);
	screen->request = dl_request_id(request);
	screen->view = make_frame(request, title, section);
	json_t *notice = dl_notice_of(dl_request_query(request, "notice"));
	if (notice)
		json_object_set_new(screen->view, "notice", notice);
	return screen;
}

void dl_screen_drop(struct dl_screen *screen)
{
	json_decref(screen->view);
	free(screen);
}

struct dl_request *dl_screen_request(const struct dl_screen *screen)
{
	return dl_request_find(screen->http, screen->request);
}

static void load_next(struct dl_screen *screen, struct dl_request *request);

static void on_loaded(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct dl_screen *screen = arg;
	struct dl_request *request = dl_screen_request(screen);
	const struct dl_load *load = &screen->loads[screen->loaded];
	if (!request || (result < 0 && !load->may_fail)) {
		dl_screen_drop(screen);
		if (request)
			dl_reply_failure(request, result, err);
		return;
	}
	if (result < 0)
		json_object_set_new(screen->view, "problem", json_string(err->text));
	else /* a copy, because pages add members of their own */
		json_object_set_new(screen->view, load->member, json_deep_copy(view));
	screen->loaded++;
	load_next(screen, request);
}

static void load_next(struct dl_screen *screen, struct dl_request *request)
{
	if (screen->loaded < screen->load_count)
		screen->loads[screen->loaded].start(screen, request, on_loaded, screen);
	else
		screen->finish(screen, request);
}

void dl_screen_load(struct dl_screen *screen, const struct dl_load *loads, size_t count,
		    void (*finish)(struct dl_screen *screen, struct dl_request *request))
{
	screen->loads = loads;
	screen->load_count = count;
	screen->loaded = 0;
	screen->finish = finish;
	load_next(screen, dl_screen_request(screen));
}

static void reply_html(struct dl_request *request, int status, const json_t *view,
		       void (*show)(struct dl_html *html))
{
	dl_autobuf out = DL_BUF_INIT;
	struct dl_html html = { .out = &out, .view = view, .now = dl_time_now_ms() };
	show(&html);
	dl_reply(request, status, "text/html; charset=utf-8", out.data, out.size);
}

void dl_screen_reply(struct dl_screen *screen, struct dl_request *request, int status)
{
	reply_html(request, status, screen->view, screen->show);
	dl_screen_drop(screen);
}

void dl_screen_title(struct dl_screen *screen, const char *title)
{
	json_object_set_new(json_object_get(screen->view, "page"), "title", json_string(title));
}

bool dl_screen_take_id(struct dl_screen *screen, struct dl_request *request)
{
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &screen->id, &err);
	if (r < 0) {
		dl_screen_drop(screen);
		dl_reply_failure(request, r, &err);
	}
	return r >= 0;
}

const struct dl_actor *dl_screen_actor(const struct dl_request *request)
{
	return &dl_caller_of(request)->actor;
}

struct dl_page dl_screen_page(struct dl_request *request)
{
	const char *text = dl_request_query(request, "cursor");
	char *end = NULL;
	errno = 0;
	long long cursor = text ? strtoll(text, &end, 10) : 0;
	bool good = text && !errno && end != text && !*end && cursor > 0;
	return (struct dl_page){ .cursor = good ? cursor : 0 };
}

/* The query as it was sent, without `cursor` and `notice`, ending in '?' or '&'. */
static void write_query(struct dl_buf *out, const char *target)
{
	const char *query = strchr(target, '?');
	size_t path = query ? (size_t)(query - target) : strlen(target);
	dl_buf_append(out, target, path);
	dl_buf_puts(out, "?");
	for (const char *part = query ? query + 1 : ""; *part;) {
		size_t length = strcspn(part, "&");
		if (length && strncmp(part, "cursor=", 7) != 0 && strncmp(part, "notice=", 7) != 0) {
			dl_buf_append(out, part, length);
			dl_buf_puts(out, "&");
		}
		part += length + strspn(part + length, "&");
	}
}

void dl_screen_next(struct dl_screen *screen, struct dl_request *request, const char *list)
{
	json_t *next = json_object_get(json_object_get(screen->view, list), "next");
	if (!json_is_integer(next))
		return;
	dl_autobuf address = DL_BUF_INIT;
	write_query(&address, dl_request_target(request));
	dl_buf_printf(&address, "cursor=%" JSON_INTEGER_FORMAT, json_integer_value(next));
	json_object_set_new(screen->view, "next", json_string(address.data));
}

static const char *error_title(int status)
{
	switch (status) {
	case 401:
		return "You are signed out";
	case 403:
		return "Not allowed";
	case 404:
		return "There is nothing here";
	case 409:
		return "Not possible now";
	case 429:
	case 503:
		return "Try again later";
	default:
		return status < 500 ? "That did not work" : "The server failed";
	}
}

void dl_screen_error(struct dl_request *request, int status, const char *code,
		     const char *message)
{
	dl_autojson *view = json_pack("{s{ss} si ss ss*}", "page", "title", error_title(status),
				      "status", status, "code", code, "message", message);
	reply_html(request, status, view, dl_template_error);
}

void dl_screen_ask_to_sign_in(struct dl_request *request)
{
	dl_autobuf address = DL_BUF_INIT;
	dl_buf_puts(&address, "/sign-in?next=");
	for (const char *c = dl_request_target(request); *c; c++)
		dl_buf_printf(&address, strchr("&#+%? ", *c) ? "%%%02X" : "%c", (unsigned char)*c);
	dl_reply_redirect(request, address.data);
}

struct then {
	struct dl_http *http;
	uint64_t request;
	char *path;
};

void *dl_screen_then(struct dl_request *request, const char *format, ...)
{
	struct then *then = DL_NEW(struct then);
	then->http = dl_request_http(request);
	then->request = dl_request_id(request);
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&then->path, format, arguments) < 0)
		then->path = dl_strdup("/");
	va_end(arguments);
	return then;
}

void dl_screen_redirect(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct then *then = arg;
	struct dl_request *request = dl_request_find(then->http, then->request);
	(void)view;
	if (request && result < 0)
		dl_reply_failure(request, result, err);
	else if (request)
		dl_reply_redirect(request, then->path);
	free(then->path);
	free(then);
}
