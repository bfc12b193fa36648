#include "server/store/view.h"

#include "core/plan/plan.h"

/* ---- host ---- */

static int coverage_view(struct dl_tx *tx, int64_t agent, int64_t seq, json_t **ret_view,
			 struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT kind, state, why FROM survey_coverage WHERE agent_id = :agent "
		"AND seq = :seq ORDER BY kind");
	dl_query_int(query, "agent", agent);
	dl_query_int(query, "seq", seq);
	dl_autojson *view = json_object();
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		json_object_set_new(view, dl_row_text(query, "kind"),
				    json_pack("{s:s,s:s}", "state", dl_row_text(query, "state"),
					      "why", dl_row_text(query, "why")));
	if (r == 0)
		*ret_view = DL_TAKE(view);
	return r;
}

/* JSON null while there was no survey. */
static int survey_view(struct dl_tx *tx, int64_t agent, json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM survey WHERE agent_id = :agent ORDER BY seq DESC LIMIT 1");
	dl_query_int(query, "agent", agent);
	json_t *coverage = NULL;
	int r = dl_query_step(query, err);
	if (r <= 0) {
		*ret_view = json_null();
		return r;
	}
	r = coverage_view(tx, agent, dl_row_int(query, "seq"), &coverage, err);
	if (r < 0)
		return r;
	*ret_view = json_pack("{s:I,s:I,s:I,s:b,s:s,s:I,s:o,s:I,s:I,s:I,s:I}", "seq",
			      (json_int_t)dl_row_int(query, "seq"), "finished",
			      (json_int_t)dl_row_int(query, "finished"), "received",
			      (json_int_t)dl_row_int(query, "received"), "trusted",
			      (int)dl_row_int(query, "trusted"), "untrusted_because",
			      dl_row_text(query, "untrusted_because"), "omitted",
			      (json_int_t)dl_row_int(query, "omitted"), "coverage", coverage,
			      "present", (json_int_t)dl_row_int(query, "count_present"), "new",
			      (json_int_t)dl_row_int(query, "count_new"), "changed",
			      (json_int_t)dl_row_int(query, "count_changed"), "gone",
			      (json_int_t)dl_row_int(query, "count_gone"));
	return 0;
}

static json_t *host_row_view(struct dl_query *row, json_t *survey)
{
	json_t *view = json_pack(
		"{s:I,s:s,s:s,s:s,s:s,s:s,s:{s:I,s:s},s:b,s:I,s:b,s:b,s:b,s:b,s:o,s:I,s:I}", "id",
		(json_int_t)dl_row_int(row, "id"), "hostname", dl_row_text(row, "hostname"), "os",
		dl_row_text(row, "os"), "kernel", dl_row_text(row, "kernel"), "architecture",
		dl_row_text(row, "architecture"), "version", dl_row_text(row, "version"),
		"organization", "id", (json_int_t)dl_row_int(row, "organization_id"), "name",
		dl_row_text(row, "organization_name"), "online", 0, "enrolled",
		(json_int_t)dl_row_int(row, "enrolled"), "revoked", (int)dl_row_int(row, "revoked"),
		"forked", (int)dl_row_int(row, "forked"), "unconfirmed",
		(int)dl_row_int(row, "unconfirmed"), "contested", (int)dl_row_int(row, "contested"),
		"survey", survey, "open_incidents",
		(json_int_t)dl_row_int(row, "open_incidents"), "waiting_orders",
		(json_int_t)dl_row_int(row, "waiting_orders"));
	dl_set_id(view, "last_contact", dl_row_int(row, "last_contact"));
	dl_set_id(view, "survey_requested", dl_row_int(row, "survey_requested"));
	return view;
}

#define HOST_COLUMNS                                                                               \
	"SELECT a.*, o.name AS organization_name, "                                                \
	"EXISTS (SELECT 1 FROM agent c WHERE c.organization_id = a.organization_id "                \
	"AND c.machine_hash = a.machine_hash AND c.id <> a.id AND c.revoked = 0 "                   \
	"AND c.unconfirmed = 1) AS contested, "                                                    \
	"(SELECT COUNT(*) FROM incident i WHERE i.agent_id = a.id AND i.state = 'open') "           \
	"AS open_incidents, "                                                                      \
	"(SELECT COUNT(*) FROM plan_order p WHERE p.agent_id = a.id AND p.state = 'queued') "       \
	"AS waiting_orders FROM agent a JOIN organization o ON o.id = a.organization_id "

int dl_view_host(struct dl_tx *tx, int64_t agent, json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, HOST_COLUMNS "WHERE a.id = :id");
	json_t *survey = NULL;
	dl_query_int(query, "id", agent);
	int r = dl_query_one(query, "host", err);
	if (r == 0)
		r = survey_view(tx, agent, &survey, err);
	if (r == 0)
		*ret_view = host_row_view(query, survey);
	return r;
}

int dl_view_host_list(struct dl_tx *tx, int64_t organization, struct dl_page page,
		      json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		HOST_COLUMNS "WHERE a.id > :cursor AND a.revoked = 0 "
		"AND (:organization = 0 OR a.organization_id = :organization) "
		"AND " DL_VISIBLE("a.organization_id") " ORDER BY a.id LIMIT :limit");
	dl_tx_bind_actor(tx, query);
	dl_query_int(query, "cursor", page.cursor);
	dl_query_int(query, "organization", organization);
	dl_query_int(query, "limit", page.limit + 1);
	dl_autojson *items = json_array();
	int64_t last = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		json_t *survey = NULL;
		if (json_array_size(items) == (size_t)page.limit)
			break;
		last = dl_row_int(query, "id");
		r = survey_view(tx, last, &survey, err);
		if (r < 0)
			return r;
		json_array_append_new(items, host_row_view(query, survey));
	}
	if (r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), r ? last : 0);
	return 0;
}

/* ---- foothold ---- */

/* `newest`: the host's newest survey; prevalence counts present ones only. */
#define FOOTHOLD_COLUMNS                                                                           \
	"SELECT f.*, (SELECT MAX(s.seq) FROM survey s WHERE s.agent_id = f.agent_id) AS newest, "   \
	"(SELECT COUNT(*) FROM foothold p WHERE p.organization_id = f.organization_id "             \
	"AND p.key = f.key AND p.gone_seq IS NULL) AS hosts, "                                      \
	"(SELECT MIN(i.id) FROM incident i JOIN incident_foothold n ON n.incident_id = i.id "       \
	"WHERE i.agent_id = f.agent_id AND n.key = f.key AND i.state IN ('draft', 'open')) "        \
	"AS incident FROM foothold f "

static const char *change_of(struct dl_query *row)
{
	int64_t newest = dl_row_int(row, "newest");
	if (!dl_row_is_null(row, "gone_seq"))
		return "gone";
	if (dl_row_int(row, "first_seq") == newest)
		return "new";
	return dl_row_int(row, "changed_seq") == newest ? "changed" : "same";
}

static void add_judgement(json_t *view, const struct dl_foothold *foothold)
{
	dl_autofree char *detail = NULL;
	enum dl_reason reason = dl_plan_judge(foothold, &detail);
	json_object_set_new(view, "assisted", json_boolean(reason == DL_REASON_NONE));
	dl_set_text(view, "because", dl_reason_name(reason));
	dl_set_text(view, "because_words", reason == DL_REASON_NONE ? NULL
					   : detail ? detail : dl_reason_sentence(reason));
}

static int foothold_row_view(struct dl_query *row, json_t **ret_view, struct dl_error *err)
{
	const char *facts = dl_row_text(row, "facts");
	dl_autojson *view = json_loads(facts, 0, NULL);
	dl_auto(dl_foothold) foothold = NULL;
	int r = dl_foothold_from_json(view, &foothold, err);
	if (r < 0)
		return dl_error_prefix(err, DL_E_IO, "stored foothold");
	const struct dl_kind_info *kind = dl_kind_info(foothold->kind);
	dl_set_text(view, "kind_words", kind->words);
	dl_set_text(view, "attack", kind->attack);
	dl_set_text(view, "change", change_of(row));
	dl_set_id(view, "first", dl_row_int(row, "first_time"));
	dl_set_id(view, "last", dl_row_int(row, "last_time"));
	dl_set_id(view, "gone", dl_row_int(row, "gone_time"));
	json_object_set_new(view, "hosts", json_integer(dl_row_int(row, "hosts")));
	dl_set_id(view, "incident", dl_row_int(row, "incident"));
	add_judgement(view, foothold);
	*ret_view = DL_TAKE(view);
	return 0;
}

int dl_view_foothold(struct dl_tx *tx, int64_t agent, const char *key, json_t **ret_view,
		     struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		FOOTHOLD_COLUMNS "WHERE f.agent_id = :agent AND f.key = :key");
	dl_query_int(query, "agent", agent);
	dl_query_text(query, "key", key);
	int r = dl_query_one(query, "foothold", err);
	return r < 0 ? r : foothold_row_view(query, ret_view, err);
}

int dl_view_foothold_list(struct dl_tx *tx, int64_t agent, bool with_gone, struct dl_page page,
			  json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		FOOTHOLD_COLUMNS "WHERE f.agent_id = :agent AND f.id > :cursor "
		"AND (:with_gone = 1 OR f.gone_seq IS NULL) ORDER BY f.id LIMIT :limit");
	dl_query_int(query, "agent", agent);
	dl_query_int(query, "cursor", page.cursor);
	dl_query_int(query, "with_gone", with_gone);
	dl_query_int(query, "limit", page.limit + 1);
	dl_autojson *items = json_array();
	int64_t last = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		json_t *view = NULL;
		if (json_array_size(items) == (size_t)page.limit)
			break;
		r = foothold_row_view(query, &view, err);
		if (r < 0)
			return r;
		last = dl_row_int(query, "id");
		json_array_append_new(items, view);
	}
	if (r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), r ? last : 0);
	return 0;
}
