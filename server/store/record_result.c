/* A result comes in: how each step of an order ended. States that are final stay
 * what they are, whatever a host says later. */
#include "server/store/incident.h"
#include "server/store/order.h"
#include "server/store/record.h"

#include <string.h>

enum {
	DETAIL_MAX_BYTES = 3 * 8192,
	EVIDENCE_MAX = 256,
	HOLDERS_MAX = 256,
	QUARANTINE_MAX = 256,
	WORDS_MAX_BYTES = 3 * 4096,
};

struct result {
	const char *plan_id, *kind, *state, *reason, *detail;
	json_t *runs;
};

/* "" or a code of core/plan/reason.h. */
static int read_reason(const json_t *json, const char **ret, struct dl_error *err)
{
	int r = dl_json_str(json, "reason", 64, ret, err);
	if (r == 0 && (*ret)[0] && dl_reason_parse(*ret) == DL_REASON_COUNT)
		return dl_error_set(err, DL_E_INVALID, "'reason' is no code this server knows");
	return r;
}

static int read_result(const json_t *content, struct result *result, struct dl_error *err)
{
	static const char *const members[] = { "plan_id", "kind", "state", "reason", "detail",
					       "runs", NULL };
	int r = dl_json_only(content, members, err);
	if (r == 0)
		r = dl_json_hex(content, "plan_id", 16, &result->plan_id, err);
	if (r == 0)
		r = dl_json_str(content, "kind", 16, &result->kind, err);
	if (r == 0)
		r = dl_json_str(content, "state", 16, &result->state, err);
	if (r == 0)
		r = read_reason(content, &result->reason, err);
	if (r == 0)
		r = dl_json_str(content, "detail", DETAIL_MAX_BYTES, &result->detail, err);
	if (r == 0)
		r = dl_json_array(content, "runs", DL_PLAN_STEPS_MAX, &result->runs, err);
	return r;
}

/* ---- one run ---- */

struct run {
	int64_t step, started, finished;
	const char *state, *reason, *detail;
	json_t *flags, *evidence, *quarantine;
};

static int check_holder(const json_t *holder, struct dl_error *err)
{
	static const char *const members[] = { "pid", "executable", "user", NULL };
	const char *text = NULL;
	int64_t pid = 0;
	int r = dl_json_only(holder, members, err);
	if (r == 0)
		r = dl_json_int(holder, "pid", 0, INT64_MAX, &pid, err);
	if (r == 0)
		r = dl_json_str(holder, "executable", DL_PATH_MAX_BYTES, &text, err);
	return r < 0 ? r : dl_json_str(holder, "user", DL_NAME_MAX_BYTES, &text, err);
}

static int check_kept(const json_t *kept, struct dl_error *err)
{
	static const char *const members[] = { "id", "path", "sha256", "size", NULL };
	const char *text = NULL;
	int64_t size = 0;
	int r = dl_json_only(kept, members, err);
	if (r == 0)
		r = dl_json_str(kept, "id", 64, &text, err);
	if (r == 0)
		r = dl_json_str(kept, "path", DL_PATH_MAX_BYTES, &text, err);
	if (r == 0)
		r = dl_json_str_opt(kept, "sha256", 64, &text, err);
	return r < 0 ? r : dl_json_int_opt(kept, "size", 0, INT64_MAX, &size, err);
}

static int check_words(const json_t *words, struct dl_error *err)
{
	if (!json_is_string(words) || json_string_length(words) > WORDS_MAX_BYTES)
		return dl_error_set(err, DL_E_INVALID, "'evidence' holds something that is no text");
	return 0;
}

static int check_each(const json_t *array, int (*check)(const json_t *, struct dl_error *),
		      struct dl_error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item) {
		int r = check(item, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_flags(const json_t *flags, struct dl_error *err)
{
	static const char *const members[] = { "still_running", "partial", "needs_reboot", NULL };
	json_t *holders = NULL;
	bool flag = false;
	int r = dl_json_only(flags, members, err);
	if (r == 0)
		r = dl_json_array_opt(flags, "still_running", HOLDERS_MAX, &holders, err);
	if (r == 0)
		r = check_each(holders, check_holder, err);
	if (r == 0)
		r = dl_json_bool_opt(flags, "partial", &flag, err);
	return r < 0 ? r : dl_json_bool_opt(flags, "needs_reboot", &flag, err);
}

static int read_run_lists(const json_t *json, struct run *run, struct dl_error *err)
{
	int r = dl_json_object(json, "flags", &run->flags, err);
	if (r == 0)
		r = check_flags(run->flags, err);
	if (r == 0)
		r = dl_json_array_opt(json, "evidence", EVIDENCE_MAX, &run->evidence, err);
	if (r == 0)
		r = check_each(run->evidence, check_words, err);
	if (r == 0)
		r = dl_json_array_opt(json, "quarantine", QUARANTINE_MAX, &run->quarantine, err);
	return r < 0 ? r : check_each(run->quarantine, check_kept, err);
}

static int read_run_state(const json_t *json, bool undo, struct run *run, struct dl_error *err)
{
	enum dl_run_state state;
	int r = dl_json_str(json, "state", 16, &run->state, err);
	if (r == 0)
		r = dl_run_state_parse(run->state, &state, err);
	if (r < 0)
		return r;
	bool effect = state == DL_RUN_REMOVED || state == DL_RUN_ALREADY_GONE ||
		      state == DL_RUN_UNVERIFIED;
	if (!dl_run_state_is_terminal(state) || (undo ? effect : state == DL_RUN_RESTORED))
		return dl_error_set(err, DL_E_INVALID, "'%s' is no end of such a run", run->state);
	return 0;
}

static int read_run(const json_t *json, bool undo, struct run *run, struct dl_error *err)
{
	static const char *const members[] = { "step", "state", "reason", "detail", "flags",
					       "evidence", "quarantine", "started", "finished", NULL };
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = dl_json_int(json, "step", 1, DL_PLAN_STEPS_MAX, &run->step, err);
	if (r == 0)
		r = read_run_state(json, undo, run, err);
	if (r == 0)
		r = read_reason(json, &run->reason, err);
	if (r == 0)
		r = dl_json_str(json, "detail", DETAIL_MAX_BYTES, &run->detail, err);
	if (r == 0)
		r = dl_json_int(json, "started", 0, INT64_MAX, &run->started, err);
	if (r == 0)
		r = dl_json_int(json, "finished", 0, INT64_MAX, &run->finished, err);
	return r < 0 ? r : read_run_lists(json, run, err);
}

static json_t *list_or_empty(json_t *list)
{
	return list ? json_incref(list) : json_array();
}

static int keep_run(struct dl_tx *tx, const char *plan_id, const struct run *run,
		    struct dl_error *err)
{
	dl_autojson *report = json_pack("{s:O,s:o,s:o}", "flags", run->flags, "evidence",
					list_or_empty(run->evidence), "quarantine",
					list_or_empty(run->quarantine));
	dl_autofree char *text = dl_json_text(report);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE step_run SET state = :state, reason = :reason, detail = :detail, "
		"report = :report, started = :started, finished = :finished "
		"WHERE plan_id = :plan AND step = :step AND state IN ('pending', 'running')");
	dl_query_text(query, "state", run->state);
	dl_query_text(query, "reason", run->reason);
	dl_query_text(query, "detail", run->detail);
	dl_query_text(query, "report", text);
	dl_query_id(query, "started", run->started);
	dl_query_id(query, "finished", run->finished);
	dl_query_text(query, "plan", plan_id);
	dl_query_int(query, "step", run->step);
	int r = dl_query_run(query, err);
	if (r == 0 && dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_INVALID, "step %d was not ordered, or has ended before",
				    (int)run->step);
	return r;
}

/* A step the host says nothing about must not stay "in progress" for ever. */
static int end_silent_runs(struct dl_tx *tx, const char *plan_id, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE step_run SET state = 'failed', reason = 'needs_attention', "
		"detail = 'The host finished without reporting on this step.', finished = :now "
		"WHERE plan_id = :plan AND state IN ('pending', 'running')");
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "plan", plan_id);
	return dl_query_run(query, err);
}

static int keep_runs(struct dl_tx *tx, const struct dl_order_row *order, const json_t *runs,
		     struct dl_error *err)
{
	bool undo = strcmp(order->kind, "undo") == 0;
	size_t i;
	json_t *item;
	json_array_foreach(runs, i, item) {
		struct run run = { 0 };
		int r = read_run(item, undo, &run, err);
		if (r == 0)
			r = keep_run(tx, order->plan_id, &run, err);
		if (r < 0)
			return dl_error_prefix(err, r, "run %zu", i + 1);
	}
	return end_silent_runs(tx, order->plan_id, err);
}

/* ---- the whole ---- */

static int note_result(struct dl_tx *tx, const struct dl_order_row *order,
		       const struct result *result, int64_t seq, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE plan_order SET reason = :reason, detail = :detail, finished_seq = :seq "
		"WHERE plan_id = :plan");
	dl_query_text(query, "reason", result->reason);
	dl_query_text(query, "detail", result->detail);
	dl_query_int(query, "seq", seq);
	dl_query_text(query, "plan", order->plan_id);
	return dl_query_run(query, err);
}

static json_t *outcome_counts(const json_t *runs)
{
	json_t *counts = json_object();
	size_t i;
	json_t *run;
	json_array_foreach(runs, i, run) {
		const char *state = json_string_value(json_object_get(run, "state"));
		json_int_t count = json_integer_value(json_object_get(counts, state));
		json_object_set_new(counts, state, json_integer(count + 1));
	}
	return counts;
}

static int finish_order(struct dl_tx *tx, struct dl_order_row *order, const struct result *result,
			int64_t seq, struct dl_error *err)
{
	int r = dl_order_set_state(tx, order, "finished", err);
	if (r == 0)
		r = keep_runs(tx, order, result->runs, err);
	if (r == 0)
		r = note_result(tx, order, result, seq, err);
	if (r == 0)
		r = dl_audit_order(tx, "order.finished", order,
				   json_pack("{s:o}", "runs", outcome_counts(result->runs)), err);
	return r < 0 ? r : dl_incident_settle(tx, order->incident, err);
}

/* The host agrees that an order it was told is over did nothing. */
static bool confirms_end(const struct dl_order_row *order, const struct result *result)
{
	if (strcmp(order->state, "cancelled") != 0 && strcmp(order->state, "expired") != 0)
		return false;
	size_t i;
	json_t *run;
	json_array_foreach(result->runs, i, run) {
		const char *state = json_string_value(json_object_get(run, "state"));
		if (!state || dl_run_took_effect(state) || strcmp(state, "restored") == 0)
			return false;
	}
	return true;
}

int dl_record_result(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err)
{
	struct result result = { 0 };
	struct dl_order_row order;
	int r = read_result(record->content, &result, err);
	if (r == 0)
		r = dl_order_load(tx, result.plan_id, &order, err);
	if (r < 0)
		return r;
	if (order.agent != agent->id || strcmp(order.kind, result.kind) != 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "this host was given no such order");
	if (confirms_end(&order, &result))
		return 0;
	if (strcmp(result.state, "finished") == 0)
		return finish_order(tx, &order, &result, record->seq, err);
	if (strcmp(result.state, "refused") == 0)
		return dl_order_end_unstarted(tx, &order, "refused", result.reason, result.detail,
					      err);
	return dl_error_set(err, DL_E_INVALID, "'state' is neither finished nor refused");
}
