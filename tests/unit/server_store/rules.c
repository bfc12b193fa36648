/* The rules of reports, states and the proof, by themselves. */
#include "server/incident/code.h"
#include "server/incident/difference.h"
#include "server/incident/proof.h"
#include "server/incident/report.h"
#include "server/incident/status.h"
#include "server/incident/transition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- states ---- */

static void terminal_states_never_change(void **state)
{
	static const char *const terminal[] = { "cancelled", "expired", "refused", "finished" };
	static const char *const all[] = { "queued", "claimed", "cancelled", "expired", "refused",
					   "finished" };
	struct dl_error err = { 0 };
	(void)state;
	for (size_t i = 0; i < DL_COUNT(terminal); i++)
		for (size_t k = 0; k < DL_COUNT(all); k++)
			assert_int_equal(dl_order_move(terminal[i], all[k], &err), DL_E_STATE);
	assert_int_equal(dl_incident_move("closed", "open", &err), DL_E_STATE);
	assert_int_equal(dl_revision_move("superseded", "sent", &err), DL_E_STATE);
	assert_int_equal(dl_revision_move("rejected", "approved", &err), DL_E_STATE);
}

static void a_claimed_order_is_neither_cancelled_nor_expired(void **state)
{
	(void)state;
	assert_int_equal(dl_order_move("queued", "claimed", NULL), 0);
	assert_int_equal(dl_order_move("claimed", "cancelled", NULL), DL_E_STATE);
	assert_int_equal(dl_order_move("claimed", "expired", NULL), DL_E_STATE);
	assert_int_equal(dl_order_move("queued", "finished", NULL), DL_E_STATE);
}

/* ---- proof ---- */

static bool holds(const struct dl_proof_trigger *triggers, size_t count)
{
	return dl_proof_holds(&(struct dl_proof){ .since_seq = 7, .triggers = triggers,
						  .trigger_count = count });
}

static void the_proof_needs_a_survey_after_the_last_run(void **state)
{
	struct dl_proof_trigger trigger = { .present = false, .covered_seq = 7 };
	(void)state;
	assert_false(holds(&trigger, 1));
	trigger.covered_seq = 8;
	assert_true(holds(&trigger, 1));
}

static void the_proof_fails_while_one_trigger_is_present(void **state)
{
	struct dl_proof_trigger triggers[] = { { .covered_seq = 9 },
					       { .present = true, .covered_seq = 9 } };
	(void)state;
	assert_false(holds(triggers, 2));
	triggers[1].accepted = true;
	assert_true(holds(triggers, 2));
}

static void nothing_named_proves_nothing(void **state)
{
	(void)state;
	assert_false(holds(NULL, 0));
	assert_true(dl_proof_holds(&(struct dl_proof){ .manual_done = 1 }));
	assert_false(dl_proof_holds(&(struct dl_proof){ .manual_done = 1, .manual_open = 1 }));
}

static void the_proof_waits_for_orders_in_flight(void **state)
{
	struct dl_proof_trigger trigger = { .covered_seq = 9 };
	struct dl_proof proof = { .since_seq = 7, .orders_in_flight = 1, .triggers = &trigger,
				  .trigger_count = 1 };
	(void)state;
	assert_false(dl_proof_holds(&proof));
	proof.orders_in_flight = 0;
	assert_true(dl_proof_holds(&proof));
}

/* ---- status ---- */

static const char *status(struct dl_step_facts facts)
{
	const char **texts[] = { &facts.choice, &facts.order_state, &facts.run_state,
				 &facts.undo_order_state, &facts.undo_run_state };
	for (size_t i = 0; i < DL_COUNT(texts); i++)
		if (!*texts[i])
			*texts[i] = "";
	return dl_step_status(&facts);
}

static void a_step_says_where_it_stands(void **state)
{
	(void)state;
	assert_string_equal(status((struct dl_step_facts){ 0 }), "proposed");
	assert_string_equal(status((struct dl_step_facts){ .choice = "approved",
							   .order_state = "queued",
							   .run_state = "pending" }), "queued");
	assert_string_equal(status((struct dl_step_facts){ .choice = "approved",
							   .order_state = "claimed",
							   .run_state = "pending" }), "running");
	assert_string_equal(status((struct dl_step_facts){ .choice = "approved",
							   .order_state = "finished",
							   .run_state = "stale" }), "stale");
	assert_string_equal(status((struct dl_step_facts){ .choice = "rejected" }), "rejected");
	assert_string_equal(status((struct dl_step_facts){ .manual = true }), "manual_todo");
	assert_string_equal(status((struct dl_step_facts){ .manual = true, .done = true }),
			    "manual_done");
}

static void an_undo_that_was_cancelled_leaves_the_step_removed(void **state)
{
	struct dl_step_facts facts = { .choice = "approved", .order_state = "finished",
				       .run_state = "removed", .undo_order_state = "queued",
				       .undo_run_state = "pending" };
	(void)state;
	assert_string_equal(status(facts), "undoing");
	facts.undo_order_state = facts.undo_run_state = "cancelled";
	assert_string_equal(status(facts), "removed");
	facts.undo_order_state = "finished";
	facts.undo_run_state = "restored";
	assert_string_equal(status(facts), "restored");
	facts.undo_run_state = "failed";
	assert_string_equal(status(facts), "undo_failed");
}

/* ---- report ---- */

static struct dl_plan *manual_plan(void)
{
	dl_autojson *edit = json_pack("{s:[{s:s,s:s}]}", "manual", "title", "Look", "instructions",
				      "Look at it");
	dl_auto(dl_survey) survey = dl_survey_new();
	struct dl_plan *plan = NULL;
	assert_int_equal(dl_report_propose(survey, edit, &plan, NULL), 0);
	return plan;
}

static void a_revision_of_the_same_content_has_the_same_digest(void **state)
{
	struct dl_report report = { "S", "low", "a", "b" };
	dl_auto(dl_plan) plan = manual_plan();
	dl_autofree char *first = NULL, *second = NULL, *third = NULL;
	char a[DL_SHA256_TEXT_SIZE], b[DL_SHA256_TEXT_SIZE], c[DL_SHA256_TEXT_SIZE];
	(void)state;
	assert_int_equal(dl_report_to_body(&report, 1, 1, plan, &first, a, NULL), 0);
	assert_int_equal(dl_report_to_body(&report, 1, 1, plan, &second, b, NULL), 0);
	report.summary = "a ";
	assert_int_equal(dl_report_to_body(&report, 1, 1, plan, &third, c, NULL), 0);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

static void a_report_too_large_for_an_order_is_refused_when_written(void **state)
{
	dl_autofree char *quotes = dl_alloc(200 * 1024, 1);
	struct dl_report report = { "S", "low", quotes, "" };
	dl_auto(dl_plan) plan = manual_plan();
	char *body = NULL;
	char digest[DL_SHA256_TEXT_SIZE];
	(void)state;
	memset(quotes, '"', 100 * 1024); /* each is four bytes in an order */
	assert_int_equal(dl_report_to_body(&report, 1, 1, plan, &body, digest, NULL), DL_E_LIMIT);
	assert_null(body);
}

static void an_edit_that_chooses_nothing_is_refused(void **state)
{
	dl_auto(dl_survey) survey = dl_survey_new();
	dl_autojson *empty = json_object(), *unknown = json_pack("{s:[]}", "run", "sh");
	struct dl_plan *plan = NULL;
	(void)state;
	assert_int_equal(dl_report_propose(survey, empty, &plan, NULL), DL_E_INVALID);
	assert_int_equal(dl_report_propose(survey, unknown, &plan, NULL), DL_E_INVALID);
}

static void a_plan_without_assisted_steps_says_why(void **state)
{
	dl_auto(dl_plan) plan = manual_plan();
	dl_autofree char *because = NULL;
	(void)state;
	assert_false(dl_report_reviewable(plan, &because));
	assert_non_null(strstr(because, "Look"));
}

static void a_severity_is_one_of_three(void **state)
{
	struct dl_error err = { 0 };
	(void)state;
	assert_int_equal(dl_report_check(&(struct dl_report){ "S", "medium", "", "" }, &err),
			 DL_E_INVALID);
	assert_int_equal(dl_report_check(&(struct dl_report){ " ", "low", "", "" }, &err),
			 DL_E_INVALID);
	assert_int_equal(dl_report_check(&(struct dl_report){ "S", "high", "", "" }, &err), 0);
}

/* ---- difference ---- */

static json_t *step(int id, const char *title, const char *why)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:[]}", "id", id, "verb", "manual", "key", "",
			 "title", title, "why", why, "objects");
}

static json_t *revision(int no, const char *subject, json_t *steps)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:o}", "no", no, "subject", subject, "severity",
			 "low", "summary", "", "recommendations", "", "steps", steps);
}

static const char *change(const json_t *difference, size_t index)
{
	return json_string_value(json_object_get(
		json_array_get(json_object_get(difference, "steps"), index), "change"));
}

static void the_difference_names_what_changed(void **state)
{
	dl_autojson *before = revision(1, "Old", json_pack("[o,o,o]", step(1, "a", "x"),
							   step(2, "b", "x"), step(3, "c", "x")));
	dl_autojson *after = revision(2, "New", json_pack("[o,o,o]", step(1, "d", "x"),
							  step(2, "a", "x"), step(3, "b", "y")));
	dl_autojson *difference = dl_revision_difference(before, after);
	(void)state;
	assert_int_equal(json_array_size(json_object_get(difference, "fields")), 1);
	assert_int_equal(json_array_size(json_object_get(difference, "steps")), 3);
	assert_string_equal(change(difference, 0), "added");
	assert_string_equal(change(difference, 1), "changed");
	assert_string_equal(change(difference, 2), "removed");
}

static void the_difference_sees_a_step_that_moved(void **state)
{
	dl_autojson *before = revision(1, "S", json_pack("[o,o]", step(1, "a", "x"),
							 step(2, "b", "x")));
	dl_autojson *after = revision(2, "S", json_pack("[o,o]", step(1, "b", "x"),
							step(2, "a", "x")));
	dl_autojson *difference = dl_revision_difference(before, after);
	(void)state;
	assert_int_equal(json_array_size(json_object_get(difference, "steps")), 1);
	assert_string_equal(change(difference, 0), "moved");
}

static void codes_have_sentences_and_unknown_ones_none(void **state)
{
	(void)state;
	assert_non_null(dl_reject_reason_sentence("too_risky"));
	assert_null(dl_reject_reason_sentence("because"));
	assert_non_null(dl_close_reason_sentence("host_retired"));
	assert_null(dl_close_reason_sentence(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_states_never_change),
		cmocka_unit_test(a_claimed_order_is_neither_cancelled_nor_expired),
		cmocka_unit_test(the_proof_needs_a_survey_after_the_last_run),
		cmocka_unit_test(the_proof_fails_while_one_trigger_is_present),
		cmocka_unit_test(nothing_named_proves_nothing),
		cmocka_unit_test(the_proof_waits_for_orders_in_flight),
		cmocka_unit_test(a_step_says_where_it_stands),
		cmocka_unit_test(an_undo_that_was_cancelled_leaves_the_step_removed),
		cmocka_unit_test(a_revision_of_the_same_content_has_the_same_digest),
		cmocka_unit_test(a_report_too_large_for_an_order_is_refused_when_written),
		cmocka_unit_test(an_edit_that_chooses_nothing_is_refused),
		cmocka_unit_test(a_plan_without_assisted_steps_says_why),
		cmocka_unit_test(a_severity_is_one_of_three),
		cmocka_unit_test(the_difference_names_what_changed),
		cmocka_unit_test(the_difference_sees_a_step_that_moved),
		cmocka_unit_test(codes_have_sentences_and_unknown_ones_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
