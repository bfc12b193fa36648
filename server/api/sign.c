#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

static void on_signed_in(struct dl_request *request, int result, const char *token,
			 json_t *session, const struct dl_error *err)
{
	if (result == DL_E_DENIED) {
		dl_reply_error(request, 401, dl_error_name(result), err->text);
		return;
	}
	if (result == DL_E_BUSY) {
		dl_reply_error(request, 429, dl_error_name(result), err->text);
		return;
	}
	if (dl_answer_failed(request, result, err))
		return;
	dl_autojson *answer = json_pack("{ss sO}", "token", token, "session", session);
	dl_answer_json(request, 200, answer);
}

void dl_api_login(struct dl_request *request, void *app)
{
	static const char *const names[] = { "login", "password", NULL };
	struct dl_api *api = app;
	const char *login, *password;
	dl_autojson *body = NULL;
	struct dl_error err;

	int r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "login", DL_STORE_NAME_MAX_BYTES, &login, &err);
	if (r >= 0)
		r = dl_json_str(body, "password", DL_PASSWORD_MAX_BYTES, &password, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_sign_in(api->sessions, request, login, password, on_signed_in);
}

void dl_api_logout(struct dl_request *request, void *app)
{
	struct dl_api *api = app;

	dl_sign_out(api->sessions, request, dl_answer_nothing, dl_answer_later(request));
}

void dl_api_session(struct dl_request *request, void *app)
{
	(void)app;
	dl_answer_json(request, 200, dl_caller_of(request)->session);
}
