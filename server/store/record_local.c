/* What root of a host did there without an order comes in: known by the audit,
 * without effect on orders and runs. What is left the next survey tells. */
#include "server/store/record.h"

#include "core/plan/plan.h"

#include <stdio.h>
#include <string.h>

enum {
	LOGIN_MAX_BYTES = 3 * 256,
	ITEMS_MAX = 1000,
	TITLES_TOLD = 20, /* of the steps; the record itself has all */
	BODIES_KEPT = 1000, /* of one host, and how large together */
	BODIES_KEPT_BYTES = 16 * 1024 * 1024,
};

struct local {
	const char *act, *plan_id, *of, *login;
	int64_t uid;
	json_t *steps, *runs, *items;
};

static int read_by(const json_t *content, struct local *local, struct dl_error *err)
{
	static const char *const members[] = { "uid", "login", NULL };
	json_t *by = NULL;
	int r = dl_json_object(content, "by", &by, err);
	if (r == 0)
		r = dl_json_only(by, members, err);
	if (r == 0)
		r = dl_json_int(by, "uid", 0, UINT32_MAX, &local->uid, err);
	return r < 0 ? r : dl_json_str(by, "login", LOGIN_MAX_BYTES, &local->login, err);
}

static int read_local(const json_t *content, struct local *local, struct dl_error *err)
{
	static const char *const members[] = { "act", "plan_id", "of", "by", "time", "steps", "runs",
					       "items", NULL };
	int64_t time = 0;
	int r = dl_json_only(content, members, err);
	if (r == 0)
		r = dl_json_str(content, "act", 16, &local->act, err);
	if (r == 0)
		r = dl_json_hex(content, "plan_id", 16, &local->plan_id, err);
	if (r == 0)
		r = dl_json_str(content, "of", 32, &local->of, err);
	if (r == 0)
		r = read_by(content, local, err);
	if (r == 0)
		r = dl_json_int(content, "time", 0, INT64_MAX, &time, err);
	if (r == 0)
		r = dl_json_array(content, "steps", DL_PLAN_STEPS_MAX, &local->steps, err);
	if (r == 0)
		r = dl_json_array(content, "runs", DL_PLAN_STEPS_MAX, &local->runs, err);
	return r < 0 ? r : dl_json_array(content, "items", ITEMS_MAX, &local->items, err);
}

/* The action's words are the server's own, whatever the host calls its act. */
static const char *action_of(const char *act)
{
	static const char *const actions[][2] = {
		{ "apply", "local.applied" },
		{ "undo", "local.undone" },
		{ "restore", "local.restored" },
		{ "purge", "local.purged" },
	};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i][0], act) == 0)
			return actions[i][1];
	return NULL;
}

/* How many ended in each state; a state this server does not know is refused. */
static int count_ends(const json_t *list, json_t *counts, struct dl_error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		enum dl_run_state state;
		const char *name = NULL;
		int r = dl_json_str(item, "state", 16, &name, err);
		if (r == 0 && strcmp(name, "purged") != 0)
			r = dl_run_state_parse(name, &state, err);
		if (r < 0)
			return r;
		json_int_t count = json_integer_value(json_object_get(counts, name));
		json_object_set_new(counts, name, json_integer(count + 1));
	}
	return 0;
}

static int tell_texts(const json_t *list, const char *member, size_t limit, json_t *texts,
		      struct dl_error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		const char *text = NULL;
		int r = dl_json_str(item, member, limit, &text, err);
		if (r < 0)
			return r;
		if (i < TITLES_TOLD)
			json_array_append_new(texts, json_string(text));
	}
	return 0;
}

/* Retention: the newest of them keep their bytes; the audit keeps what it was told. */
static int drop_older_bytes(struct dl_tx *tx, const struct dl_agent *agent, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent_record SET body = NULL WHERE agent_id = :agent AND type = 'local' "
		"AND body IS NOT NULL AND seq NOT IN (SELECT seq FROM (SELECT seq, "
		"ROW_NUMBER() OVER newest AS place, SUM(LENGTH(body)) OVER newest AS bytes "
		"FROM agent_record WHERE agent_id = :agent AND type = 'local' AND body IS NOT NULL "
		"WINDOW newest AS (ORDER BY seq DESC)) AS kept "
		"WHERE place <= :kept AND bytes <= :kept_bytes)");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "kept", BODIES_KEPT);
	dl_query_int(query, "kept_bytes", BODIES_KEPT_BYTES);
	return dl_query_run(query, err);
}

int dl_record_local(struct dl_tx *tx, const struct dl_agent *agent, const struct dl_record *record,
		    struct dl_error *err)
{
	struct local local = { 0 };
	dl_autojson *counts = json_object(), *titles = json_array(), *paths = json_array();
	char object[64];
	int r = read_local(record->content, &local, err);
	if (r == 0)
		r = count_ends(local.runs, counts, err);
	if (r == 0)
		r = count_ends(local.items, counts, err);
	if (r == 0)
		r = tell_texts(local.steps, "title", DL_STEP_TEXT_MAX_BYTES, titles, err);
	if (r == 0)
		r = tell_texts(local.items, "path", DL_PATH_MAX_BYTES, paths, err);
	if (r == 0)
		r = drop_older_bytes(tx, agent, err);
	if (r < 0)
		return r;
	if (!action_of(local.act))
		return dl_error_set(err, DL_E_INVALID, "'act' is none this server knows");
	snprintf(object, sizeof(object), "host %lld", (long long)agent->id);
	return dl_audit_write(tx, &(struct dl_audit_event){
		.action = action_of(local.act), .organization = agent->organization,
		.object = object,
		.detail = json_pack("{s:s,s:s,s:s,s:I,s:O,s:O,s:O}", "plan_id", local.plan_id, "of",
				    local.of, "login", local.login, "uid", (json_int_t)local.uid,
				    "ends", counts, "steps", titles, "paths", paths) }, err);
}
