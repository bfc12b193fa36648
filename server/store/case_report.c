/* Reports: from an analyst's choice to a revision that is sent. */
#include "server/incident/transition.h"
#include "server/store/agent.h"
#include "server/store/incident.h"
#include "server/store/view.h"

#include <string.h>

enum { RECORD_MAX_BYTES = 8 * 1024 * 1024 };

/* ---- the newest survey of a host ---- */

static int load_survey(struct dl_tx *tx, int64_t host, struct dl_survey **ret_survey,
		       int64_t *ret_seq, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT r.seq, r.body FROM survey s JOIN agent_record r "
		"ON r.agent_id = s.agent_id AND r.seq = s.seq "
		"WHERE s.agent_id = :host ORDER BY s.seq DESC LIMIT 1");
	dl_query_int(query, "host", host);
	dl_autojson *record = NULL;
	int r = dl_query_step(query, err);
	if (r < 0)
		return r;
	if (r == 0)
		return dl_error_set(err, DL_E_STATE, "this host has not sent a survey yet");
	const char *body = dl_row_text(query, "body");
	r = dl_json_parse(body, strlen(body), RECORD_MAX_BYTES, &record, err);
	if (r == 0)
		r = dl_survey_from_json(json_object_get(record, "content"), ret_survey, err);
	if (r == 0)
		*ret_seq = dl_row_int(query, "seq");
	return r;
}

/* ---- the report as asked for ---- */

struct draft {
	struct dl_report report; /* borrowed from the arguments */
	const json_t *edit;
	struct dl_survey *survey;
	struct dl_plan *plan;
	int64_t evidence_seq;
};

static void draft_clear(struct draft *draft)
{
	dl_survey_free(draft->survey);
	dl_plan_free(draft->plan);
}

static int read_report(const json_t *args, struct draft *draft, struct dl_error *err)
{
	json_t *edit = NULL;
	int r = dl_arg_text(args, "subject", DL_STORE_SUBJECT_MAX_BYTES, &draft->report.subject, err);
	if (r == 0)
		r = dl_arg_text(args, "severity", 16, &draft->report.severity, err);
	if (r == 0)
		r = dl_arg_text(args, "summary", DL_STORE_TEXT_MAX_BYTES, &draft->report.summary, err);
	if (r == 0)
		r = dl_arg_text(args, "recommendations", DL_STORE_TEXT_MAX_BYTES,
				&draft->report.recommendations, err);
	if (r == 0)
		r = dl_json_object(args, "edit", &edit, err);
	draft->edit = edit;
	return r;
}

static int propose(struct dl_tx *tx, int64_t host, const json_t *args, struct draft *draft,
		   struct dl_error *err)
{
	int r = read_report(args, draft, err);
	if (r == 0)
		r = load_survey(tx, host, &draft->survey, &draft->evidence_seq, err);
	if (r < 0)
		return r;
	return dl_report_propose(draft->survey, draft->edit, &draft->plan, err);
}

static int require_host(struct dl_tx *tx, int64_t host, int64_t *ret_organization,
			struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	int r = dl_agent_load(tx, host, &agent, err);
	if (r == 0)
		r = dl_tx_require(tx, agent.organization, DL_ROLE_ANALYST, "host", err);
	if (r == 0)
		*ret_organization = agent.organization;
	return r;
}

static int preview(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct draft draft __attribute__((cleanup(draft_clear))) = { 0 };
	int64_t host = dl_arg_id(args, "host"), organization = 0;
	int r = require_host(tx, host, &organization, err);
	if (r == 0)
		r = propose(tx, host, args, &draft, err);
	return r < 0 ? r : dl_view_plan(tx, host, draft.plan, ret_view, err);
}

/* ---- writing the draft revision ---- */

static int insert_revision(struct dl_tx *tx, const struct draft *draft, int64_t incident,
			   int64_t no, int64_t *ret_id, struct dl_error *err)
{
	dl_autofree char *body = NULL, *author = NULL;
	dl_autofree char *edit = dl_json_text(draft->edit);
	char digest[DL_SHA256_TEXT_SIZE];
	int r = dl_report_to_body(&draft->report, incident, no, draft->plan, &body, digest, err);
	if (r == 0)
		r = dl_tx_actor_name(tx, &author, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO revision (incident_id, no, state, digest, body, edit, evidence_seq, "
		"author_id, author_name, created) VALUES (:incident, :no, 'draft', :digest, :body, "
		":edit, :evidence, :author_id, :author, :now) RETURNING id");
	dl_query_int(query, "incident", incident);
	dl_query_int(query, "no", no);
	dl_query_text(query, "digest", digest);
	dl_query_text(query, "body", body);
	dl_query_text(query, "edit", edit);
	dl_query_int(query, "evidence", draft->evidence_seq);
	dl_query_id(query, "author_id", tx->actor_id);
	dl_query_text(query, "author", author);
	dl_query_int(query, "now", tx->now);
	r = dl_query_one(query, "revision", err);
	if (r == 0)
		*ret_id = dl_row_int(query, "id");
	return r;
}

static int insert_steps(struct dl_tx *tx, int64_t revision, const struct dl_plan *plan,
			struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO step (revision_id, no, verb, key) VALUES (:revision, :no, :verb, :key)");
	for (size_t i = 0; i < plan->step_count; i++) {
		dl_query_int(query, "revision", revision);
		dl_query_int(query, "no", plan->steps[i].id);
		dl_query_text(query, "verb", dl_verb_name(plan->steps[i].verb));
		dl_query_text(query, "key", plan->steps[i].key);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The report's triggers: what the proof will ask for. */
static int insert_trigger(struct dl_tx *tx, int64_t incident, int64_t revision, const char *key,
			  const char *kind, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO revision_foothold (revision_id, key, kind) "
		"VALUES (:revision, :key, :kind) ON CONFLICT DO NOTHING");
	dl_query_int(query, "revision", revision);
	dl_query_text(query, "key", key);
	dl_query_text(query, "kind", kind);
	int r = dl_query_run(query, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) known = dl_query_new(tx->db,
		"INSERT INTO incident_foothold (incident_id, key, disposition) "
		"VALUES (:incident, :key, 'open') ON CONFLICT DO NOTHING");
	dl_query_int(known, "incident", incident);
	dl_query_text(known, "key", key);
	return dl_query_run(known, err);
}

static int insert_triggers(struct dl_tx *tx, int64_t incident, int64_t revision,
			   const struct draft *draft, struct dl_error *err)
{
	size_t i;
	json_t *key;
	json_array_foreach(json_object_get(draft->edit, "keys"), i, key) {
		for (size_t f = 0; f < draft->survey->foothold_count; f++) {
			const struct dl_foothold *foothold = draft->survey->footholds[f];
			if (strcmp(foothold->key, json_string_value(key)) != 0)
				continue;
			int r = insert_trigger(tx, incident, revision, foothold->key,
					       dl_kind_info(foothold->kind)->name, err);
			if (r < 0)
				return r;
			break;
		}
	}
	return 0;
}

static int delete_from_draft(struct dl_tx *tx, int64_t revision, const char *sql,
			     struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, sql);
	dl_query_int(query, "revision", revision);
	return dl_query_run(query, err);
}

/* A draft is nobody's evidence yet: it is replaced, not kept. */
static int delete_draft(struct dl_tx *tx, int64_t incident, int64_t no, struct dl_error *err)
{
	struct dl_revision_row old __attribute__((cleanup(dl_revision_clear))) = { 0 };
	int r = dl_revision_load(tx, incident, no, &old, err);
	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r == 0 && strcmp(old.state, "draft") != 0)
		return dl_error_set(err, DL_E_STATE, "the revision was sent already");
	if (r == 0)
		r = delete_from_draft(tx, old.id, "DELETE FROM step WHERE revision_id = :revision",
				      err);
	if (r == 0)
		r = delete_from_draft(tx, old.id,
				      "DELETE FROM revision_foothold WHERE revision_id = :revision",
				      err);
	if (r == 0)
		r = delete_from_draft(tx, old.id, "DELETE FROM revision WHERE id = :revision", err);
	return r;
}

static int note_draft(struct dl_tx *tx, int64_t incident, int64_t no, const struct draft *draft,
		      struct dl_error *err)
{
	/* What people are shown changes when the draft is sent, not before. */
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident SET draft_no = :no, "
		"subject = CASE WHEN current_no = 0 THEN :subject ELSE subject END, "
		"severity = CASE WHEN current_no = 0 THEN :severity ELSE severity END "
		"WHERE id = :incident");
	dl_query_int(query, "no", no);
	dl_query_text(query, "subject", draft->report.subject);
	dl_query_text(query, "severity", draft->report.severity);
	dl_query_int(query, "incident", incident);
	return dl_query_run(query, err);
}

static int write_draft(struct dl_tx *tx, int64_t incident, int64_t no, const struct draft *draft,
		       struct dl_error *err)
{
	int64_t revision = 0;
	int r = dl_report_check(&draft->report, err);
	if (r == 0)
		r = delete_draft(tx, incident, no, err);
	if (r == 0)
		r = insert_revision(tx, draft, incident, no, &revision, err);
	if (r == 0)
		r = insert_steps(tx, revision, draft->plan, err);
	if (r == 0)
		r = insert_triggers(tx, incident, revision, draft, err);
	if (r == 0)
		r = note_draft(tx, incident, no, draft, err);
	return r < 0 ? r : dl_incident_settle(tx, incident, err);
}

/* ---- creating and saving ---- */

static int insert_incident(struct dl_tx *tx, int64_t host, int64_t organization,
			   const struct draft *draft, int64_t *ret_id, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO incident (organization_id, agent_id, state, subject, severity, created) "
		"VALUES (:organization, :host, 'draft', :subject, :severity, :now) RETURNING id");
	dl_query_int(query, "organization", organization);
	dl_query_int(query, "host", host);
	dl_query_text(query, "subject", draft->report.subject);
	dl_query_text(query, "severity", draft->report.severity);
	dl_query_int(query, "now", tx->now);
	int r = dl_query_one(query, "incident", err);
	if (r == 0)
		*ret_id = dl_row_int(query, "id");
	return r;
}

static int create(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct draft draft __attribute__((cleanup(draft_clear))) = { 0 };
	struct dl_incident_row incident;
	int64_t host = dl_arg_id(args, "host"), organization = 0, id = 0;
	int r = require_host(tx, host, &organization, err);
	if (r == 0)
		r = propose(tx, host, args, &draft, err);
	if (r == 0)
		r = dl_report_check(&draft.report, err);
	if (r == 0)
		r = insert_incident(tx, host, organization, &draft, &id, err);
	if (r == 0)
		r = write_draft(tx, id, 1, &draft, err);
	if (r == 0)
		r = dl_incident_load(tx, id, DL_ROLE_ANALYST, &incident, err);
	if (r == 0)
		r = dl_audit_incident(tx, "incident.created", &incident, 1,
				      json_pack("{s:I,s:s}", "host", (json_int_t)host, "subject",
						draft.report.subject), err);
	return r < 0 ? r : dl_view_incident(tx, id, 0, ret_view, err);
}

static int save(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct draft draft __attribute__((cleanup(draft_clear))) = { 0 };
	struct dl_incident_row incident;
	int64_t id = dl_arg_id(args, "incident");
	int r = dl_incident_load(tx, id, DL_ROLE_ANALYST, &incident, err);
	if (r == 0 && strcmp(incident.state, "draft") != 0 && strcmp(incident.state, "open") != 0)
		return dl_error_set(err, DL_E_STATE, "the incident is %s", incident.state);
	if (r == 0)
		r = propose(tx, incident.agent, args, &draft, err);
	if (r < 0)
		return r;
	int64_t no = incident.draft_no ? incident.draft_no : incident.current_no + 1;
	r = write_draft(tx, id, no, &draft, err);
	return r < 0 ? r : dl_view_incident(tx, id, no, ret_view, err);
}

/* ---- sending ---- */

static int refuse_in_flight(struct dl_tx *tx, int64_t incident, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT plan_id FROM plan_order WHERE incident_id = :incident "
		"AND state IN ('queued', 'claimed') LIMIT 1");
	dl_query_int(query, "incident", incident);
	int r = dl_query_step(query, err);
	if (r > 0)
		return dl_error_set(err, DL_E_STATE, "work of this incident is under way on the host: "
						     "cancel it or wait for it");
	return r;
}

static int supersede(struct dl_tx *tx, struct dl_incident_row *incident, struct dl_error *err)
{
	struct dl_revision_row old __attribute__((cleanup(dl_revision_clear))) = { 0 };
	if (!incident->current_no)
		return 0;
	int r = dl_revision_load(tx, incident->id, incident->current_no, &old, err);
	if (r == 0)
		r = dl_revision_set_state(tx, &old, "superseded", err);
	if (r == 0)
		r = dl_audit_incident(tx, "revision.superseded", incident, old.no, NULL, err);
	return r;
}

static int note_sent(struct dl_tx *tx, const struct dl_incident_row *incident,
		     const struct dl_revision_row *draft, struct dl_error *err)
{
	dl_autojson *report = NULL;
	int r = dl_json_parse(draft->body, strlen(draft->body), RECORD_MAX_BYTES, &report, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) revision = dl_query_new(tx->db,
		"UPDATE revision SET sent = :now WHERE id = :id");
	dl_query_int(revision, "now", tx->now);
	dl_query_int(revision, "id", draft->id);
	r = dl_query_run(revision, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident SET current_no = :no, draft_no = 0, sent = :now, decided = NULL, "
		"subject = :subject, severity = :severity WHERE id = :incident");
	dl_query_int(query, "no", draft->no);
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "subject", json_string_value(json_object_get(report, "subject")));
	dl_query_text(query, "severity", json_string_value(json_object_get(report, "severity")));
	dl_query_int(query, "incident", incident->id);
	return dl_query_run(query, err);
}

static int send_draft(struct dl_tx *tx, struct dl_incident_row *incident, const char *digest,
		      struct dl_error *err)
{
	struct dl_revision_row draft __attribute__((cleanup(dl_revision_clear))) = { 0 };
	int r = dl_revision_load(tx, incident->id, incident->draft_no, &draft, err);
	if (r < 0)
		return r;
	if (strcmp(draft.digest, digest) != 0)
		return dl_error_set(err, DL_E_STALE, "the draft changed since you read it");
	r = supersede(tx, incident, err);
	if (r == 0)
		r = dl_revision_set_state(tx, &draft, "sent", err);
	if (r == 0)
		r = note_sent(tx, incident, &draft, err);
	if (r < 0)
		return r;
	incident->current_no = draft.no;
	r = strcmp(incident->state, "draft") == 0
		? dl_incident_set_state(tx, incident, "open", "revision.sent",
					json_pack("{s:s}", "digest", digest), err)
		: dl_audit_incident(tx, "revision.sent", incident, draft.no,
				    json_pack("{s:s}", "digest", digest), err);
	return r < 0 ? r : dl_incident_settle(tx, incident->id, err);
}

static int send_report(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		       struct dl_error *err)
{
	struct dl_incident_row incident;
	const char *digest = NULL;
	int r = dl_incident_load(tx, dl_arg_id(args, "incident"), DL_ROLE_ANALYST, &incident, err);
	if (r == 0)
		r = dl_json_hex(args, "digest", DL_SHA256_SIZE, &digest, err);
	if (r < 0)
		return r;
	if (!incident.draft_no)
		return dl_error_set(err, DL_E_STATE, "there is no draft to send");
	if (strcmp(incident.state, "draft") != 0 && strcmp(incident.state, "open") != 0)
		return dl_error_set(err, DL_E_STATE, "the incident is %s", incident.state);
	r = refuse_in_flight(tx, incident.id, err);
	if (r == 0)
		r = send_draft(tx, &incident, digest, err);
	return r < 0 ? r : dl_view_incident(tx, incident.id, 0, ret_view, err);
}

/* ---- the face ---- */

static const struct dl_case case_preview = { "report preview", .run = preview };
static const struct dl_case case_create = { "incident create", .writes = true,
					    .shows_hosts = true, .run = create };
static const struct dl_case case_save = { "draft save", .writes = true, .shows_hosts = true,
					  .run = save };
static const struct dl_case case_send = { "report send", .writes = true, .shows_hosts = true,
					  .run = send_report };

static json_t *report_args(const char *about, int64_t id, const struct dl_report_request *request)
{
	return json_pack("{s:I,s:s?,s:s?,s:s?,s:s?,s:o?}", about, (json_int_t)id, "subject",
			 request->subject, "severity", request->severity, "summary",
			 request->summary, "recommendations", request->recommendations, "edit",
			 json_deep_copy(request->edit));
}

void dl_store_report_preview(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     const struct dl_report_request *request, dl_store_done done,
			     void *arg)
{
	dl_store_call(store, &case_preview, actor, report_args("host", host, request), done, arg);
}

void dl_store_incident_create(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			      const struct dl_report_request *request, dl_store_done done,
			      void *arg)
{
	dl_store_call(store, &case_create, actor, report_args("host", host, request), done, arg);
}

void dl_store_draft_save(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			 const struct dl_report_request *request, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_save, actor, report_args("incident", incident, request), done,
		      arg);
}

void dl_store_report_send(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			  const char *digest, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_send, actor,
		      json_pack("{s:I,s:s?}", "incident", (json_int_t)incident, "digest", digest),
		      done, arg);
}
