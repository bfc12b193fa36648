/* What a host reports: taken in once, verified, and never believed too much. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"

static const json_t *order_of(const json_t *incident)
{
	return json_array_get(json_object_get(incident, "orders"), 0);
}

static json_t *host_view(struct bench *bench)
{
	return ASK(dl_store_host_get, bench->store, &bench->analyst, bench->host.id);
}

/* How often the audit says `action`. */
static int audited(struct bench *bench, const char *action)
{
	struct dl_audit_filter filter = { .organization = bench->organization };
	dl_autojson *list = ASK(dl_store_audit_list, bench->store, &bench->system, &filter,
				(struct dl_page){ .limit = 200 });
	int count = 0;
	size_t i;
	json_t *event;
	json_array_foreach(json_object_get(list, "items"), i, event)
		count += strcmp(text_of(event, "action"), action) == 0;
	return count;
}

static void a_repeated_record_is_acknowledged_and_ignored(void **state)
{
	struct bench *bench = *state;
	dl_auto(dl_survey) survey = host_survey("timer");
	dl_autojson *record = host_record(&bench->host, "survey", dl_survey_to_json(survey));
	host_send(bench, &bench->host, json_incref(record));
	host_send(bench, &bench->host, json_incref(record));
	dl_autojson *host = host_view(bench);
	assert_int_equal(int_of(json_object_get(host, "survey"), "new"), 1);
	assert_false(json_is_true(json_object_get(host, "forked")));
}

static void other_bytes_under_one_number_mean_forked_and_no_claims(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	json_decref(approve_all(bench, sent));
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	assert_int_equal(json_array_size(json_object_get(poll, "orders")), 1);
	bench->host.seq--;
	host_send_survey(bench, &bench->host, "timer service");
	dl_autojson *host = host_view(bench);
	assert_true(json_is_true(json_object_get(host, "forked")));
	assert_int_equal(audited(bench, "agent.forked"), 1);
	const char *body = text_of(json_object_get(json_array_get(json_object_get(poll, "orders"),
								  0), "order"), "body");
	char sha256[DL_SHA256_TEXT_SIZE];
	dl_sha256_text(body, strlen(body), sha256);
	dl_autojson *incident = incident_now(bench, sent);
	dl_autojson *claim = host_claim(&bench->host, text_of(order_of(incident), "plan_id"), sha256,
					NONCE);
	FAILS(DL_E_DENIED, dl_store_claim, bench->store, &bench->host.actor, claim);
	/* The event follows in its own transaction. */
	for (int i = 0; i < 50 && !audited(bench, "order.claim_refused"); i++)
		json_decref(ASK(dl_store_expire, bench->store, &bench->system));
	assert_int_equal(audited(bench, "order.claim_refused"), 1);
}

static json_t *local_act(const char *act, const char *state)
{
	return json_pack("{s:s,s:s,s:s,s:{s:i,s:s},s:I,s:[{s:i,s:s,s:s}],s:[{s:i,s:s}],s:[]}", "act",
			 act, "plan_id", NONCE, "of", "", "by", "uid", 1000, "login", "ann", "time",
			 (json_int_t)1, "steps", "id", 1, "verb", "file.quarantine", "title",
			 "Remove `x`", "runs", "step", 1, "state", state, "items");
}

static void an_act_of_the_hosts_root_is_audited_with_who_did_it(void **state)
{
	struct bench *bench = *state;
	host_send(bench, &bench->host,
		  host_record(&bench->host, "local", local_act("apply", "removed")));
	assert_int_equal(audited(bench, "local.applied"), 1);
	assert_int_equal(audited(bench, "record.refused"), 0);
}

static void an_act_that_is_none_has_no_effect_but_to_be_known(void **state)
{
	struct bench *bench = *state;
	host_send(bench, &bench->host,
		  host_record(&bench->host, "local", local_act("format", "removed")));
	host_send(bench, &bench->host,
		  host_record(&bench->host, "local", local_act("apply", "splendid")));
	assert_int_equal(audited(bench, "local.applied"), 0);
	assert_int_equal(audited(bench, "record.refused"), 2);
}

static void requests_of_one_agent_are_taken_in_their_order(void **state)
{
	struct bench *bench = *state;
	enum { REQUESTS = 20 };
	struct answer answers[REQUESTS];
	json_t *records[REQUESTS];
	for (int i = 0; i < REQUESTS; i++) {
		dl_auto(dl_survey) survey = host_survey(i % 2 ? "timer" : "cron");
		records[i] = json_pack("[o]", host_record(&bench->host, "survey",
							  dl_survey_to_json(survey)));
	}
	for (int i = 0; i < REQUESTS; i++) {
		answer_start(&answers[i]);
		dl_store_records(bench->store, &bench->host.actor, records[i], answer_arrive,
				 &answers[i]);
	}
	for (int i = 0; i < REQUESTS; i++) {
		answer_wait(&answers[i]);
		assert_int_equal(answers[i].result, 0);
		assert_int_equal(int_of(answers[i].view, "acked_through"), i + 1);
		json_decref(answers[i].view);
		json_decref(records[i]);
	}
	dl_autojson *host = host_view(bench);
	assert_false(json_is_true(json_object_get(host, "forked")));
	assert_int_equal(int_of(json_object_get(host, "survey"), "seq"), REQUESTS);
}

static void one_bad_signature_refuses_the_whole_request(void **state)
{
	struct bench *bench = *state;
	dl_auto(dl_survey) survey = host_survey("timer");
	json_t *good = host_record(&bench->host, "survey", dl_survey_to_json(survey));
	json_t *bad = host_record(&bench->host, "survey", dl_survey_to_json(survey));
	json_t *signature = json_object_get(bad, "sig");
	char *text = dl_strdup(json_string_value(signature));
	text[10] = text[10] == '0' ? '1' : '0';
	json_object_set_new(bad, "sig", json_string(text));
	free(text);
	dl_autojson *records = json_pack("[o,o]", good, bad);
	FAILS(DL_E_DENIED, dl_store_records, bench->store, &bench->host.actor, records);
	dl_autojson *host = host_view(bench);
	assert_true(json_is_null(json_object_get(host, "survey")));
}

static void a_record_of_another_host_is_refused(void **state)
{
	struct bench *bench = *state;
	struct host other;
	bench_enrol(bench, bench->organization, "other machine", &other);
	dl_auto(dl_survey) survey = host_survey("timer");
	dl_autojson *record = host_record(&other, "survey", dl_survey_to_json(survey));
	dl_autojson *records = json_pack("[O]", record);
	FAILS(DL_E_DENIED, dl_store_records, bench->store, &bench->host.actor, records);
	dl_signing_key_free(other.key);
}

static void a_signed_record_with_broken_content_is_kept_and_has_no_effect(void **state)
{
	struct bench *bench = *state;
	host_send(bench, &bench->host, host_record(&bench->host, "survey", json_pack("{s:i}", "a", 1)));
	host_send(bench, &bench->host, host_record(&bench->host, "poem", json_object()));
	assert_int_equal(audited(bench, "record.refused"), 2);
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *host = host_view(bench);
	assert_int_equal(int_of(json_object_get(host, "survey"), "seq"), 3);
}

static void a_result_counts_once_and_ends_the_order_for_ever(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
	host_send(bench, &bench->host, host_result(&bench->host, order_of(approved), "removed"));
	host_send(bench, &bench->host, host_result(&bench->host, order_of(approved), "failed"));
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(status_of(after, 1), "removed");
	assert_int_equal(audited(bench, "order.finished"), 1);
	assert_int_equal(audited(bench, "record.refused"), 1);
}

static void a_result_without_a_claim_is_not_believed(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	host_send(bench, &bench->host, host_result(&bench->host, order_of(approved), "removed"));
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(status_of(after, 1), "queued");
	assert_int_equal(audited(bench, "record.refused"), 1);
}

static void a_step_the_host_is_silent_about_ends_as_failed(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
	dl_autojson *partly = json_deep_copy(order_of(approved));
	json_object_set_new(partly, "steps", json_pack("[i]", 1));
	host_send(bench, &bench->host, host_result(&bench->host, partly, "removed"));
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(status_of(after, 1), "removed");
	assert_string_equal(status_of(after, 2), "failed");
}

static void a_refusal_before_the_start_gives_the_revision_back(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	json_t *content = json_pack("{s:s,s:s,s:s,s:s,s:s,s:[]}", "plan_id",
				    text_of(order_of(approved), "plan_id"), "kind", "remove",
				    "state", "refused", "reason", "wrong_target", "detail",
				    "for another host", "runs");
	host_send(bench, &bench->host, host_record(&bench->host, "result", content));
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(text_of(after, "revision_state"), "sent");
	assert_string_equal(status_of(after, 1), "refused");
	assert_string_equal(text_of(order_of(after), "reason"), "wrong_target");
}

static void nothing_is_gone_without_coverage(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_auto(dl_survey) partial = host_survey("");
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		dl_survey_cover(partial, (enum dl_kind)kind,
				kind == DL_KIND_CRON_USER ? DL_COVERAGE_COMPLETE
							  : DL_COVERAGE_PARTIAL, "no time");
	host_send(bench, &bench->host,
		  host_record(&bench->host, "survey", dl_survey_to_json(partial)));
	dl_autojson *host = host_view(bench);
	const json_t *survey = json_object_get(host, "survey");
	assert_int_equal(int_of(survey, "gone"), 1);
	assert_int_equal(int_of(survey, "present"), 2);
}

static void what_returns_is_new_again(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	host_send_survey(bench, &bench->host, "");
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *list = ASK(dl_store_host_footholds, bench->store, &bench->reader,
				bench->host.id, false, (struct dl_page){ 0 });
	const json_t *item = json_array_get(json_object_get(list, "items"), 0);
	assert_string_equal(text_of(item, "change"), "new");
	assert_true(json_is_null(json_object_get(item, "gone")));
}

static void a_foothold_knows_on_how_many_hosts_of_its_organization_it_is(void **state)
{
	struct bench *bench = *state;
	struct host friend, foreign;
	bench_enrol(bench, bench->organization, "friend", &friend);
	bench_enrol(bench, bench->other_organization, "foreign", &foreign);
	host_send_survey(bench, &bench->host, "timer");
	host_send_survey(bench, &friend, "timer");
	host_send_survey(bench, &foreign, "timer");
	dl_autojson *list = ASK(dl_store_host_footholds, bench->store, &bench->reader,
				bench->host.id, false, (struct dl_page){ 0 });
	assert_int_equal(int_of(json_array_get(json_object_get(list, "items"), 0), "hosts"), 2);
	dl_signing_key_free(friend.key);
	dl_signing_key_free(foreign.key);
}

static void a_requested_survey_is_asked_for_until_one_comes(void **state)
{
	struct bench *bench = *state;
	dl_autojson *host = ASK(dl_store_survey_request, bench->store, &bench->analyst,
				bench->host.id);
	assert_false(json_is_null(json_object_get(host, "survey_requested")));
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	assert_true(json_is_true(json_object_get(poll, "survey")));
	json_decref(ASK(dl_store_expire, bench->store, &bench->system)); /* after the poll's trace */
	dl_autojson *again = host_poll(bench, &bench->host, NULL);
	assert_false(json_is_true(json_object_get(again, "survey")));
	host_send_survey(bench, &bench->host, "");
	dl_autojson *after = host_view(bench);
	assert_true(json_is_null(json_object_get(after, "survey_requested")));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_repeated_record_is_acknowledged_and_ignored),
		STORE_TEST(other_bytes_under_one_number_mean_forked_and_no_claims),
		STORE_TEST(an_act_of_the_hosts_root_is_audited_with_who_did_it),
		STORE_TEST(an_act_that_is_none_has_no_effect_but_to_be_known),
		STORE_TEST(requests_of_one_agent_are_taken_in_their_order),
		STORE_TEST(one_bad_signature_refuses_the_whole_request),
		STORE_TEST(a_record_of_another_host_is_refused),
		STORE_TEST(a_signed_record_with_broken_content_is_kept_and_has_no_effect),
		STORE_TEST(a_result_counts_once_and_ends_the_order_for_ever),
		STORE_TEST(a_result_without_a_claim_is_not_believed),
		STORE_TEST(a_step_the_host_is_silent_about_ends_as_failed),
		STORE_TEST(a_refusal_before_the_start_gives_the_revision_back),
		STORE_TEST(nothing_is_gone_without_coverage),
		STORE_TEST(what_returns_is_new_again),
		STORE_TEST(a_foothold_knows_on_how_many_hosts_of_its_organization_it_is),
		STORE_TEST(a_requested_survey_is_asked_for_until_one_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
