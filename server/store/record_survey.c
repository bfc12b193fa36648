/* A survey comes in: what is there is there; what is missing is gone only where
 * the survey is trusted and covered its kind completely. */
#include "server/store/incident.h"
#include "server/store/record.h"

/* How many surveys of a host are remembered besides those that are evidence. */
enum { SURVEYS_KEPT = 100 };

/* Footholds of a host that its newest survey did not show: how many are
 * remembered, and how large they may be together. */
enum { OLD_FOOTHOLDS_KEPT = 2000, OLD_FOOTHOLDS_KEPT_BYTES = 16 * 1024 * 1024 };

/* ---- footholds ---- */

/* A foothold that was gone and is here again counts as new. */
static const char UPSERT_FOOTHOLD[] =
	"INSERT INTO foothold (agent_id, key, organization_id, kind, digest, facts, first_seq, "
	"first_time, changed_seq, last_seq, last_time) VALUES (:agent, :key, :organization, :kind, "
	":digest, :facts, :seq, :time, :seq, :seq, :time) "
	"ON CONFLICT (agent_id, key) DO UPDATE SET digest = excluded.digest, "
	"facts = excluded.facts, last_seq = excluded.last_seq, last_time = excluded.last_time, "
	"first_seq = CASE WHEN foothold.gone_seq IS NULL THEN foothold.first_seq "
	"ELSE excluded.first_seq END, "
	"changed_seq = CASE WHEN foothold.digest = excluded.digest THEN foothold.changed_seq "
	"ELSE excluded.changed_seq END, gone_seq = NULL, gone_time = NULL";

static int keep_footholds(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
			  const struct dl_survey *survey, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, UPSERT_FOOTHOLD);
	for (size_t i = 0; i < survey->foothold_count; i++) {
		const struct dl_foothold *foothold = survey->footholds[i];
		dl_autojson *facts = dl_foothold_to_json(foothold);
		dl_autofree char *text = dl_json_text(facts);
		dl_query_int(query, "agent", agent->id);
		dl_query_text(query, "key", foothold->key);
		dl_query_int(query, "organization", agent->organization);
		dl_query_text(query, "kind", dl_kind_info(foothold->kind)->name);
		dl_query_text(query, "digest", foothold->digest);
		dl_query_text(query, "facts", text);
		dl_query_int(query, "seq", seq);
		dl_query_int(query, "time", survey->finished);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int mark_gone(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
		     const struct dl_survey *survey, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE foothold SET gone_seq = :seq, gone_time = :time WHERE agent_id = :agent "
		"AND kind = :kind AND gone_seq IS NULL AND last_seq < :seq");
	for (int kind = 0; survey->trusted && kind < DL_KIND_COUNT; kind++) {
		if (survey->coverage[kind] != DL_COVERAGE_COMPLETE)
			continue;
		dl_query_int(query, "seq", seq);
		dl_query_int(query, "time", survey->finished);
		dl_query_int(query, "agent", agent->id);
		dl_query_text(query, "kind", dl_kind_info((enum dl_kind)kind)->name);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the survey itself ---- */

static int keep_survey(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
		       const struct dl_survey *survey, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO survey (agent_id, seq, finished, received, trusted, "
		"untrusted_because, omitted) VALUES (:agent, :seq, :finished, :now, :trusted, "
		":because, :omitted)");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "seq", seq);
	dl_query_int(query, "finished", survey->finished);
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "trusted", survey->trusted);
	dl_query_text(query, "because", survey->untrusted_because ? survey->untrusted_because : "");
	dl_query_int(query, "omitted", survey->omitted);
	return dl_query_run(query, err);
}

static int keep_coverage(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
			 const struct dl_survey *survey, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO survey_coverage (agent_id, seq, kind, state, why) "
		"VALUES (:agent, :seq, :kind, :state, :why)");
	for (int kind = 0; kind < DL_KIND_COUNT; kind++) {
		const char *why = survey->coverage_why[kind];
		dl_query_int(query, "agent", agent->id);
		dl_query_int(query, "seq", seq);
		dl_query_text(query, "kind", dl_kind_info((enum dl_kind)kind)->name);
		dl_query_text(query, "state", dl_coverage_name(survey->coverage[kind]));
		dl_query_text(query, "why", why ? why : "");
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Counted once here: a list of hosts need not look at their footholds. */
static int count_changes(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
			 struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE survey SET "
		"count_present = (SELECT COUNT(*) FROM foothold f WHERE f.agent_id = :agent "
		" AND f.gone_seq IS NULL), "
		"count_new = (SELECT COUNT(*) FROM foothold f WHERE f.agent_id = :agent "
		" AND f.first_seq = :seq), "
		"count_changed = (SELECT COUNT(*) FROM foothold f WHERE f.agent_id = :agent "
		" AND f.changed_seq = :seq AND f.first_seq < :seq), "
		"count_gone = (SELECT COUNT(*) FROM foothold f WHERE f.agent_id = :agent "
		" AND f.gone_seq = :seq) "
		"WHERE agent_id = :agent AND seq = :seq");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "seq", seq);
	return dl_query_run(query, err);
}

static int keep_host_facts(struct dl_tx *tx, const struct dl_agent *agent,
			   const struct dl_survey *survey, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent SET hostname = COALESCE(:hostname, hostname), "
		"os = COALESCE(:os, os), kernel = COALESCE(:kernel, kernel), "
		"architecture = COALESCE(:architecture, architecture), "
		"survey_requested = CASE WHEN survey_delivered IS NULL THEN survey_requested END "
		"WHERE id = :agent");
	dl_query_text(query, "hostname", survey->host.hostname);
	dl_query_text(query, "os", survey->host.os);
	dl_query_text(query, "kernel", survey->host.kernel);
	dl_query_text(query, "architecture", survey->host.architecture);
	dl_query_int(query, "agent", agent->id);
	return dl_query_run(query, err);
}

/* Retention: only the newest survey and those that are some revision's evidence
 * keep their bytes; the hash of every record stays. */
static int drop_older_bytes(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
			    struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent_record SET body = NULL WHERE agent_id = :agent AND type = 'survey' "
		"AND seq < :seq AND body IS NOT NULL AND seq NOT IN (SELECT r.evidence_seq "
		"FROM revision r JOIN incident i ON i.id = r.incident_id WHERE i.agent_id = :agent)");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "seq", seq);
	return dl_query_run(query, err);
}

#define OLD_SURVEYS                                                                                \
	"WHERE agent_id = :agent AND seq < (SELECT MIN(seq) FROM (SELECT seq FROM survey "          \
	"WHERE agent_id = :agent ORDER BY seq DESC LIMIT :kept) AS newest) "                       \
	"AND seq NOT IN (SELECT r.evidence_seq FROM revision r JOIN incident i "                   \
	"ON i.id = r.incident_id WHERE i.agent_id = :agent)"

/* Retention of what surveys said about themselves; the footholds remember when
 * they were seen by themselves. */
static int drop_old_surveys(struct dl_tx *tx, const struct dl_agent *agent, struct dl_error *err)
{
	static const char *const statements[] = { "DELETE FROM survey_coverage " OLD_SURVEYS,
						  "DELETE FROM survey " OLD_SURVEYS };
	for (size_t i = 0; i < DL_COUNT(statements); i++) {
		dl_auto(dl_query) query = dl_query_new(tx->db, statements[i]);
		dl_query_int(query, "agent", agent->id);
		dl_query_int(query, "kept", SURVEYS_KEPT);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether known to be gone or out of sight of a partial survey: a host that
 * names other footholds each time must not fill the disk. Those that a revision
 * is about stay. */
static int drop_old_footholds(struct dl_tx *tx, const struct dl_agent *agent, int64_t seq,
			      struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"DELETE FROM foothold WHERE id IN (SELECT id FROM (SELECT id, "
		"ROW_NUMBER() OVER newest AS place, SUM(LENGTH(facts)) OVER newest AS bytes "
		"FROM foothold WHERE agent_id = :agent AND last_seq < :seq AND key NOT IN "
		"(SELECT t.key FROM revision_foothold t JOIN revision r ON r.id = t.revision_id "
		"JOIN incident i ON i.id = r.incident_id WHERE i.agent_id = :agent) "
		"WINDOW newest AS (ORDER BY last_seq DESC, id DESC)) AS old "
		"WHERE place > :kept OR bytes > :kept_bytes)");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "seq", seq);
	dl_query_int(query, "kept", OLD_FOOTHOLDS_KEPT);
	dl_query_int(query, "kept_bytes", OLD_FOOTHOLDS_KEPT_BYTES);
	return dl_query_run(query, err);
}

static int settle_host(struct dl_tx *tx, const struct dl_agent *agent, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT id FROM incident WHERE agent_id = :agent "
		"AND state IN ('open', 'resolved') ORDER BY id");
	dl_query_int(query, "agent", agent->id);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		r = dl_incident_settle(tx, dl_row_int(query, "id"), err);
		if (r < 0)
			return r;
	}
	return r;
}

int dl_record_survey(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err)
{
	const struct dl_survey *survey = record->survey;
	if (!survey)
		return dl_error_set(err, record->problem.code, "%s", record->problem.text);
	int r = keep_survey(tx, agent, record->seq, survey, err);
	if (r == 0)
		r = keep_coverage(tx, agent, record->seq, survey, err);
	if (r == 0)
		r = keep_footholds(tx, agent, record->seq, survey, err);
	if (r == 0)
		r = mark_gone(tx, agent, record->seq, survey, err);
	if (r == 0)
		r = count_changes(tx, agent, record->seq, err);
	if (r == 0)
		r = keep_host_facts(tx, agent, survey, err);
	if (r == 0)
		r = drop_older_bytes(tx, agent, record->seq, err);
	if (r == 0)
		r = drop_old_surveys(tx, agent, err);
	if (r == 0)
		r = drop_old_footholds(tx, agent, record->seq, err);
	return r < 0 ? r : settle_host(tx, agent, err);
}
