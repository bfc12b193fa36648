/* Records: what a host reports, by number, each taken in exactly once. */
#include "server/store/intake.h"
#include "server/store/record.h"

#include "core/wire/envelope.h"

#include <string.h>

enum { RECORD_MAX_BYTES = 8 * 1024 * 1024 };

static int read_record(const json_t *envelope, const struct dl_agent *agent,
		       struct dl_record *record, struct dl_error *err)
{
	static const char *const members[] = { "version", "agent_id", "seq", "time", "type",
					       "content", NULL };
	int64_t number = 0;
	int r = dl_envelope_verify(envelope, DL_TYPE_RECORD, agent->public_key, RECORD_MAX_BYTES,
				   &record->body, err);
	if (r == 0)
		r = dl_json_parse(record->body, strlen(record->body), RECORD_MAX_BYTES,
				  &record->fields, err);
	if (r == 0)
		r = dl_json_only(record->fields, members, err);
	if (r == 0)
		r = dl_json_int(record->fields, "version", 1, 1, &number, err);
	if (r == 0)
		r = dl_json_int(record->fields, "agent_id", agent->id, agent->id, &number, err);
	if (r == 0)
		r = dl_json_int(record->fields, "seq", 1, INT64_MAX, &record->seq, err);
	if (r == 0)
		r = dl_json_int(record->fields, "time", 0, INT64_MAX, &record->time, err);
	if (r == 0)
		r = dl_json_str(record->fields, "type", 32, &record->type, err);
	if (r == 0)
		r = dl_json_object(record->fields, "content", &record->content, err);
	return r;
}

/* ---- the check: all that needs no writer ---- */

struct batch {
	size_t count;
	struct dl_record records[DL_STORE_RECORDS_MAX];
};

static void batch_free(void *checked)
{
	struct batch *batch = checked;
	for (size_t i = 0; i < batch->count; i++) {
		json_decref(batch->records[i].fields);
		dl_survey_free(batch->records[i].survey);
	}
	free(batch);
}

static void batch_clear(struct batch **batch)
{
	if (*batch)
		batch_free(*batch);
}

static int check_record(const json_t *envelope, const struct dl_agent *agent,
			struct dl_record *record, struct dl_error *err)
{
	int r = read_record(envelope, agent, record, err);
	if (r < 0)
		return r;
	dl_sha256_text(record->body, strlen(record->body), record->sha256);
	if (strcmp(record->type, "survey") == 0)
		dl_survey_from_json(record->content, &record->survey, &record->problem);
	return 0;
}

/* An agent's key never changes, so that a signature that holds now holds later. */
static int check_records(struct dl_tx *tx, const json_t *args, void **ret_checked,
			 struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	struct batch *batch __attribute__((cleanup(batch_clear))) = NULL;
	if (!json_is_array(args))
		return dl_error_set(err, DL_E_INVALID, "the records are not a list");
	if (json_array_size(args) > DL_STORE_RECORDS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "more than %d records in one request",
				    DL_STORE_RECORDS_MAX);
	int r = dl_agent_load_actor(tx, &agent, err);
	batch = DL_NEW(struct batch);
	while (r == 0 && batch->count < json_array_size(args)) {
		size_t i = batch->count++;
		r = check_record(json_array_get(args, i), &agent, &batch->records[i], err);
	}
	if (r < 0)
		return r;
	*ret_checked = DL_TAKE(batch);
	return 0;
}

/* ---- repetition and fork ---- */

static int mark_forked(struct dl_tx *tx, struct dl_agent *agent, struct dl_error *err)
{
	if (agent->forked)
		return 0;
	agent->forked = true;
	dl_auto(dl_query) query = dl_query_new(tx->db, "UPDATE agent SET forked = 1 WHERE id = :id");
	dl_query_int(query, "id", agent->id);
	int r = dl_query_run(query, err);
	return r < 0 ? r : dl_audit_agent(tx, "agent.forked", agent->organization, agent->id, err);
}

/* A number that is not above the last: a repetition, or proof of two lives. */
static int check_repetition(struct dl_tx *tx, struct dl_agent *agent,
			    const struct dl_record *record, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT sha256 FROM agent_record WHERE agent_id = :agent AND seq = :seq");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "seq", record->seq);
	int r = dl_query_step(query, err);
	if (r < 0)
		return r;
	if (r && strcmp(dl_row_text(query, "sha256"), record->sha256) == 0)
		return 0;
	return mark_forked(tx, agent, err);
}

/* ---- keeping ---- */

/* The hash of every record stays, to tell a repetition from a fork; the bytes
 * only of one that had its effect. */
static int keep_record(struct dl_tx *tx, struct dl_agent *agent, const struct dl_record *record,
		       const char *problem, struct dl_error *err)
{
	dl_auto(dl_query) insert = dl_query_new(tx->db,
		"INSERT INTO agent_record (agent_id, seq, type, sha256, received, problem, body) "
		"VALUES (:agent, :seq, :type, :sha256, :now, :problem, :body)");
	dl_query_int(insert, "agent", agent->id);
	dl_query_int(insert, "seq", record->seq);
	dl_query_text(insert, "type", record->type);
	dl_query_text(insert, "sha256", record->sha256);
	dl_query_int(insert, "now", tx->now);
	dl_query_text(insert, "problem", problem);
	dl_query_text(insert, "body", problem[0] ? NULL : record->body);
	int r = dl_query_run(insert, err);
	if (r < 0)
		return r;
	agent->last_seq = record->seq;
	dl_auto(dl_query) update = dl_query_new(tx->db,
		"UPDATE agent SET last_seq = :seq, last_contact = :now WHERE id = :agent");
	dl_query_int(update, "seq", record->seq);
	dl_query_int(update, "now", tx->now);
	dl_query_int(update, "agent", agent->id);
	return dl_query_run(update, err);
}

static int dispatch(struct dl_tx *tx, const struct dl_agent *agent, const struct dl_record *record,
		    struct dl_error *err)
{
	if (strcmp(record->type, "survey") == 0)
		return dl_record_survey(tx, agent, record, err);
	if (strcmp(record->type, "result") == 0)
		return dl_record_result(tx, agent, record, err);
	if (strcmp(record->type, "local") == 0)
		return dl_record_local(tx, agent, record, err);
	return dl_error_set(err, DL_E_INVALID, "a record of unknown type");
}

static int audit_problem(struct dl_tx *tx, const struct dl_agent *agent,
			 const struct dl_record *record, const char *problem, struct dl_error *err)
{
	return dl_audit_write(tx, &(struct dl_audit_event){
		.action = "record.refused", .organization = agent->organization,
		.object = record->type,
		.detail = json_pack("{s:I,s:s}", "seq", (json_int_t)record->seq, "problem",
				    problem) }, err);
}

/* A record that breaks its rules has no effect but to be known: its own
 * savepoint undoes the part that was taken in before the rule broke. Trouble
 * of the database is not the record's fault and undoes the request. */
static int take_effect(struct dl_tx *tx, const struct dl_agent *agent,
		       const struct dl_record *record, struct dl_error *ret_problem,
		       struct dl_error *err)
{
	int r = dl_db_exec(tx->db, "SAVEPOINT record", err);
	if (r < 0)
		return r;
	int effect = dispatch(tx, agent, record, ret_problem);
	if (effect == DL_E_IO || effect == DL_E_NO_SPACE || effect == DL_E_BUSY)
		return dl_error_set(err, effect, "%s", ret_problem->text);
	if (effect < 0) {
		r = dl_db_exec(tx->db, "ROLLBACK TO record", err);
		if (r < 0)
			return r;
	}
	return dl_db_exec(tx->db, "RELEASE record", err);
}

/* What root did alone is told in the audit at length, and that stays for ever too. */
static int64_t weight(const struct dl_record *record, const struct dl_error *problem)
{
	int64_t bytes = (int64_t)strlen(record->body);
	if (problem->code != 0)
		return DL_INTAKE_EVENT_BYTES;
	if (strcmp(record->type, "local") == 0)
		return DL_INTAKE_EVENT_BYTES + 8 * bytes;
	return bytes < DL_INTAKE_RECORD_BYTES ? DL_INTAKE_RECORD_BYTES : bytes;
}

static int take_new_record(struct dl_tx *tx, struct dl_agent *agent,
			   const struct dl_record *record, struct dl_error *err)
{
	struct dl_error problem = { 0 };
	int r = take_effect(tx, agent, record, &problem, err);
	if (r == 0)
		r = keep_record(tx, agent, record, problem.text, err);
	if (r == 0)
		r = dl_intake_add(tx, agent, weight(record, &problem), err);
	if (r < 0 || problem.code == 0)
		return r;
	return audit_problem(tx, agent, record, problem.text, err);
}

/* 1: taken or known; 0: the agent has to come again with it. */
static int take_record(struct dl_tx *tx, struct dl_agent *agent, const struct dl_record *record,
		       struct dl_error *err)
{
	int r;
	if (record->seq <= agent->last_seq)
		r = check_repetition(tx, agent, record, err);
	else if (dl_intake_spent(tx, agent))
		return 0;
	else
		r = take_new_record(tx, agent, record, err);
	return r < 0 ? r : 1;
}

static int take_records(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	const struct batch *batch = tx->checked;
	size_t taken = 0;
	(void)args;
	int r = dl_agent_load_actor(tx, &agent, err);
	while (r >= 0 && taken < batch->count) {
		r = take_record(tx, &agent, &batch->records[taken], err);
		if (r == 0)
			break;
		taken++;
	}
	if (r < 0)
		return r;
	if (!taken && batch->count)
		return dl_error_set(err, DL_E_BUSY, "this agent sent as much as it may in an hour");
	*ret_view = json_pack("{s:I}", "acked_through", (json_int_t)agent.last_seq);
	return 0;
}

static const struct dl_case case_records = { "records", .writes = true, .check = check_records,
					     .run = take_records, .forget = batch_free };

void dl_store_records(struct dl_store *store, const struct dl_actor *actor, const json_t *records,
		      dl_store_done done, void *arg)
{
	dl_store_call(store, &case_records, actor, json_incref((json_t *)records), done, arg);
}
