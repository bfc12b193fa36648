/* Incidents, read. */
#include "server/store/view_step.h"

/* What each role's turn is. A reader and an administrator wait for nobody. */
#define NEEDS_ME                                                                                   \
	"EXISTS (SELECT 1 FROM membership n WHERE n.account_id = :actor "                          \
	"AND (n.organization_id IS NULL OR n.organization_id = i.organization_id) "                \
	"AND ((n.role = 'technician' AND i.needs IN ('decision', 'manual', 'attention')) "          \
	"OR (n.role = 'analyst' AND i.needs IN ('send', 'reissue')))) "

static void bind_filter(const struct dl_tx *tx, const json_t *args, struct dl_query *query)
{
	const char *state = json_string_value(json_object_get(args, "state"));
	const char *severity = json_string_value(json_object_get(args, "severity"));
	dl_tx_bind_actor(tx, query);
	dl_query_text(query, "state", state ? state : "");
	dl_query_text(query, "severity", severity ? severity : "");
	dl_query_int(query, "organization", dl_arg_id(args, "organization"));
	dl_query_int(query, "host", dl_arg_id(args, "host"));
	dl_query_int(query, "needs_me", dl_arg_bool(args, "needs_me"));
}

static int list(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct dl_page page = dl_arg_page(args);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		DL_INCIDENT_COLUMNS "WHERE " DL_VISIBLE("i.organization_id")
		" AND (:cursor = 0 OR i.id < :cursor) AND (:state = '' OR i.state = :state) "
		"AND (:severity = '' OR i.severity = :severity) "
		"AND (:organization = 0 OR i.organization_id = :organization) "
		"AND (:host = 0 OR i.agent_id = :host) "
		"AND (:needs_me = 0 OR " NEEDS_ME ") ORDER BY i.id DESC LIMIT :limit");
	bind_filter(tx, args, query);
	dl_query_int(query, "cursor", page.cursor);
	dl_query_int(query, "limit", page.limit + 1);
	dl_autojson *items = json_array();
	int64_t last = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		if (json_array_size(items) == (size_t)page.limit)
			break;
		last = dl_row_int(query, "id");
		json_array_append_new(items, dl_view_incident_row(query));
	}
	if (r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), r ? last : 0);
	return 0;
}

static int get(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	return dl_view_incident(tx, dl_arg_id(args, "incident"), dl_arg_id(args, "revision"),
				ret_view, err);
}

static const struct dl_case case_list = { "incident list", .shows_hosts = true, .run = list };
static const struct dl_case case_get = { "incident get", .shows_hosts = true, .run = get };

void dl_store_incident_list(struct dl_store *store, const struct dl_actor *actor,
			    const struct dl_incident_filter *filter, struct dl_page page,
			    dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:s?,s:s?,s:I,s:I,s:b,s:I,s:I}", "state", filter->state,
				 "severity", filter->severity, "organization",
				 (json_int_t)filter->organization, "host", (json_int_t)filter->host,
				 "needs_me", filter->needs_me, "cursor", (json_int_t)page.cursor,
				 "limit", (json_int_t)page.limit);
	dl_store_call(store, &case_list, actor, args, done, arg);
}

void dl_store_incident_get(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			   int64_t revision, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_get, actor,
		      json_pack("{s:I,s:I}", "incident", (json_int_t)incident, "revision",
				(json_int_t)revision), done, arg);
}
