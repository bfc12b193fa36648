/* Organizations, and the keys by which hosts enter them. */
#include "core/crypto/random.h"
#include "server/store/view.h"

enum { HOST_LIMIT_MAX = 100000, ENROL_KEY_ID_BYTES = 16 };

/* ---- organizations ---- */

static json_t *organization_row_view(struct dl_query *row)
{
	return json_pack("{s:I,s:s,s:I}", "id", (json_int_t)dl_row_int(row, "id"), "name",
			 dl_row_text(row, "name"), "created",
			 (json_int_t)dl_row_int(row, "created"));
}

int dl_view_organizations(struct dl_tx *tx, json_t **ret_items, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT o.* FROM organization o WHERE " DL_VISIBLE("o.id") " ORDER BY o.name");
	dl_tx_bind_actor(tx, query);
	dl_autojson *items = json_array();
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		json_array_append_new(items, organization_row_view(query));
	if (r < 0)
		return r;
	*ret_items = DL_TAKE(items);
	return 0;
}

static int organization_add(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			    struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_tx_require(tx, 0, DL_ROLE_ADMINISTRATOR, "server", err);
	if (r == 0)
		r = dl_arg_words(args, "name", DL_STORE_NAME_MAX_BYTES, &name, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO organization (name, created) VALUES (:name, :now) "
		"RETURNING id, name, created");
	dl_query_text(query, "name", name);
	dl_query_int(query, "now", tx->now);
	r = dl_query_one(query, "organization", err);
	if (r == DL_E_EXISTS)
		return dl_error_set(err, r, "the name '%s' is taken", name);
	if (r < 0)
		return r;
	dl_autojson *view = organization_row_view(query);
	r = dl_audit_write(tx, &(struct dl_audit_event){ .action = "organization.added",
		.object = name, .organization = dl_row_int(query, "id") }, err);
	if (r == 0)
		*ret_view = DL_TAKE(view);
	return r;
}

static int organization_list(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			     struct dl_error *err)
{
	(void)args;
	json_t *items = NULL;
	int r = dl_view_organizations(tx, &items, err);
	if (r == 0)
		*ret_view = dl_list_view(items, 0);
	return r;
}

/* ---- enrolment keys ---- */

static json_t *key_row_view(struct dl_query *row)
{
	return json_pack("{s:s,s:I,s:s,s:I,s:I,s:I,s:b,s:I}", "id", dl_row_text(row, "id"),
			 "organization", (json_int_t)dl_row_int(row, "organization_id"), "label",
			 dl_row_text(row, "label"), "host_limit",
			 (json_int_t)dl_row_int(row, "host_limit"), "hosts_used",
			 (json_int_t)dl_row_int(row, "hosts_used"), "expires",
			 (json_int_t)dl_row_int(row, "expires"), "revoked",
			 (int)dl_row_int(row, "revoked"), "created",
			 (json_int_t)dl_row_int(row, "created"));
}

static int key_view(struct dl_tx *tx, const char *id, json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "SELECT * FROM enrol_key WHERE id = :id");
	dl_query_text(query, "id", id);
	int r = dl_query_one(query, "enrolment key", err);
	if (r == 0)
		*ret_view = key_row_view(query);
	return r;
}

static int key_insert(struct dl_tx *tx, const json_t *args, const char *id, const char *secret,
		      struct dl_error *err)
{
	const char *label = NULL;
	int64_t limit = 0, expires = 0;
	int r = dl_arg_text(args, "label", DL_STORE_NAME_MAX_BYTES, &label, err);
	if (r == 0)
		r = dl_json_int(args, "host_limit", 1, HOST_LIMIT_MAX, &limit, err);
	if (r == 0)
		r = dl_json_int(args, "expires", tx->now, INT64_MAX, &expires, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO enrol_key (id, organization_id, label, secret, host_limit, expires, "
		"created) SELECT :id, o.id, :label, :secret, :limit, :expires, :now "
		"FROM organization o WHERE o.id = :organization");
	dl_query_text(query, "id", id);
	dl_query_text(query, "label", label);
	dl_query_text(query, "secret", secret);
	dl_query_int(query, "limit", limit);
	dl_query_int(query, "expires", expires);
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "organization", dl_arg_id(args, "organization"));
	r = dl_query_run(query, err);
	if (r == 0 && dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such organization");
	return r;
}

static int audit_key(struct dl_tx *tx, const char *action, const char *id, int64_t organization,
		     struct dl_error *err)
{
	return dl_audit_write(tx, &(struct dl_audit_event){ .action = action, .object = id,
							    .organization = organization }, err);
}

static int key_create(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		      struct dl_error *err)
{
	int64_t organization = dl_arg_id(args, "organization");
	char id[DL_ID_TEXT_SIZE], secret[DL_TOKEN_TEXT_SIZE];
	if (!organization)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such organization");
	int r = dl_tx_require(tx, organization, DL_ROLE_ADMINISTRATOR, "organization", err);
	if (r < 0)
		return r;
	dl_random_id(id);
	dl_random_token(secret);
	dl_autojson *view = NULL;
	r = key_insert(tx, args, id, secret, err);
	if (r == 0)
		r = audit_key(tx, "enrol_key.created", id, organization, err);
	if (r == 0)
		r = key_view(tx, id, &view, err);
	if (r < 0)
		return r;
	json_object_set_new(view, "secret", json_string(secret));
	*ret_view = DL_TAKE(view);
	return 0;
}

static int key_list(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	int64_t organization = dl_arg_id(args, "organization");
	int r = dl_tx_require(tx, organization, DL_ROLE_ADMINISTRATOR, "organization", err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM enrol_key WHERE organization_id = :organization "
		"ORDER BY created DESC, id LIMIT :limit");
	dl_query_int(query, "organization", organization);
	dl_query_int(query, "limit", DL_STORE_PAGE_MAX);
	dl_autojson *items = json_array();
	while ((r = dl_query_step(query, err)) > 0)
		json_array_append_new(items, key_row_view(query));
	if (r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), 0);
	return 0;
}

static int key_revoke(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		      struct dl_error *err)
{
	const char *id = NULL;
	dl_autojson *view = NULL;
	int r = dl_arg_text(args, "id", 2 * ENROL_KEY_ID_BYTES, &id, err);
	if (r == 0)
		r = key_view(tx, id, &view, err);
	if (r < 0)
		return r;
	int64_t organization = dl_arg_id(view, "organization");
	r = dl_tx_require(tx, organization, DL_ROLE_ADMINISTRATOR, "enrolment key", err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE enrol_key SET revoked = 1 WHERE id = :id");
	dl_query_text(query, "id", id);
	r = dl_query_run(query, err);
	if (r == 0)
		r = audit_key(tx, "enrol_key.revoked", id, organization, err);
	return r < 0 ? r : key_view(tx, id, ret_view, err);
}

/* ---- the face ---- */

static const struct dl_case case_add = { "organization add", .writes = true,
					 .run = organization_add };
static const struct dl_case case_list = { "organization list", .run = organization_list };
static const struct dl_case case_key_create = { "enrol key create", .writes = true,
						.run = key_create };
static const struct dl_case case_key_list = { "enrol key list", .run = key_list };
static const struct dl_case case_key_revoke = { "enrol key revoke", .writes = true,
						.run = key_revoke };

void dl_store_organization_add(struct dl_store *store, const struct dl_actor *actor,
			       const char *name, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_add, actor, json_pack("{s:s?}", "name", name), done, arg);
}

void dl_store_organization_list(struct dl_store *store, const struct dl_actor *actor,
				dl_store_done done, void *arg)
{
	dl_store_call(store, &case_list, actor, json_object(), done, arg);
}

void dl_store_enrol_key_create(struct dl_store *store, const struct dl_actor *actor,
			       const struct dl_enrol_key_request *request, dl_store_done done,
			       void *arg)
{
	json_t *args = json_pack("{s:I,s:s?,s:I,s:I}", "organization",
				 (json_int_t)request->organization, "label", request->label,
				 "host_limit", (json_int_t)request->host_limit, "expires",
				 (json_int_t)request->expires);
	dl_store_call(store, &case_key_create, actor, args, done, arg);
}

void dl_store_enrol_key_list(struct dl_store *store, const struct dl_actor *actor,
			     int64_t organization, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_key_list, actor,
		      json_pack("{s:I}", "organization", (json_int_t)organization), done, arg);
}

void dl_store_enrol_key_revoke(struct dl_store *store, const struct dl_actor *actor,
			       const char *key_id, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_key_revoke, actor, json_pack("{s:s?}", "id", key_id), done, arg);
}
