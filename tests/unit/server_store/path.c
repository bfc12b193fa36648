/* The whole path, from foothold to gone, and its side roads. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"
#define OTHER_NONCE "ffeeddccbbaa99887766554433221100"

static json_t *newest_order(const json_t *incident)
{
	return json_array_get(json_object_get(incident, "orders"), 0);
}

/* Claimed and reported with every run in `state`. */
static json_t *carried_out(struct bench *bench, json_t *approved, const char *state)
{
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
	host_send(bench, &bench->host,
		  host_result(&bench->host, newest_order(approved), state));
	return incident_now(bench, approved);
}

static json_t *resolved(struct bench *bench)
{
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *done = carried_out(bench, approved, "removed");
	host_send_survey(bench, &bench->host, "");
	return incident_now(bench, done);
}

static void a_report_goes_from_foothold_to_resolved(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autojson *sent = report_sent(bench);
	assert_string_equal(text_of(sent, "state"), "open");
	assert_string_equal(text_of(sent, "needs"), "decision");
	assert_int_equal(json_array_size(json_object_get(sent, "steps_view")), 4);
	dl_autojson *approved = approve_all(bench, sent);
	assert_string_equal(text_of(approved, "needs"), "work");
	assert_string_equal(status_of(approved, 1), "queued");
	assert_int_equal(bench->woken, bench->host.id);
	const json_t *before = json_array_get(json_object_get(approved, "remaining"), 0);
	assert_true(json_is_true(json_object_get(before, "present")));
	dl_autojson *done = carried_out(bench, approved, "removed");
	const json_t *waiting = json_array_get(json_object_get(done, "remaining"), 0);
	assert_true(json_is_null(json_object_get(waiting, "present")));
	assert_non_null(strstr(text_of(waiting, "proof"), "Waiting for a survey"));
	assert_string_equal(status_of(done, 1), "removed");
	assert_string_equal(text_of(done, "state"), "open");
	assert_string_equal(text_of(done, "needs"), "survey");
	host_send_survey(bench, &bench->host, "");
	dl_autojson *after = incident_now(bench, done);
	assert_string_equal(text_of(after, "state"), "resolved");
	assert_int_equal(json_array_size(json_object_get(after, "remaining")), 0);
}

static void stays_open_while_one_trigger_remains(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *done = carried_out(bench, approved, "removed");
	host_send_survey(bench, &bench->host, "cron");
	dl_autojson *after = incident_now(bench, done);
	assert_string_equal(text_of(after, "state"), "open");
	const json_t *remaining = json_object_get(after, "remaining");
	assert_int_equal(json_array_size(remaining), 1);
	assert_string_equal(text_of(json_array_get(remaining, 0), "kind"), "cron.user");
}

static void does_not_resolve_by_a_survey_without_coverage(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *done = carried_out(bench, approved, "removed");
	dl_auto(dl_survey) survey = host_survey("");
	dl_survey_cover(survey, DL_KIND_SYSTEMD_TIMER, DL_COVERAGE_PARTIAL, "unreadable folder");
	host_send(bench, &bench->host,
		  host_record(&bench->host, "survey", dl_survey_to_json(survey)));
	dl_autojson *after = incident_now(bench, done);
	assert_string_equal(text_of(after, "state"), "open");
}

static void does_not_resolve_by_an_untrusted_survey(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service");
	dl_autojson *sent = report_sent(bench);
	dl_auto(dl_survey) survey = host_survey("");
	survey->trusted = false;
	survey->untrusted_because = dl_strdup("ld.so.preload names a library");
	host_send(bench, &bench->host,
		  host_record(&bench->host, "survey", dl_survey_to_json(survey)));
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(text_of(after, "state"), "open");
}

static void reopens_when_a_trigger_returns(void **state)
{
	struct bench *bench = *state;
	dl_autojson *before = resolved(bench);
	assert_string_equal(text_of(before, "state"), "resolved");
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *after = incident_now(bench, before);
	assert_string_equal(text_of(after, "state"), "open");
	assert_string_equal(text_of(after, "needs"), "reissue");
}

static json_t *undone(struct bench *bench, const json_t *incident, bool legitimate)
{
	return ASK(dl_store_order_undo, bench->store, &bench->technician,
		   &(struct dl_undo_request){ .plan_id = text_of(newest_order(incident), "plan_id"),
					      .legitimate = legitimate, .comment = "why" });
}

static void an_undo_of_what_was_legitimate_keeps_the_incident_resolved(void **state)
{
	struct bench *bench = *state;
	dl_autojson *before = resolved(bench);
	dl_autojson *asked = undone(bench, before, true);
	assert_string_equal(status_of(asked, 1), "undoing");
	dl_autojson *done = carried_out(bench, asked, "restored");
	assert_string_equal(status_of(done, 1), "restored");
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autojson *after = incident_now(bench, done);
	assert_string_equal(text_of(after, "state"), "resolved");
}

static void a_restored_payload_does_not_excuse_its_trigger(void **state)
{
	struct bench *bench = *state;
	dl_autojson *before = resolved(bench);
	dl_autojson *only_payload = json_pack("[i]", 4);
	json_decref(ASK(dl_store_order_undo, bench->store, &bench->technician,
			&(struct dl_undo_request){ .steps = only_payload, .legitimate = true,
						   .plan_id = text_of(newest_order(before),
								      "plan_id") }));
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *after = incident_now(bench, before);
	assert_string_equal(text_of(after, "state"), "open");
}

static void an_undo_of_what_was_not_reopens_it(void **state)
{
	struct bench *bench = *state;
	dl_autojson *before = resolved(bench);
	dl_autojson *asked = undone(bench, before, false);
	assert_string_equal(text_of(asked, "state"), "open");
	FAILS(DL_E_STATE, dl_store_order_undo, bench->store, &bench->technician,
	      &(struct dl_undo_request){
		      .plan_id = text_of(json_array_get(json_object_get(asked, "orders"), 1),
					 "plan_id") });
}

static void an_approval_of_another_digest_is_stale(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	char digest[65];
	memset(digest, 'a', 64);
	digest[64] = '\0';
	FAILS(DL_E_STALE, dl_store_decide, bench->store, &bench->technician,
	      &(struct dl_decide_request){ .incident = int_of(sent, "id"), .digest = digest,
					   .approve = true });
}

static void a_revision_is_decided_once(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	json_decref(approve_all(bench, sent));
	FAILS(DL_E_STATE, dl_store_decide, bench->store, &bench->technician,
	      &(struct dl_decide_request){
		      .incident = int_of(sent, "id"), .approve = true,
		      .digest = text_of(json_object_get(sent, "shown_revision"), "digest") });
}

static void an_approval_names_what_its_steps_require_and_adds_nothing(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *only_payload = json_pack("[i]", 4), *whole = json_pack("[iii]", 1, 2, 4);
	struct dl_decide_request request = {
		.incident = int_of(sent, "id"), .approve = true, .steps = only_payload,
		.digest = text_of(json_object_get(sent, "shown_revision"), "digest") };
	FAILS(DL_E_INVALID, dl_store_decide, bench->store, &bench->technician, &request);
	request.reason = "too_risky";
	FAILS(DL_E_INVALID, dl_store_decide, bench->store, &bench->technician, &request);
	request.steps = whole;
	FAILS(DL_E_INVALID, dl_store_decide, bench->store, &bench->technician,
	      &(struct dl_decide_request){ .incident = request.incident, .approve = true,
					   .steps = whole, .digest = request.digest });
	dl_autojson *approved = ASK(dl_store_decide, bench->store, &bench->technician, &request);
	assert_string_equal(status_of(approved, 1), "queued");
	assert_string_equal(status_of(approved, 2), "queued");
	assert_string_equal(status_of(approved, 3), "rejected");
	assert_string_equal(status_of(approved, 4), "queued");
}

static void a_plan_without_an_assisted_step_cannot_be_approved(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *edit = json_pack("{s:[],s:[{s:s,s:s}]}", "keys", "manual", "title", "Look",
				      "instructions", "Look at it");
	dl_autojson *draft = ASK(dl_store_incident_create, bench->store, &bench->analyst,
				 bench->host.id,
				 &(struct dl_report_request){ "By hand", "low", "", "", edit });
	assert_false(json_is_true(json_object_get(json_object_get(draft, "review"), "possible")));
	const char *digest = text_of(json_object_get(draft, "shown_revision"), "digest");
	dl_autojson *sent = ASK(dl_store_report_send, bench->store, &bench->analyst,
				int_of(draft, "id"), digest);
	FAILS(DL_E_STATE, dl_store_decide, bench->store, &bench->technician,
	      &(struct dl_decide_request){ .incident = int_of(sent, "id"), .digest = digest,
					   .approve = true });
	dl_autojson *steps = json_pack("[i]", 1);
	FAILS(DL_E_STATE, dl_store_decide, bench->store, &bench->technician,
	      &(struct dl_decide_request){ .incident = int_of(sent, "id"), .digest = digest,
					   .approve = true, .steps = steps });
	dl_autojson *done = ASK(dl_store_manual_done, bench->store, &bench->technician,
				int_of(sent, "id"), 1, "looked");
	assert_string_equal(status_of(done, 1), "manual_done");
	assert_string_equal(text_of(done, "state"), "resolved");
}

static void a_rejected_report_is_reissued_with_its_difference(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer service");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *rejected = ASK(dl_store_decide, bench->store, &bench->technician,
		&(struct dl_decide_request){
			.incident = int_of(sent, "id"), .reason = "incomplete",
			.digest = text_of(json_object_get(sent, "shown_revision"), "digest"),
			.comment = "And cron?" });
	assert_string_equal(text_of(rejected, "needs"), "reissue");
	host_send_survey(bench, &bench->host, "timer service cron");
	dl_autofree char *key = foothold_key(bench, "cron.user");
	dl_autojson *edit = json_pack("{s:[s]}", "keys", key);
	dl_autojson *draft = ASK(dl_store_draft_save, bench->store, &bench->analyst,
				 int_of(sent, "id"),
				 &(struct dl_report_request){ "Cron", "critical", "", "", edit });
	assert_int_equal(int_of(json_object_get(draft, "shown_revision"), "no"), 2);
	dl_autojson *seen = incident_now(bench, sent);
	assert_int_equal(int_of(json_object_get(seen, "shown_revision"), "no"), 1);
	dl_autojson *again = ASK(dl_store_report_send, bench->store, &bench->analyst,
				 int_of(sent, "id"),
				 text_of(json_object_get(draft, "shown_revision"), "digest"));
	const json_t *difference = json_object_get(again, "difference");
	assert_int_equal(json_array_size(json_object_get(difference, "fields")), 4);
	assert_int_equal(json_array_size(json_object_get(difference, "steps")), 4);
	assert_string_equal(text_of(json_array_get(json_object_get(again, "revisions"), 1),
				    "state"), "superseded");
}

static void a_reissue_waits_for_the_order_in_flight(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	json_decref(approve_all(bench, sent));
	dl_autofree char *key = foothold_key(bench, "systemd.timer");
	dl_autojson *edit = json_pack("{s:[s]}", "keys", key);
	dl_autojson *draft = ASK(dl_store_draft_save, bench->store, &bench->analyst,
				 int_of(sent, "id"),
				 &(struct dl_report_request){ "Again", "low", "", "", edit });
	FAILS(DL_E_STATE, dl_store_report_send, bench->store, &bench->analyst, int_of(sent, "id"),
	      text_of(json_object_get(draft, "shown_revision"), "digest"));
}

static void a_cancelled_order_never_gets_a_go(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	const char *body = text_of(json_object_get(json_array_get(json_object_get(poll, "orders"),
								  0), "order"), "body");
	char sha256[65];
	dl_sha256_text(body, strlen(body), sha256);
	const char *plan = text_of(newest_order(approved), "plan_id");
	dl_autojson *cancelled = ASK(dl_store_order_cancel, bench->store, &bench->technician, plan);
	assert_string_equal(status_of(cancelled, 1), "cancelled");
	assert_string_equal(text_of(cancelled, "revision_state"), "sent");
	assert_string_equal(text_of(cancelled, "needs"), "decision");
	dl_autojson *claim = host_claim(&bench->host, plan, sha256, NONCE);
	dl_autojson *answer = ASK(dl_store_claim, bench->store, &bench->host.actor, claim);
	assert_non_null(strstr(text_of(json_object_get(answer, "ticket"), "body"), "\"cancelled\""));
	dl_autojson *again = approve_all(bench, sent);
	assert_string_equal(status_of(again, 1), "queued");
}

static void a_claimed_order_cannot_be_cancelled(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
	FAILS(DL_E_STATE, dl_store_order_cancel, bench->store, &bench->technician,
	      text_of(newest_order(approved), "plan_id"));
}

static void the_same_nonce_gets_the_same_ticket(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	const char *body = text_of(json_object_get(json_array_get(json_object_get(poll, "orders"),
								  0), "order"), "body");
	const char *plan = text_of(newest_order(approved), "plan_id");
	char sha256[65];
	dl_sha256_text(body, strlen(body), sha256);
	dl_autojson *claim = host_claim(&bench->host, plan, sha256, NONCE);
	dl_autojson *first = ASK(dl_store_claim, bench->store, &bench->host.actor, claim);
	dl_autojson *second = ASK(dl_store_claim, bench->store, &bench->host.actor, claim);
	assert_true(json_equal(first, second));
	dl_autojson *fresh = host_claim(&bench->host, plan, sha256, OTHER_NONCE);
	dl_autojson *third = ASK(dl_store_claim, bench->store, &bench->host.actor, fresh);
	assert_false(json_equal(first, third));
	sha256[0] = sha256[0] == '0' ? '1' : '0';
	dl_autojson *other = host_claim(&bench->host, plan, sha256,
					"0123456789abcdef0123456789abcdef");
	FAILS(DL_E_DENIED, dl_store_claim, bench->store, &bench->host.actor, other);
}

static void a_held_order_is_not_sent_again(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *poll = host_poll(bench, &bench->host,
				      text_of(newest_order(approved), "plan_id"));
	assert_int_equal(json_array_size(json_object_get(poll, "orders")), 0);
}

static void a_closed_incident_cancels_its_waiting_order(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	json_decref(approve_all(bench, sent));
	dl_autojson *closed = ASK(dl_store_incident_close, bench->store, &bench->analyst,
				  int_of(sent, "id"), "false_positive", "mine");
	assert_string_equal(text_of(closed, "state"), "closed");
	assert_string_equal(text_of(newest_order(closed), "state"), "cancelled");
	FAILS(DL_E_STATE, dl_store_incident_close, bench->store, &bench->analyst,
	      int_of(sent, "id"), "false_positive", "again");
}

static void a_failed_step_asks_for_attention(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *done = carried_out(bench, approved, "failed");
	assert_string_equal(text_of(done, "needs"), "attention");
	assert_int_equal(int_of(json_object_get(done, "steps"), "failed"), 2);
}

static void the_queue_shows_each_role_its_turn(void **state)
{
	struct bench *bench = *state;
	struct dl_incident_filter filter = { .needs_me = true };
	host_send_survey(bench, &bench->host, "timer");
	json_decref(report_sent(bench));
	dl_autojson *technician = ASK(dl_store_incident_list, bench->store, &bench->technician,
				      &filter, (struct dl_page){ 0 });
	dl_autojson *analyst = ASK(dl_store_incident_list, bench->store, &bench->analyst, &filter,
				   (struct dl_page){ 0 });
	assert_int_equal(json_array_size(json_object_get(technician, "items")), 1);
	assert_int_equal(json_array_size(json_object_get(analyst, "items")), 0);
}

static void a_list_goes_on_where_its_cursor_says(void **state)
{
	struct bench *bench = *state;
	struct dl_incident_filter filter = { 0 };
	host_send_survey(bench, &bench->host, "timer");
	for (int i = 0; i < 3; i++)
		json_decref(report_sent(bench));
	dl_autojson *first = ASK(dl_store_incident_list, bench->store, &bench->reader, &filter,
				 (struct dl_page){ .limit = 2 });
	assert_int_equal(json_array_size(json_object_get(first, "items")), 2);
	dl_autojson *second = ASK(dl_store_incident_list, bench->store, &bench->reader, &filter,
				  (struct dl_page){ .cursor = int_of(first, "next"), .limit = 2 });
	assert_int_equal(json_array_size(json_object_get(second, "items")), 1);
	assert_true(json_is_null(json_object_get(second, "next")));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_report_goes_from_foothold_to_resolved),
		STORE_TEST(stays_open_while_one_trigger_remains),
		STORE_TEST(does_not_resolve_by_a_survey_without_coverage),
		STORE_TEST(does_not_resolve_by_an_untrusted_survey),
		STORE_TEST(reopens_when_a_trigger_returns),
		STORE_TEST(an_undo_of_what_was_legitimate_keeps_the_incident_resolved),
		STORE_TEST(a_restored_payload_does_not_excuse_its_trigger),
		STORE_TEST(an_undo_of_what_was_not_reopens_it),
		STORE_TEST(an_approval_of_another_digest_is_stale),
		STORE_TEST(a_revision_is_decided_once),
		STORE_TEST(an_approval_names_what_its_steps_require_and_adds_nothing),
		STORE_TEST(a_plan_without_an_assisted_step_cannot_be_approved),
		STORE_TEST(a_rejected_report_is_reissued_with_its_difference),
		STORE_TEST(a_reissue_waits_for_the_order_in_flight),
		STORE_TEST(a_cancelled_order_never_gets_a_go),
		STORE_TEST(a_claimed_order_cannot_be_cancelled),
		STORE_TEST(the_same_nonce_gets_the_same_ticket),
		STORE_TEST(a_held_order_is_not_sent_again),
		STORE_TEST(a_closed_incident_cancels_its_waiting_order),
		STORE_TEST(a_failed_step_asks_for_attention),
		STORE_TEST(the_queue_shows_each_role_its_turn),
		STORE_TEST(a_list_goes_on_where_its_cursor_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
