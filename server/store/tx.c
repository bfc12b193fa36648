#include "server/store/tx.h"

#include <string.h>

enum { PAGE_DEFAULT = 50 };

json_t *dl_tx_key_cert(const struct dl_tx *tx)
{
	return json_deep_copy(tx->options->key_cert);
}

unsigned int dl_role_parse(const char *name)
{
	static const struct {
		const char *name;
		unsigned int role;
	} roles[] = {
		{ "administrator", DL_ROLE_ADMINISTRATOR },
		{ "analyst", DL_ROLE_ANALYST },
		{ "technician", DL_ROLE_TECHNICIAN },
		{ "reader", DL_ROLE_READER },
	};
	for (size_t i = 0; i < DL_COUNT(roles); i++)
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].role;
	return 0;
}

int dl_tx_roles(struct dl_tx *tx, int64_t organization, unsigned int *ret_roles,
		struct dl_error *err)
{
	if (tx->actor_kind != DL_ACTOR_USER) {
		*ret_roles = tx->actor_kind == DL_ACTOR_SYSTEM ? DL_ROLE_ANY : 0;
		return 0;
	}
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT m.role FROM membership m JOIN account a ON a.id = m.account_id "
		"WHERE m.account_id = :actor AND a.disabled = 0 "
		"AND (m.organization_id IS NULL OR m.organization_id = :organization)");
	dl_query_int(query, "actor", tx->actor_id);
	dl_query_int(query, "organization", organization);
	unsigned int roles = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		roles |= dl_role_parse(dl_row_text(query, "role"));
	if (r < 0)
		return r;
	*ret_roles = roles;
	return 0;
}

int dl_tx_require(struct dl_tx *tx, int64_t organization, unsigned int roles, const char *what,
		  struct dl_error *err)
{
	unsigned int held = 0;
	int r = dl_tx_roles(tx, organization, &held, err);
	if (r < 0)
		return r;
	/* What is about the whole server is nobody's secret: 0 is never "missing". */
	if (!held && organization)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such %s", what);
	if (!(held & roles))
		return dl_error_set(err, DL_E_DENIED, "your role does not allow this");
	return 0;
}

void dl_tx_bind_actor(const struct dl_tx *tx, struct dl_query *query)
{
	dl_query_int(query, "actor_all", tx->actor_kind == DL_ACTOR_SYSTEM);
	dl_query_int(query, "actor", tx->actor_kind == DL_ACTOR_USER ? tx->actor_id : 0);
}

int dl_tx_actor_name(struct dl_tx *tx, char **ret_name, struct dl_error *err)
{
	if (tx->actor_kind == DL_ACTOR_SYSTEM) {
		*ret_name = dl_strdup("dislodged");
		return 0;
	}
	dl_auto(dl_query) query = dl_query_new(tx->db, tx->actor_kind == DL_ACTOR_USER
		? "SELECT name FROM account WHERE id = :id"
		: "SELECT hostname AS name FROM agent WHERE id = :id");
	dl_query_int(query, "id", tx->actor_id);
	int r = dl_query_one(query, "actor", err);
	if (r < 0)
		return r;
	*ret_name = dl_strdup(dl_row_text(query, "name"));
	return 0;
}

int dl_arg_text(const json_t *args, const char *name, size_t limit, const char **ret,
		struct dl_error *err)
{
	*ret = "";
	return dl_json_str_opt(args, name, limit, ret, err);
}

int dl_arg_words(const json_t *args, const char *name, size_t limit, const char **ret,
		 struct dl_error *err)
{
	int r = dl_arg_text(args, name, limit, ret, err);
	if (r < 0)
		return r;
	if ((*ret)[strspn(*ret, " \t\r\n")] == '\0')
		return dl_error_set(err, DL_E_INVALID, "'%s' must not be empty", name);
	return 0;
}

int64_t dl_arg_id(const json_t *args, const char *name)
{
	return json_integer_value(json_object_get(args, name));
}

bool dl_arg_bool(const json_t *args, const char *name)
{
	return json_is_true(json_object_get(args, name));
}

json_t *dl_page_args(struct dl_page page)
{
	return json_pack("{s:I,s:I}", "cursor", (json_int_t)page.cursor, "limit",
			 (json_int_t)page.limit);
}

struct dl_page dl_arg_page(const json_t *args)
{
	struct dl_page page = { dl_arg_id(args, "cursor"), dl_arg_id(args, "limit") };
	if (page.limit <= 0)
		page.limit = PAGE_DEFAULT;
	if (page.limit > DL_STORE_PAGE_MAX)
		page.limit = DL_STORE_PAGE_MAX;
	return page;
}

json_t *dl_list_view(json_t *items, int64_t next)
{
	json_t *view = json_object();
	json_object_set_new(view, "items", items);
	dl_set_id(view, "next", next);
	return view;
}

void dl_set_id(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, value ? json_integer(value) : json_null());
}

void dl_set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, value && value[0] ? json_string(value) : json_null());
}
