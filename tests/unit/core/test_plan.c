/* Steps and plans on the wire, and closing a choice. */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Timer (1), service (2), cron line (3), shared file (4, requires 1 to 3), manual (5). */
static struct dl_plan *sample_plan(void)
{
	dl_auto(dl_survey) survey = sample_survey();
	const char *keys[] = {
		sample_add(survey, sample_timer("x.timer", "x.service", "/opt/x")),
		sample_add(survey, sample_service("x.service", "/opt/x")),
		sample_add(survey, sample_cron("alice", "* * * * * /opt/x", "/opt/x")),
	};
	dl_autojson *manual = json_pack("[{s:s,s:s}]", "title", "Call", "instructions", "Do.");
	struct dl_plan_edit edit = { .keys = keys, .key_count = 3, .manual = manual };
	struct dl_plan *plan = NULL;
	assert_int_equal(dl_plan_propose(survey, &edit, &plan, NULL), 0);
	assert_int_equal(plan->step_count, 5);
	return plan;
}

/* Reads the plan's JSON after one member of one step was replaced. */
static int read_changed(size_t step, const char *change_text)
{
	dl_auto(dl_plan) plan = sample_plan();
	dl_auto(dl_plan) again = NULL;
	dl_autojson *json = dl_plan_to_json(plan);
	dl_autojson *change = json_loads(change_text, 0, NULL);
	assert_non_null(change);
	assert_int_equal(json_object_update(json_array_get(json, step - 1), change), 0);
	return dl_plan_from_json(json, &again, NULL);
}

static void accepts_what_it_wrote(void **state)
{
	(void)state;
	assert_int_equal(read_changed(1, "{}"), 0);
}

static void refuses_a_step_that_breaks_its_schema(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"command\":\"rm\"}",	   "{\"verb\":\"shell.run\"}",
		"{\"verb\":null}",	   "{\"id\":2}",
		"{\"id\":0}",		   "{\"key\":\"\"}",
		"{\"key\":\"abc\"}",	   "{\"title\":null}",
		"{\"unit\":null}",	   "{\"unit\":\"\"}",
		"{\"unit\":\"%41\"}",	   "{\"manual_because\":\"mood\"}",
		"{\"objects\":[]}",	   "{\"objects\":null}",
		"{\"requires\":null}",	   "{\"requires\":[1]}",
		"{\"occurrence\":-1}",	   "{\"downgraded\":true}",
		"{\"manual_because\":\"in_use\"}",
	};
	for (size_t i = 0; i < DL_COUNT(changes); i++)
		assert_int_equal(read_changed(1, changes[i]), DL_E_INVALID);
}

static void refuses_requirements_that_are_not_earlier_steps_in_order(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"requires\":[4]}",	"{\"requires\":[5]}",	"{\"requires\":[0]}",
		"{\"requires\":[2,1]}", "{\"requires\":[1,1]}", "{\"requires\":[\"1\"]}",
		"{\"requires\":[-1]}",
	};
	for (size_t i = 0; i < DL_COUNT(changes); i++)
		assert_int_equal(read_changed(4, changes[i]), DL_E_INVALID);
	assert_int_equal(read_changed(5, "{\"requires\":[1]}"), DL_E_INVALID);
}

static void refuses_an_assisted_step_that_requires_a_manual_one(void **state)
{
	(void)state;
	assert_int_equal(read_changed(1, "{\"verb\":\"manual\"}"), DL_E_INVALID);
}

static void refuses_a_verb_with_another_verbs_target(void **state)
{
	(void)state;
	assert_int_equal(read_changed(1, "{\"verb\":\"file.quarantine\"}"), DL_E_INVALID);
	assert_int_equal(read_changed(2, "{\"verb\":\"cron.line_remove\"}"), DL_E_INVALID);
	assert_int_equal(read_changed(3, "{\"verb\":\"file.quarantine\"}"), DL_E_INVALID);
	assert_int_equal(read_changed(3, "{\"verb\":\"reg.value_delete\"}"), DL_E_INVALID);
	assert_int_equal(read_changed(4, "{\"verb\":\"systemd.unit_remove\",\"unit\":\"x\"}"),
			 DL_E_INVALID);
	assert_int_equal(read_changed(3, "{\"line\":null}"), DL_E_INVALID);
	assert_int_equal(read_changed(3, "{\"occurrence\":0}"), DL_E_INVALID);
}

static void refuses_a_target_that_is_not_exact(void **state)
{
	(void)state;
	for (size_t step = 1; step <= 4; step++) {
		if (step == 3) /* a table's hash is no precondition */
			continue;
		dl_auto(dl_plan) plan = sample_plan();
		dl_auto(dl_plan) again = NULL;
		free(DL_TAKE(plan->steps[step - 1].objects[0].sha256));
		dl_autojson *json = dl_plan_to_json(plan);
		assert_int_equal(dl_plan_from_json(json, &again, NULL), DL_E_INVALID);
	}
}

static void refuses_more_steps_than_the_limit(void **state)
{
	(void)state;
	dl_autojson *steps = json_array();
	struct dl_plan *plan = NULL;
	for (int i = 0; i <= DL_PLAN_STEPS_MAX; i++)
		json_array_append_new(steps, json_object());
	assert_int_equal(dl_plan_from_json(steps, &plan, NULL), DL_E_LIMIT);
	dl_autojson *object = json_object();
	assert_int_equal(dl_plan_from_json(object, &plan, NULL), DL_E_INVALID);
	assert_null(plan);
}

static void forces_what_a_chosen_step_requires(void **state)
{
	(void)state;
	dl_auto(dl_plan) plan = sample_plan();
	bool file[5] = { [3] = true }, timer[5] = { [0] = true }, none[5] = { false };
	assert_int_equal(dl_plan_close_choice(plan, file, NULL), 0);
	assert_true(file[0] && file[1] && file[2] && file[3] && !file[4]);
	assert_int_equal(dl_plan_close_choice(plan, timer, NULL), 0);
	assert_true(timer[0] && !timer[1] && !timer[2] && !timer[3]);
	assert_int_equal(dl_plan_close_choice(plan, none, NULL), 0);
	assert_false(none[0]);
}

static void follows_requirements_of_requirements(void **state)
{
	(void)state;
	dl_auto(dl_plan) plan = sample_plan();
	struct dl_step *service = &plan->steps[1], *file = &plan->steps[3];
	file->requires[0] = 2;
	file->require_count = 1;
	service->requires = dl_alloc(1, sizeof(service->requires[0]));
	service->requires[0] = 1;
	service->require_count = 1;
	bool chosen[5] = { [3] = true };
	assert_int_equal(dl_plan_close_choice(plan, chosen, NULL), 0);
	assert_true(chosen[0] && chosen[1] && !chosen[2]);
}

static void refuses_a_chosen_manual_step(void **state)
{
	(void)state;
	dl_auto(dl_plan) plan = sample_plan();
	bool chosen[5] = { [4] = true };
	assert_int_equal(dl_plan_close_choice(plan, chosen, NULL), DL_E_INVALID);
}

static void refuses_to_close_over_a_requirement_that_is_not_earlier(void **state)
{
	(void)state;
	dl_auto(dl_plan) plan = sample_plan();
	bool chosen[5] = { [3] = true };
	plan->steps[3].requires[0] = 4;
	assert_int_equal(dl_plan_close_choice(plan, chosen, NULL), DL_E_INVALID);
	plan->steps[3].requires[0] = 0;
	assert_int_equal(dl_plan_close_choice(plan, chosen, NULL), DL_E_INVALID);
}

static void knows_every_state_by_its_name_and_which_are_final(void **state)
{
	(void)state;
	for (int i = 0; i < DL_RUN_STATE_COUNT; i++) {
		enum dl_run_state parsed = DL_RUN_STATE_COUNT;
		enum dl_run_state run = (enum dl_run_state)i;
		assert_int_equal(dl_run_state_parse(dl_run_state_name(run), &parsed, NULL), 0);
		assert_int_equal(parsed, run);
		assert_int_equal(dl_run_state_is_terminal(run),
				 run != DL_RUN_PENDING && run != DL_RUN_RUNNING);
	}
	enum dl_run_state parsed;
	assert_int_equal(dl_run_state_parse("success", &parsed, NULL), DL_E_INVALID);
	assert_string_equal(dl_verb_name(DL_VERB_SYSTEMD_UNIT_REMOVE), "systemd.unit_remove");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_it_wrote),
		cmocka_unit_test(refuses_a_step_that_breaks_its_schema),
		cmocka_unit_test(refuses_requirements_that_are_not_earlier_steps_in_order),
		cmocka_unit_test(refuses_an_assisted_step_that_requires_a_manual_one),
		cmocka_unit_test(refuses_a_verb_with_another_verbs_target),
		cmocka_unit_test(refuses_a_target_that_is_not_exact),
		cmocka_unit_test(refuses_more_steps_than_the_limit),
		cmocka_unit_test(forces_what_a_chosen_step_requires),
		cmocka_unit_test(follows_requirements_of_requirements),
		cmocka_unit_test(refuses_a_chosen_manual_step),
		cmocka_unit_test(refuses_to_close_over_a_requirement_that_is_not_earlier),
		cmocka_unit_test(knows_every_state_by_its_name_and_which_are_final),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
