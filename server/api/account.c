#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

enum { MEMBERSHIPS_MAX = 64 };

/* What waits for its password to be hashed. */
struct hashing {
	struct dl_api *api;
	uint64_t request;
	json_t *body; /* of a new user */
	int64_t user; /* whose password changes; 0: a new user */
	char *proven; /* hash of the present password, of who changes their own; else NULL */
};

static struct hashing *hashing_new(struct dl_api *api, struct dl_request *request)
{
	struct hashing *hashing = DL_NEW(struct hashing);

	hashing->api = api;
	hashing->request = dl_request_id(request);
	return hashing;
}

static void hashing_free(struct hashing *hashing)
{
	json_decref(hashing->body);
	free(hashing->proven);
	free(hashing);
}

static void on_hashed(void *arg, const char *hash)
{
	struct hashing *hashing = arg;
	struct dl_store *store = hashing->api->store;
	struct dl_request *request = dl_request_find(hashing->api->http, hashing->request);

	if (request && hashing->user) {
		struct dl_password_request change = {
			.user = hashing->user,
			.password_hash = hash,
			.proven_hash = hashing->proven,
			.keep_session = dl_caller_of(request)->token_hash,
		};
		dl_store_user_set_password(store, dl_answer_actor(request), &change, dl_answer_view,
					   dl_answer_later(request));
	} else if (request) {
		struct dl_user_add_request add = {
			.login = json_string_value(json_object_get(hashing->body, "login")),
			.name = json_string_value(json_object_get(hashing->body, "name")),
			.password_hash = hash,
			.memberships = json_object_get(hashing->body, "memberships"),
		};
		dl_store_user_add(store, dl_answer_actor(request), &add, dl_answer_view,
				  dl_answer_later(request));
	}
	hashing_free(hashing);
}

/* Takes `hashing`. */
static void hash_password(struct dl_request *request, struct hashing *hashing,
			  const char *password)
{
	struct dl_error err;

	int r = dl_password_check(password, &err);
	if (r >= 0)
		r = dl_password_hash_later(dl_sessions_passwords(hashing->api->sessions), password,
					   on_hashed, hashing, &err);
	if (dl_answer_failed(request, r, &err))
		hashing_free(hashing);
}

void dl_api_user_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_page page;
	struct dl_error err;

	if (!dl_answer_failed(request, dl_answer_page(request, &page, &err), &err))
		dl_store_user_list(api->store, dl_answer_actor(request), page, dl_answer_view,
				   dl_answer_later(request));
}

static int user_body(struct dl_request *request, json_t **ret_body, const char **ret_password,
		     struct dl_error *err)
{
	static const char *const names[] = { "login", "name", "password", "memberships", NULL };
	dl_autojson *body = NULL;
	const char *login, *name, *password;
	json_t *memberships;

	int r = dl_answer_body(request, names, &body, err);
	if (r >= 0)
		r = dl_json_str(body, "login", DL_STORE_NAME_MAX_BYTES, &login, err);
	if (r >= 0)
		r = dl_json_str(body, "name", DL_STORE_NAME_MAX_BYTES, &name, err);
	if (r >= 0)
		r = dl_json_str(body, "password", DL_PASSWORD_MAX_BYTES, &password, err);
	if (r >= 0)
		r = dl_json_array(body, "memberships", MEMBERSHIPS_MAX, &memberships, err);
	if (r < 0)
		return r;
	*ret_password = password;
	*ret_body = DL_TAKE(body);
	return 0;
}

void dl_api_user_add(struct dl_request *request, void *app)
{
	json_t *body;
	const char *password;
	struct dl_error err;

	if (dl_answer_failed(request, user_body(request, &body, &password, &err), &err))
		return;
	struct hashing *hashing = hashing_new(app, request);
	hashing->body = body;
	hash_password(request, hashing, password);
}

struct password_change {
	json_t *body; /* owned; the texts are borrowed from it */
	int64_t user;
	const char *password, *current; /* current: "" when absent */
};

static void password_change_clear(struct password_change *change)
{
	json_decref(change->body);
}
#define dl_autochange __attribute__((cleanup(password_change_clear))) struct password_change

static int password_change_read(struct dl_request *request, struct password_change *ret,
				struct dl_error *err)
{
	static const char *const names[] = { "password", "current", NULL };

	ret->current = "";
	int r = dl_request_param_id(request, "id", &ret->user, err);
	if (r >= 0)
		r = dl_answer_body(request, names, &ret->body, err);
	if (r >= 0)
		r = dl_json_str(ret->body, "password", DL_PASSWORD_MAX_BYTES, &ret->password, err);
	if (r >= 0)
		r = dl_json_str_opt(ret->body, "current", DL_PASSWORD_MAX_BYTES, &ret->current, err);
	return r < 0 ? r : dl_password_check(ret->password, err);
}

static void change_password(struct dl_request *request, struct dl_api *api, const char *proven)
{
	dl_autochange change = { 0 };
	struct dl_error err;

	if (dl_answer_failed(request, password_change_read(request, &change, &err), &err))
		return;
	struct hashing *hashing = hashing_new(api, request);
	hashing->user = change.user;
	hashing->proven = proven ? dl_strdup(proven) : NULL;
	hash_password(request, hashing, change.password);
}

static void on_proved(struct dl_request *request, void *app, int result, const char *hash,
		      const struct dl_error *err)
{
	if (!dl_answer_failed(request, result, err))
		change_password(request, app, hash);
}

void dl_api_user_set_password(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	dl_autochange change = { 0 };
	struct dl_error err;

	if (dl_answer_failed(request, password_change_read(request, &change, &err), &err))
		return;
	if (change.user == dl_answer_actor(request)->id)
		dl_prove_password(api->sessions, request, change.current, on_proved, api);
	else
		change_password(request, api, NULL);
}

void dl_api_membership_add(struct dl_request *request, void *app)
{
	static const char *const names[] = { "organization", "role", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	const char *role;
	int64_t user, organization = 0;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &user, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "role", DL_STORE_NAME_MAX_BYTES, &role, &err);
	if (r >= 0 && !json_is_null(json_object_get(body, "organization")))
		r = dl_json_int(body, "organization", 1, INT64_MAX, &organization, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_membership_add(api->store, dl_answer_actor(request), user, organization,
					role, dl_answer_view, dl_answer_later(request));
}

void dl_api_membership_remove(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	const char *role = dl_request_query(request, "role");
	int64_t user, organization = 0;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &user, &err);
	if (r >= 0)
		r = dl_answer_query_number(request, "organization", INT64_MAX, &organization, &err);
	if (r >= 0 && !role)
		r = dl_error_set(&err, DL_E_INVALID, "'role' is missing");
	if (!dl_answer_failed(request, r, &err))
		dl_store_membership_remove(api->store, dl_answer_actor(request), user, organization,
					   role, dl_answer_view, dl_answer_later(request));
}
