/* Sessions: who is signed in. The token itself never reaches the store. */
#include "server/store/view.h"

enum { TOKEN_HASH_BYTES = 32 };

static int credential_get(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	const char *login = NULL;
	int r = dl_arg_text(args, "login", DL_STORE_NAME_MAX_BYTES, &login, err);
	if (r < 0)
		return r;
	if (tx->actor_kind != DL_ACTOR_SYSTEM)
		return dl_error_set(err, DL_E_DENIED, "credentials are for the server alone");
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT id, login, password_hash FROM account WHERE login = :login AND disabled = 0");
	dl_query_text(query, "login", login);
	r = dl_query_one(query, "user", err);
	if (r < 0)
		return r;
	*ret_view = json_pack("{s:I,s:s,s:s}", "id", (json_int_t)dl_row_int(query, "id"), "login",
			      dl_row_text(query, "login"), "password_hash",
			      dl_row_text(query, "password_hash"));
	return 0;
}

static int login_refused(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			 struct dl_error *err)
{
	(void)ret_view;
	const char *login = NULL;
	int r = dl_arg_text(args, "login", DL_STORE_NAME_MAX_BYTES, &login, err);
	if (r < 0)
		return r;
	return dl_audit_write(tx, &(struct dl_audit_event){ .action = "login.refused",
							    .object = login }, err);
}

static json_t *role_names(struct dl_tx *tx, int64_t user, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT DISTINCT role FROM membership WHERE account_id = :user ORDER BY role");
	dl_query_int(query, "user", user);
	dl_autojson *names = json_array();
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		json_array_append_new(names, json_string(dl_row_text(query, "role")));
	return r < 0 ? NULL : DL_TAKE(names);
}

/* The view shows what the session's user sees, whoever asks for it. */
static int session_view(struct dl_tx *tx, int64_t user, int64_t expires, json_t **ret_view,
			struct dl_error *err)
{
	struct dl_tx as_user = *tx;
	as_user.actor_kind = DL_ACTOR_USER;
	as_user.actor_id = user;
	dl_autojson *account = NULL, *organizations = NULL, *roles = NULL;
	int r = dl_view_user(tx, user, &account, err);
	if (r == 0)
		r = dl_view_organizations(&as_user, &organizations, err);
	if (r < 0)
		return r;
	roles = role_names(tx, user, err);
	if (!roles)
		return err->code;
	*ret_view = json_pack("{s:O,s:I,s:O,s:O}", "user", account, "expires", (json_int_t)expires,
			      "roles", roles, "organizations", organizations);
	return 0;
}

static int session_create(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	int64_t user = dl_arg_id(args, "user"), expires = dl_arg_id(args, "expires");
	const char *hash = NULL;
	int r = dl_json_hex(args, "token_hash", TOKEN_HASH_BYTES, &hash, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO session (token_hash, account_id, created, expires) "
		"SELECT :hash, id, :now, :expires FROM account WHERE id = :user AND disabled = 0");
	dl_query_text(query, "hash", hash);
	dl_query_int(query, "user", user);
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "expires", expires);
	r = dl_query_run(query, err);
	if (r == 0 && dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such user");
	struct dl_tx as_user = *tx;
	as_user.actor_kind = DL_ACTOR_USER;
	as_user.actor_id = user;
	if (r == 0)
		r = dl_audit_write(&as_user, &(struct dl_audit_event){ .action = "login.accepted" },
				   err);
	return r < 0 ? r : session_view(tx, user, expires, ret_view, err);
}

static int session_find(struct dl_tx *tx, const char *hash, int64_t *ret_user,
			int64_t *ret_expires, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT s.account_id, s.expires FROM session s JOIN account a ON a.id = s.account_id "
		"WHERE s.token_hash = :hash AND s.expires > :now AND a.disabled = 0");
	dl_query_text(query, "hash", hash);
	dl_query_int(query, "now", tx->now);
	int r = dl_query_one(query, "session", err);
	if (r < 0)
		return r;
	*ret_user = dl_row_int(query, "account_id");
	*ret_expires = dl_row_int(query, "expires");
	return 0;
}

static int session_get(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		       struct dl_error *err)
{
	int64_t user = 0, expires = 0;
	const char *hash = NULL;
	int r = dl_json_hex(args, "token_hash", TOKEN_HASH_BYTES, &hash, err);
	if (r == 0)
		r = session_find(tx, hash, &user, &expires, err);
	return r < 0 ? r : session_view(tx, user, expires, ret_view, err);
}

static int session_delete(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	(void)ret_view;
	int64_t user = 0, expires = 0;
	const char *hash = NULL;
	int r = dl_json_hex(args, "token_hash", TOKEN_HASH_BYTES, &hash, err);
	if (r == 0)
		r = session_find(tx, hash, &user, &expires, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"DELETE FROM session WHERE token_hash = :hash");
	dl_query_text(query, "hash", hash);
	r = dl_query_run(query, err);
	if (r < 0)
		return r;
	struct dl_tx as_user = *tx;
	as_user.actor_kind = DL_ACTOR_USER;
	as_user.actor_id = user;
	return dl_audit_write(&as_user, &(struct dl_audit_event){ .action = "logout" }, err);
}

static const struct dl_case case_credential = { "credential get", .run = credential_get };
static const struct dl_case case_refused = { "login refused", .writes = true,
					     .run = login_refused };
static const struct dl_case case_create = { "session create", .writes = true,
					    .run = session_create };
static const struct dl_case case_get = { "session get", .run = session_get };
static const struct dl_case case_delete = { "session delete", .writes = true,
					    .run = session_delete };

void dl_store_credential_get(struct dl_store *store, const struct dl_actor *actor,
			     const char *login, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_credential, actor, json_pack("{s:s?}", "login", login), done,
		      arg);
}

void dl_store_login_refused(struct dl_store *store, const struct dl_actor *actor,
			    const char *login, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_refused, actor, json_pack("{s:s?}", "login", login), done, arg);
}

void dl_store_session_create(struct dl_store *store, const struct dl_actor *actor, int64_t user,
			     const char *token_hash, int64_t expires, dl_store_done done,
			     void *arg)
{
	json_t *args = json_pack("{s:I,s:s?,s:I}", "user", (json_int_t)user, "token_hash",
				 token_hash, "expires", (json_int_t)expires);
	dl_store_call(store, &case_create, actor, args, done, arg);
}

void dl_store_session_get(struct dl_store *store, const struct dl_actor *actor,
			  const char *token_hash, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_get, actor, json_pack("{s:s?}", "token_hash", token_hash), done,
		      arg);
}

void dl_store_session_delete(struct dl_store *store, const struct dl_actor *actor,
			     const char *token_hash, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_delete, actor, json_pack("{s:s?}", "token_hash", token_hash),
		      done, arg);
}
