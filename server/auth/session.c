#include "server/auth/session.h"

#include "core/base/time.h"
#include "core/crypto/random.h"
#include "server/auth/throttle.h"
#include "server/log.h"

#include <string.h>

static const char cookie_tls[] = "__Host-dislodge", cookie_plain[] = "dislodge";

struct dl_sessions {
	struct dl_http *http;
	struct dl_store *store;
	struct dl_throttle *throttle;
	struct dl_password_pool *passwords;
};

/* One sign-in or proof under way; it outlives a client that leaves. */
struct attempt {
	struct dl_sessions *sessions;
	uint64_t request;
	char *login, *password, *address;
	int64_t user; /* 0: nobody has the name */
	char *hash;   /* that the password is verified against; NULL: none */
	char token[DL_TOKEN_TEXT_SIZE];
	dl_sign_in_done signed_in; /* one of the two is there */
	dl_prove_done proved;
	void *app; /* of proved */
};

static void sessions_post(void *http, void (*run)(void *), void *arg)
{
	dl_http_post(http, run, arg);
}

struct dl_sessions *dl_sessions_new(struct dl_http *http, struct dl_store *store)
{
	struct dl_sessions *sessions = DL_NEW(struct dl_sessions);

	sessions->http = http;
	sessions->store = store;
	sessions->throttle = dl_throttle_new();
	sessions->passwords = dl_password_pool_new(sessions_post, http);
	return sessions;
}

void dl_sessions_stop(struct dl_sessions *sessions)
{
	dl_password_pool_stop(sessions->passwords);
}

void dl_sessions_free(struct dl_sessions *sessions)
{
	if (!sessions)
		return;
	dl_password_pool_free(sessions->passwords);
	dl_throttle_free(sessions->throttle);
	free(sessions);
}

struct dl_password_pool *dl_sessions_passwords(struct dl_sessions *sessions)
{
	return sessions->passwords;
}

static void attempt_free(struct attempt *attempt)
{
	explicit_bzero(attempt->password, strlen(attempt->password));
	explicit_bzero(attempt->token, sizeof(attempt->token));
	free(attempt->login);
	free(attempt->password);
	free(attempt->hash);
	free(attempt->address);
	free(attempt);
}

static void attempt_end(struct attempt *attempt, int result, json_t *session,
			const struct dl_error *err)
{
	struct dl_request *request = dl_request_find(attempt->sessions->http, attempt->request);

	if (request && attempt->proved)
		attempt->proved(request, attempt->app, result, result < 0 ? NULL : attempt->hash,
				err);
	else if (request)
		attempt->signed_in(request, result, result < 0 ? NULL : attempt->token, session,
				   err);
	attempt_free(attempt);
}

static struct dl_actor attempt_actor(const struct attempt *attempt)
{
	return (struct dl_actor){ .kind = DL_ACTOR_SYSTEM, .address = attempt->address };
}

static void attempt_on_session(void *arg, int result, json_t *view, const struct dl_error *err)
{
	attempt_end(arg, result, view, err);
}

static void attempt_on_refused(void *arg, int result, json_t *view, const struct dl_error *ignored)
{
	struct dl_error err;

	(void)view;
	(void)ignored;
	if (result < 0)
		dl_log(DL_LOG_ERROR, "a refused sign-in could not be written to the audit");
	dl_error_set(&err, DL_E_DENIED, "the name or the password is wrong");
	attempt_end(arg, DL_E_DENIED, NULL, &err);
}

static void attempt_on_verified(void *arg, bool matches)
{
	struct attempt *attempt = arg;
	struct dl_actor actor = attempt_actor(attempt);
	char token_hash[DL_SHA256_TEXT_SIZE];

	if (dl_http_is_stopping(attempt->sessions->http)) {
		attempt_free(attempt);
		return;
	}
	if (!matches) {
		dl_store_login_refused(attempt->sessions->store, &actor, attempt->login,
				       attempt_on_refused, attempt);
		return;
	}
	dl_throttle_succeed(attempt->sessions->throttle, attempt->login, attempt->address,
			    dl_time_monotonic_ms());
	if (attempt->proved) {
		attempt_end(attempt, 0, NULL, NULL);
		return;
	}
	dl_random_token(attempt->token);
	dl_sha256_text(attempt->token, strlen(attempt->token), token_hash);
	dl_store_session_create(attempt->sessions->store, &actor, attempt->user, token_hash,
				dl_time_now_ms() + DL_SESSION_SECONDS * INT64_C(1000),
				attempt_on_session, attempt);
}

static void attempt_on_credential(void *arg, int result, json_t *view,
				  const struct dl_error *store_err)
{
	struct attempt *attempt = arg;
	struct dl_error err;

	if (result < 0 && result != DL_E_NOT_FOUND) {
		attempt_end(attempt, result, NULL, store_err);
		return;
	}
	if (view) {
		attempt->hash = dl_strdup(json_string_value(json_object_get(view, "password_hash")));
		attempt->user = json_integer_value(json_object_get(view, "id"));
	}
	int r = dl_password_verify(attempt->sessions->passwords, attempt->hash, attempt->password,
				   attempt_on_verified, attempt, &err);
	if (r < 0)
		attempt_end(attempt, r, NULL, &err);
}

static struct attempt *attempt_new(struct dl_sessions *sessions, struct dl_request *request,
				   const char *login, const char *password)
{
	struct attempt *attempt = DL_NEW(struct attempt);

	attempt->sessions = sessions;
	attempt->request = dl_request_id(request);
	attempt->login = dl_strdup(login);
	attempt->password = dl_strdup(password);
	attempt->address = dl_strdup(dl_request_peer(request));
	return attempt;
}

static void attempt_start(struct attempt *attempt)
{
	struct dl_sessions *sessions = attempt->sessions;
	struct dl_actor actor = attempt_actor(attempt);
	struct dl_error err;

	if (!*attempt->login || strlen(attempt->login) > DL_STORE_NAME_MAX_BYTES ||
	    strlen(attempt->password) > DL_PASSWORD_MAX_BYTES) {
		dl_error_set(&err, DL_E_DENIED, "the name or the password is wrong");
		attempt_end(attempt, DL_E_DENIED, NULL, &err);
		return;
	}
	int64_t wait = dl_throttle_begin(sessions->throttle, attempt->login, attempt->address,
					 dl_time_monotonic_ms());
	if (wait) {
		dl_error_set(&err, DL_E_BUSY, "too many attempts; please wait %d seconds",
			     (int)wait);
		attempt_end(attempt, DL_E_BUSY, NULL, &err);
		return;
	}
	dl_store_credential_get(sessions->store, &actor, attempt->login, attempt_on_credential,
				attempt);
}

void dl_sign_in(struct dl_sessions *sessions, struct dl_request *request, const char *login,
		const char *password, dl_sign_in_done done)
{
	struct attempt *attempt = attempt_new(sessions, request, login, password);

	attempt->signed_in = done;
	attempt_start(attempt);
}

void dl_prove_password(struct dl_sessions *sessions, struct dl_request *request,
		       const char *password, dl_prove_done done, void *app)
{
	const json_t *user = json_object_get(dl_caller_of(request)->session, "user");
	const char *login = json_string_value(json_object_get(user, "login"));
	struct attempt *attempt = attempt_new(sessions, request, login ? login : "", password);

	attempt->proved = done;
	attempt->app = app;
	attempt_start(attempt);
}

void dl_sign_out(struct dl_sessions *sessions, struct dl_request *request, dl_store_done done, void *arg)
{
	const struct dl_caller *caller = dl_caller_of(request);

	dl_store_session_delete(sessions->store, &caller->actor, caller->token_hash, done, arg);
}

static const char *cookie_name(const struct dl_request *request)
{
	return dl_request_is_tls(request) ? cookie_tls : cookie_plain;
}

static bool is_token(const char *text)
{
	return strlen(text) == DL_TOKEN_TEXT_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == DL_TOKEN_TEXT_SIZE - 1;
}

const char *dl_session_cookie(const struct dl_request *request)
{
	const char *value = dl_request_cookie(request, cookie_name(request));

	return value && is_token(value) ? value : NULL;
}

void dl_session_set_cookie(struct dl_request *request, const char *token)
{
	dl_reply_cookie(request, cookie_name(request), token, DL_SESSION_SECONDS);
}

void dl_session_clear_cookie(struct dl_request *request)
{
	dl_reply_cookie(request, cookie_name(request), "", 0);
}

const char *dl_session_bearer(const struct dl_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *header = dl_request_header(request, "Authorization");

	if (!header || strncmp(header, scheme, sizeof(scheme) - 1))
		return NULL;
	return is_token(header + sizeof(scheme) - 1) ? header + sizeof(scheme) - 1 : NULL;
}
