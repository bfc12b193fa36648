/* Accounts: users, what they may do where, and their sessions. */
#include "server/store/view.h"

#include <stdio.h>


enum { PASSWORD_HASH_MAX_BYTES = 512 };

/* ---- views ---- */

/* What somebody may do in an organization is for those who administer it, and for
 * themselves: the name of another one is no business of an administrator here. */
static json_t *memberships_view(struct dl_tx *tx, int64_t user, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT m.organization_id, o.name, m.role FROM membership m "
		"LEFT JOIN organization o ON o.id = m.organization_id "
		"WHERE m.account_id = :user AND (:actor_all = 1 OR m.account_id = :actor "
		"OR m.organization_id IS NULL OR EXISTS (SELECT 1 FROM membership a "
		"WHERE a.account_id = :actor AND a.role = 'administrator' "
		"AND (a.organization_id IS NULL OR a.organization_id = m.organization_id))) "
		"ORDER BY m.organization_id, m.role");
	dl_query_int(query, "user", user);
	dl_tx_bind_actor(tx, query);
	dl_autojson *items = json_array();
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		json_t *item = json_object();
		dl_set_id(item, "organization", dl_row_int(query, "organization_id"));
		dl_set_text(item, "organization_name", dl_row_text(query, "name"));
		dl_set_text(item, "role", dl_row_text(query, "role"));
		json_array_append_new(items, item);
	}
	return r < 0 ? NULL : DL_TAKE(items);
}

static int row_view(struct dl_tx *tx, struct dl_query *row, json_t **ret_view, struct dl_error *err)
{
	json_t *memberships = memberships_view(tx, dl_row_int(row, "id"), err);
	if (!memberships)
		return err->code;
	*ret_view = json_pack("{s:I,s:s,s:s,s:b,s:I,s:o}", "id", (json_int_t)dl_row_int(row, "id"),
			      "login", dl_row_text(row, "login"), "name", dl_row_text(row, "name"),
			      "disabled", (int)dl_row_int(row, "disabled"), "created",
			      (json_int_t)dl_row_int(row, "created"), "memberships", memberships);
	return 0;
}

int dl_view_user(struct dl_tx *tx, int64_t user, json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "SELECT * FROM account WHERE id = :id");
	dl_query_int(query, "id", user);
	int r = dl_query_one(query, "user", err);
	return r < 0 ? r : row_view(tx, query, ret_view, err);
}

/* ---- who may administer whom ---- */

/* An administrator of all, or of an organization the user is in. */
static int require_administers(struct dl_tx *tx, int64_t user, struct dl_error *err)
{
	if (tx->actor_kind == DL_ACTOR_SYSTEM)
		return 0;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT 1 FROM membership a WHERE a.account_id = :actor "
		"AND a.role = 'administrator' AND (a.organization_id IS NULL OR EXISTS "
		"(SELECT 1 FROM membership m WHERE m.account_id = :user "
		"AND m.organization_id = a.organization_id))");
	dl_query_int(query, "actor", tx->actor_id);
	dl_query_int(query, "user", user);
	return dl_query_one(query, "user", err);
}

/* A password opens everything the user may do: whoever sets it must administer
 * all of it, or an organization's administrator could become another's. */
static int require_administers_fully(struct dl_tx *tx, int64_t user, struct dl_error *err)
{
	int r = require_administers(tx, user, err);
	if (r < 0 || tx->actor_kind == DL_ACTOR_SYSTEM)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT 1 FROM membership m WHERE m.account_id = :user AND NOT EXISTS "
		"(SELECT 1 FROM membership a WHERE a.account_id = :actor "
		"AND a.role = 'administrator' AND (a.organization_id IS NULL "
		"OR a.organization_id = m.organization_id))");
	dl_query_int(query, "actor", tx->actor_id);
	dl_query_int(query, "user", user);
	r = dl_query_step(query, err);
	if (r > 0)
		return dl_error_set(err, DL_E_DENIED, "this user also works for organizations that "
						      "you do not administer");
	return r;
}

/* ---- users ---- */

static int membership_insert(struct dl_tx *tx, int64_t user, int64_t organization,
			     const char *role, struct dl_error *err)
{
	if (!dl_role_parse(role))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a role", role);
	int r = dl_tx_require(tx, organization, DL_ROLE_ADMINISTRATOR, "organization", err);
	if (r < 0)
		return r;
	if (organization) {
		dl_auto(dl_query) known = dl_query_new(tx->db,
			"SELECT 1 FROM organization WHERE id = :id");
		dl_query_int(known, "id", organization);
		r = dl_query_one(known, "organization", err);
		if (r < 0)
			return r;
	}
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO membership (account_id, organization_id, role) "
		"VALUES (:user, :organization, :role) ON CONFLICT DO NOTHING");
	dl_query_int(query, "user", user);
	dl_query_id(query, "organization", organization);
	dl_query_text(query, "role", role);
	return dl_query_run(query, err);
}

static int user_insert(struct dl_tx *tx, const json_t *args, int64_t *ret_id, struct dl_error *err)
{
	const char *login = NULL, *name = NULL, *hash = NULL;
	int r = dl_arg_words(args, "login", DL_STORE_NAME_MAX_BYTES, &login, err);
	if (r == 0)
		r = dl_arg_words(args, "name", DL_STORE_NAME_MAX_BYTES, &name, err);
	if (r == 0)
		r = dl_arg_words(args, "password_hash", PASSWORD_HASH_MAX_BYTES, &hash, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO account (login, name, password_hash, created) "
		"VALUES (:login, :name, :hash, :now) RETURNING id");
	dl_query_text(query, "login", login);
	dl_query_text(query, "name", name);
	dl_query_text(query, "hash", hash);
	dl_query_int(query, "now", tx->now);
	r = dl_query_one(query, "user", err);
	if (r == DL_E_EXISTS)
		return dl_error_set(err, r, "the login '%s' is taken", login);
	if (r == 0)
		*ret_id = dl_row_int(query, "id");
	return r;
}

static int add_memberships(struct dl_tx *tx, const json_t *args, int64_t user, struct dl_error *err)
{
	json_t *memberships = NULL, *item;
	size_t i;
	int r = dl_json_array(args, "memberships", DL_STORE_KEYS_MAX, &memberships, err);
	if (r == 0 && !json_array_size(memberships))
		return dl_error_set(err, DL_E_INVALID, "a user needs at least one role");
	json_array_foreach(memberships, i, item) {
		const char *role = NULL;
		r = dl_arg_words(item, "role", DL_STORE_NAME_MAX_BYTES, &role, err);
		if (r == 0)
			r = membership_insert(tx, user, dl_arg_id(item, "organization"), role, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int audit_user(struct dl_tx *tx, const char *action, int64_t user, int64_t organization,
		      json_t *detail, struct dl_error *err)
{
	char object[64];
	snprintf(object, sizeof(object), "user %lld", (long long)user);
	return dl_audit_write(tx, &(struct dl_audit_event){ .action = action, .object = object,
							    .organization = organization,
							    .detail = detail }, err);
}

static int user_add(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	int64_t user = 0;
	int r = user_insert(tx, args, &user, err);
	if (r == 0)
		r = add_memberships(tx, args, user, err);
	if (r == 0)
		r = audit_user(tx, "user.added", user, 0,
			       json_pack("{s:O,s:O}", "login", json_object_get(args, "login"),
					 "memberships", json_object_get(args, "memberships")), err);
	return r < 0 ? r : dl_view_user(tx, user, ret_view, err);
}

static int user_list(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct dl_page page = dl_arg_page(args);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT u.* FROM account u WHERE u.id > :cursor AND (:actor_all = 1 OR EXISTS "
		"(SELECT 1 FROM membership a WHERE a.account_id = :actor "
		"AND a.role = 'administrator' AND (a.organization_id IS NULL OR EXISTS "
		"(SELECT 1 FROM membership m WHERE m.account_id = u.id "
		"AND m.organization_id = a.organization_id)))) ORDER BY u.id LIMIT :limit");
	dl_tx_bind_actor(tx, query);
	dl_query_int(query, "cursor", page.cursor);
	dl_query_int(query, "limit", page.limit + 1);
	dl_autojson *items = json_array();
	int64_t last = 0, next = 0;
	int r;
	while (!next && (r = dl_query_step(query, err)) > 0) {
		json_t *view = NULL;
		if (json_array_size(items) == (size_t)page.limit) {
			next = last;
			continue;
		}
		r = row_view(tx, query, &view, err);
		if (r < 0)
			return r;
		last = dl_row_int(query, "id");
		json_array_append_new(items, view);
	}
	if (!next && r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), next);
	return 0;
}

/* ---- passwords ---- */

/* A session alone is not enough to take over the account it was stolen from. */
static int require_proven(struct dl_tx *tx, const json_t *args, int64_t user, struct dl_error *err)
{
	const char *proven = NULL;
	int r = dl_arg_text(args, "proven_hash", PASSWORD_HASH_MAX_BYTES, &proven, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT 1 FROM account WHERE id = :user AND password_hash = :proven");
	dl_query_int(query, "user", user);
	dl_query_text(query, "proven", proven);
	r = dl_query_step(query, err);
	if (r == 0)
		return dl_error_set(err, DL_E_DENIED, "the present password was not proven");
	return r < 0 ? r : 0;
}

static int replace_password(struct dl_tx *tx, int64_t user, const char *hash, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE account SET password_hash = :hash WHERE id = :user");
	dl_query_text(query, "hash", hash);
	dl_query_int(query, "user", user);
	return dl_query_run(query, err);
}

static int end_sessions(struct dl_tx *tx, int64_t user, const char *kept, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"DELETE FROM session WHERE account_id = :user AND token_hash <> :kept");
	dl_query_int(query, "user", user);
	dl_query_text(query, "kept", kept);
	return dl_query_run(query, err);
}

static int set_password(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			struct dl_error *err)
{
	int64_t user = dl_arg_id(args, "user");
	const char *hash = NULL, *session = NULL;
	bool oneself = tx->actor_kind == DL_ACTOR_USER && tx->actor_id == user;
	int r = oneself ? require_proven(tx, args, user, err)
			: require_administers_fully(tx, user, err);
	if (r == 0)
		r = dl_arg_words(args, "password_hash", PASSWORD_HASH_MAX_BYTES, &hash, err);
	if (r == 0)
		r = dl_arg_text(args, "keep_session", DL_STORE_NAME_MAX_BYTES, &session, err);
	if (r == 0)
		r = replace_password(tx, user, hash, err);
	if (r == 0)
		r = end_sessions(tx, user, oneself ? session : "", err);
	if (r == 0)
		r = audit_user(tx, "user.password", user, 0, NULL, err);
	return r < 0 ? r : dl_view_user(tx, user, ret_view, err);
}

/* ---- memberships ---- */

static int membership_add(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	int64_t user = dl_arg_id(args, "user"), organization = dl_arg_id(args, "organization");
	const char *role = NULL;
	int r = require_administers(tx, user, err);
	if (r == 0)
		r = dl_arg_words(args, "role", DL_STORE_NAME_MAX_BYTES, &role, err);
	if (r == 0)
		r = membership_insert(tx, user, organization, role, err);
	if (r == 0)
		r = audit_user(tx, "membership.added", user, organization,
			       json_pack("{s:s}", "role", role), err);
	return r < 0 ? r : dl_view_user(tx, user, ret_view, err);
}

static int membership_delete(struct dl_tx *tx, int64_t user, int64_t organization,
			     const char *role, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"DELETE FROM membership WHERE account_id = :user "
		"AND COALESCE(organization_id, 0) = :organization AND role = :role");
	dl_query_int(query, "user", user);
	dl_query_int(query, "organization", organization);
	dl_query_text(query, "role", role);
	int r = dl_query_run(query, err);
	if (r == 0 && dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such membership");
	return r;
}

static int membership_remove(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			     struct dl_error *err)
{
	int64_t user = dl_arg_id(args, "user"), organization = dl_arg_id(args, "organization");
	const char *role = NULL;
	int r = require_administers(tx, user, err);
	if (r == 0)
		r = dl_tx_require(tx, organization, DL_ROLE_ADMINISTRATOR, "organization", err);
	if (r == 0)
		r = dl_arg_words(args, "role", DL_STORE_NAME_MAX_BYTES, &role, err);
	if (r == 0)
		r = membership_delete(tx, user, organization, role, err);
	if (r == 0)
		r = audit_user(tx, "membership.removed", user, organization,
			       json_pack("{s:s}", "role", role), err);
	return r < 0 ? r : dl_view_user(tx, user, ret_view, err);
}

/* ---- the face ---- */

static const struct dl_case case_user_add = { "user add", .writes = true, .run = user_add };
static const struct dl_case case_user_list = { "user list", .run = user_list };
static const struct dl_case case_set_password = { "set password", .writes = true,
						  .run = set_password };
static const struct dl_case case_membership_add = { "membership add", .writes = true,
						    .run = membership_add };
static const struct dl_case case_membership_remove = { "membership remove", .writes = true,
						       .run = membership_remove };

void dl_store_user_add(struct dl_store *store, const struct dl_actor *actor,
		       const struct dl_user_add_request *request, dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:s?,s:s?,s:s?,s:o?}", "login", request->login, "name",
				 request->name, "password_hash", request->password_hash,
				 "memberships", json_deep_copy(request->memberships));
	dl_store_call(store, &case_user_add, actor, args, done, arg);
}

void dl_store_user_list(struct dl_store *store, const struct dl_actor *actor, struct dl_page page,
			dl_store_done done, void *arg)
{
	dl_store_call(store, &case_user_list, actor, dl_page_args(page), done, arg);
}

void dl_store_user_set_password(struct dl_store *store, const struct dl_actor *actor,
				const struct dl_password_request *request, dl_store_done done,
				void *arg)
{
	json_t *args = json_pack("{s:I,s:s*,s:s*,s:s*}", "user", (json_int_t)request->user,
				 "password_hash", request->password_hash, "proven_hash",
				 request->proven_hash, "keep_session", request->keep_session);
	dl_store_call(store, &case_set_password, actor, args, done, arg);
}

static json_t *membership_args(int64_t user, int64_t organization, const char *role)
{
	return json_pack("{s:I,s:I,s:s?}", "user", (json_int_t)user, "organization",
			 (json_int_t)organization, "role", role);
}

void dl_store_membership_add(struct dl_store *store, const struct dl_actor *actor, int64_t user,
			     int64_t organization, const char *role, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_membership_add, actor,
		      membership_args(user, organization, role), done, arg);
}

void dl_store_membership_remove(struct dl_store *store, const struct dl_actor *actor, int64_t user,
				int64_t organization, const char *role, dl_store_done done,
				void *arg)
{
	dl_store_call(store, &case_membership_remove, actor,
		      membership_args(user, organization, role), done, arg);
}
