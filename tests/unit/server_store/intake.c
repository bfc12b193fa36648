/* A hostile agent and the disk: what it sends stays within bounds. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "server/store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { REFUSED_PER_HOUR = 64, OLD_FOOTHOLDS_KEPT = 2000, MANY = 1100 };

static int64_t number(struct bench *bench, const char *sql)
{
	dl_auto(dl_db) db = NULL;
	assert_int_equal(dl_db_open(bench->path, false, &db, NULL), 0);
	dl_auto(dl_query) query = dl_query_new(db, sql);
	assert_int_equal(dl_query_one(query, "number", NULL), 0);
	return dl_row_int(query, "n");
}

static void an_hour_passes(struct bench *bench)
{
	dl_auto(dl_db) db = NULL;
	assert_int_equal(dl_db_open(bench->path, true, &db, NULL), 0);
	assert_int_equal(dl_db_exec(db, "UPDATE agent SET intake_since = intake_since - 3600000",
				    NULL), 0);
}

static void send_refused(struct bench *bench, int count)
{
	dl_autojson *records = json_array();
	for (int i = 0; i < count; i++)
		json_array_append_new(records, host_record(&bench->host, "poem", json_object()));
	dl_autojson *view = ASK(dl_store_records, bench->store, &bench->host.actor, records);
	assert_int_equal(int_of(view, "acked_through"), bench->host.seq);
}

/* `count` timers whose names begin with `prefix`; nothing is ever called gone. */
static void send_many(struct bench *bench, const char *prefix, int count)
{
	dl_auto(dl_survey) survey = host_survey("");
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		dl_survey_cover(survey, (enum dl_kind)kind, DL_COVERAGE_PARTIAL, "no time");
	for (int i = 0; i < count; i++) {
		struct dl_foothold *foothold = dl_foothold_new(DL_KIND_SYSTEMD_TIMER);
		char path[128];
		snprintf(path, sizeof(path), "/etc/systemd/system/%s%d.timer", prefix, i);
		foothold->scope = dl_strdup("system");
		foothold->location = dl_strdup(path);
		foothold->name = dl_strdup(strrchr(path, '/') + 1);
		dl_foothold_seal(foothold);
		dl_survey_add(survey, foothold);
	}
	assert_int_equal(survey->foothold_count, count);
	host_send(bench, &bench->host,
		  host_record(&bench->host, "survey", dl_survey_to_json(survey)));
}

/* ---- records ---- */

static void of_a_refused_record_only_the_hash_is_kept(void **state)
{
	struct bench *bench = *state;
	host_send(bench, &bench->host, host_record(&bench->host, "poem", json_object()));
	host_send(bench, &bench->host,
		  host_record(&bench->host, "survey", json_pack("{s:i}", "a", 1)));
	host_send_survey(bench, &bench->host, "timer");
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM agent_record "
				       "WHERE LENGTH(sha256) = 64"), 3);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM agent_record "
				       "WHERE body IS NOT NULL"), 1);
}

static void who_used_up_the_hour_comes_again_in_the_next(void **state)
{
	struct bench *bench = *state;
	send_refused(bench, REFUSED_PER_HOUR);
	dl_auto(dl_survey) survey = host_survey("timer");
	dl_autojson *record = host_record(&bench->host, "survey", dl_survey_to_json(survey));
	dl_autojson *records = json_pack("[O]", record);
	FAILS(DL_E_BUSY, dl_store_records, bench->store, &bench->host.actor, records);
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	assert_int_equal(int_of(poll, "acked_through"), REFUSED_PER_HOUR);
	an_hour_passes(bench);
	host_send(bench, &bench->host, json_incref(record));
}

static void a_request_is_taken_as_far_as_the_hour_reaches(void **state)
{
	struct bench *bench = *state;
	send_refused(bench, REFUSED_PER_HOUR - 1);
	dl_autojson *records = json_array();
	for (int i = 0; i < 3; i++)
		json_array_append_new(records, host_record(&bench->host, "poem", json_object()));
	dl_autojson *view = ASK(dl_store_records, bench->store, &bench->host.actor, records);
	assert_int_equal(int_of(view, "acked_through"), REFUSED_PER_HOUR);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM agent_record"), REFUSED_PER_HOUR);
}

static void a_repetition_is_acknowledged_in_a_used_up_hour(void **state)
{
	struct bench *bench = *state;
	dl_autojson *record = host_record(&bench->host, "poem", json_object());
	host_send(bench, &bench->host, json_incref(record));
	send_refused(bench, REFUSED_PER_HOUR - 1);
	host_send(bench, &bench->host, json_incref(record));
}

static void the_hour_of_one_agent_is_not_anothers(void **state)
{
	struct bench *bench = *state;
	struct host friend;
	bench_enrol(bench, bench->organization, "friend", &friend);
	send_refused(bench, REFUSED_PER_HOUR);
	host_send_survey(bench, &friend, "timer");
	dl_signing_key_free(friend.key);
}

/* Nearly 4 MB of what root did without an order. */
static json_t *local_record(struct host *host)
{
	enum { ITEMS = 900, PATH = 4000 };
	char path[PATH + 1];
	json_t *items = json_array();
	memset(path, 'x', PATH);
	path[PATH] = '\0';
	for (int i = 0; i < ITEMS; i++)
		json_array_append_new(items, json_pack("{s:s,s:s}", "state", "purged", "path", path));
	return host_record(host, "local", json_pack(
		"{s:s,s:s,s:s,s:{s:i,s:s},s:i,s:[],s:[],s:o}", "act", "purge", "plan_id",
		"00112233445566778899aabbccddeeff", "of", "", "by", "uid", 0, "login", "joe", "time",
		1, "steps", "runs", "items", items));
}

static void what_root_did_alone_is_kept_in_bounds(void **state)
{
	struct bench *bench = *state;
	enum { SENT = 7, KEPT_MB = 16, ONE_MB = 4 };
	for (int i = 0; i < SENT; i++) {
		host_send(bench, &bench->host, local_record(&bench->host));
		an_hour_passes(bench);
	}
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM agent_record"), SENT);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM audit "
				       "WHERE action = 'local.purged'"), SENT);
	assert_in_range(number(bench, "SELECT SUM(LENGTH(body)) / 1000000 AS n FROM agent_record"),
			KEPT_MB - ONE_MB, KEPT_MB + ONE_MB);
	assert_int_equal(number(bench, "SELECT body IS NOT NULL AS n FROM agent_record "
				       "WHERE seq = 7"), 1);
}

static void refused_claims_leave_as_many_events_as_an_hour_allows(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	const json_t *order = json_array_get(json_object_get(approved, "orders"), 0);
	char wrong[DL_SHA256_TEXT_SIZE];
	dl_sha256_text("", 0, wrong);
	dl_autojson *claim = host_claim(&bench->host, text_of(order, "plan_id"), wrong,
					"00112233445566778899aabbccddeeff");
	for (int i = 0; i < REFUSED_PER_HOUR + 10; i++)
		FAILS(DL_E_DENIED, dl_store_claim, bench->store, &bench->host.actor, claim);
	json_decref(ASK(dl_store_expire, bench->store, &bench->system)); /* after the last event */
	int64_t events = number(bench, "SELECT COUNT(*) AS n FROM audit "
				       "WHERE action = 'order.claim_refused'");
	assert_in_range(events, 1, REFUSED_PER_HOUR);
}

/* ---- footholds ---- */

static void a_host_that_names_new_footholds_each_time_is_remembered_in_bounds(void **state)
{
	struct bench *bench = *state;
	static const char *const prefixes[] = { "a", "b", "c", "d" };
	for (size_t i = 0; i < DL_COUNT(prefixes); i++)
		send_many(bench, prefixes[i], MANY);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM foothold"),
			 OLD_FOOTHOLDS_KEPT + MANY);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM foothold WHERE last_seq = 4"),
			 MANY);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM foothold WHERE last_seq = 1"), 0);
}

static void the_foothold_of_a_report_outlasts_the_bound(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	send_many(bench, "a", MANY);
	send_many(bench, "b", MANY);
	send_many(bench, "c", MANY);
	assert_int_equal(number(bench, "SELECT COUNT(*) AS n FROM foothold WHERE last_seq = 1"), 1);
	dl_autojson *now = incident_now(bench, sent);
	const json_t *remaining = json_array_get(json_object_get(now, "remaining"), 0);
	assert_true(json_is_true(json_object_get(remaining, "present")));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(of_a_refused_record_only_the_hash_is_kept),
		STORE_TEST(who_used_up_the_hour_comes_again_in_the_next),
		STORE_TEST(a_request_is_taken_as_far_as_the_hour_reaches),
		STORE_TEST(a_repetition_is_acknowledged_in_a_used_up_hour),
		STORE_TEST(the_hour_of_one_agent_is_not_anothers),
		STORE_TEST(what_root_did_alone_is_kept_in_bounds),
		STORE_TEST(refused_claims_leave_as_many_events_as_an_hour_allows),
		STORE_TEST(a_host_that_names_new_footholds_each_time_is_remembered_in_bounds),
		STORE_TEST(the_foothold_of_a_report_outlasts_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
