#include "server/auth/csrf.h"
#include "server/portal/handler.h"
#include "server/portal/screen.h"

#include <string.h>

/* The page again, with the words why; what was typed stays, but for the password. */
static void show_sign_in(struct dl_request *request, int status, const char *login,
			 const char *next, const char *problem)
{
	dl_autojson *view = json_pack("{s{ss}}", "page", "title", "Sign in");
	/* json_string refuses what is not UTF-8: such a name is shown as none. */
	json_object_set_new(view, "login", json_string(login ? login : ""));
	json_object_set_new(view, "next", json_string(next ? next : "/"));
	json_object_set_new(view, "problem", json_string(problem ? problem : ""));
	dl_autobuf out = DL_BUF_INIT;
	struct dl_html html = { .out = &out, .view = view };
	dl_template_sign_in(&html);
	dl_reply(request, status, "text/html; charset=utf-8", out.data, out.size);
}

void dl_portal_sign_in_page(struct dl_request *request, void *app)
{
	(void)app;
	show_sign_in(request, 200, NULL, dl_request_query(request, "next"), NULL);
}

static void on_signed_in(struct dl_request *request, int result, const char *token,
			 json_t *session, const struct dl_error *err)
{
	(void)session;
	const char *next = dl_request_form(request, "next");
	if (result == DL_E_DENIED || result == DL_E_BUSY) {
		show_sign_in(request, result == DL_E_DENIED ? 401 : 429,
			     dl_request_form(request, "login"), next,
			     result == DL_E_DENIED ? "User name or password is wrong." : err->text);
		return;
	}
	if (result < 0) {
		dl_reply_failure(request, result, err);
		return;
	}
	dl_session_set_cookie(request, token);
	dl_reply_redirect(request, next && *next ? next : "/");
}

void dl_portal_sign_in(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	const char *login = dl_request_form(request, "login");
	const char *password = dl_request_form(request, "password");
	/* Before sign-in there is no token that another site could not get. */
	if (!dl_csrf_same_origin(request)) {
		dl_reply_error(request, 403, "csrf", "this form was sent by another site");
		return;
	}
	if (!login || !*login || !password || !*password ||
	    strlen(login) > DL_STORE_NAME_MAX_BYTES || strlen(password) > DL_PASSWORD_MAX_BYTES) {
		show_sign_in(request, 400, login, dl_request_form(request, "next"),
			     "Give your user name and your password.");
		return;
	}
	dl_sign_in(portal->sessions, request, login, password, on_signed_in);
}

static void on_signed_out(void *arg, int result, json_t *view, const struct dl_error *err)
{
	dl_screen_redirect(arg, result == DL_E_NOT_FOUND ? 0 : result, view, err);
}

void dl_portal_sign_out(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	dl_session_clear_cookie(request);
	dl_sign_out(portal->sessions, request, on_signed_out, dl_screen_then(request, "/sign-in"));
}
