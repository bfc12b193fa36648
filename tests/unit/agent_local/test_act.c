/* Acts of the host's own root: read strictly, carried out once, finished after a crash. */
#include "agent/local/act.h"
#include "agent/local/document.h"
#include "tests/unit/agent_remedy/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PLAN "0123456789abcdef0123456789abcdef"

struct desk {
	struct world *world;
	struct dl_remedy *remedy;
	struct dl_local local;
};

static void desk_open(struct desk *desk, struct world *world)
{
	*desk = (struct desk){ .world = world };
	assert_int_equal(dl_remedy_open(world->state, world->journal, &desk->remedy, NULL), 0);
	desk->local = (struct dl_local){ world->journal, desk->remedy, world->quarantine, NULL };
}

static void desk_close(struct desk *desk)
{
	dl_remedy_free(desk->remedy);
}
#define autodesk __attribute__((cleanup(desk_close))) struct desk

static int ask(struct desk *desk, json_t *asked, json_t **ret_answer, struct dl_error *err)
{
	dl_autojson *owned = asked;
	bool changed;
	assert_non_null(owned);
	return dl_local_answer(&desk->local, owned, ret_answer, &changed, err);
}

/* A plan that moves one file to quarantine. */
static json_t *plan_for(const char *path)
{
	dl_autoobject object = approve(path);
	object.role = DL_ROLE_PAYLOAD;
	struct dl_step step = { .id = 1, .verb = DL_VERB_FILE_QUARANTINE, .title = "Move it",
				.objects = &object, .object_count = 1 };
	memset(step.key, 'a', sizeof(step.key) - 1);
	struct dl_plan plan = { .steps = &step, .step_count = 1 };
	struct dl_document document = { .plan_id = PLAN, .hostname = "here", .plan = &plan };
	return dl_document_to_json(&document);
}

static json_t *by(void)
{
	return json_pack("{s:i,s:s}", "uid", 1000, "login", "ann");
}

static json_t *apply_of(const char *path)
{
	return json_pack("{s:s,s:o,s:[i],s:o}", "act", "apply", "plan", plan_for(path), "chosen", 1,
			 "by", by());
}

static const char *only_state(const json_t *result)
{
	const json_t *runs = json_object_get(result, "runs");
	assert_int_equal(json_array_size(runs), 1);
	return json_string_value(json_object_get(json_array_get(runs, 0), "state"));
}

static enum dl_journal_plan_state plan_state(struct world *world, const char *plan_id)
{
	dl_autoplan plan = { 0 };
	assert_int_equal(dl_journal_plan(world->journal, plan_id, &plan, NULL), 0);
	return plan.state;
}

static void refuses_what_is_no_ask(void **state)
{
	autodesk desk;
	json_t *answer = NULL;
	desk_open(&desk, *state);
	assert_int_equal(ask(&desk, json_pack("{s:s}", "act", "shell"), &answer, NULL),
			 DL_E_INVALID);
	assert_int_equal(ask(&desk, json_object(), &answer, NULL), DL_E_INVALID);
	assert_int_equal(ask(&desk, json_pack("{s:s,s:i}", "act", "items", "x", 1), &answer, NULL),
			 DL_E_INVALID);
	assert_int_equal(ask(&desk, json_pack("{s:s,s:[s],s:o}", "act", "purge", "ids", "../../x",
					      "by", by()), &answer, NULL), DL_E_INVALID);
	assert_int_equal(ask(&desk, json_pack("{s:s,s:[s]}", "act", "purge", "ids", PLAN), &answer,
			     NULL), DL_E_INVALID);
}

static void removes_once_says_who_and_gives_back(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "bad");
	autodesk desk;
	dl_autojson *result = NULL, *told = NULL, *undone = NULL;
	struct dl_error error = { 0 };
	desk_open(&desk, world);
	write_file(path, "bad");
	dl_autojson *again = apply_of(path);

	assert_int_equal(ask(&desk, apply_of(path), &result, &error), 0);
	assert_string_equal(only_state(result), "removed");
	assert_false(is_there(path));
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_FINISHED);
	assert_int_equal(ask(&desk, json_incref(again), &undone, NULL), DL_E_EXISTS);

	assert_int_equal(ask(&desk, json_pack("{s:s,s:s}", "act", "plan", "plan_id", PLAN), &told,
			     NULL), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(told, "by"), "login")),
			    "ann");
	assert_int_equal(json_array_size(json_object_get(told, "undoable")), 1);

	assert_int_equal(ask(&desk, json_pack("{s:s,s:s,s:[i],s:o}", "act", "undo", "plan_id", PLAN,
					      "chosen", 1, "by", by()), &undone, NULL), 0);
	assert_string_equal(only_state(undone), "restored");
	dl_autofree char *content = read_file(path);
	assert_string_equal(content, "bad");
}

static void leaves_what_changed_alone(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "bad");
	autodesk desk;
	dl_autojson *result = NULL;
	desk_open(&desk, world);
	write_file(path, "bad");
	json_t *asked = apply_of(path);
	write_file(path, "good");
	assert_int_equal(ask(&desk, asked, &result, NULL), 0);
	assert_string_equal(only_state(result), "stale");
	assert_true(is_there(path));
}

/* ---- after a crash ---- */

static void journal_errand(struct world *world, const char *act, const char *path,
			   enum dl_journal_plan_state reached)
{
	dl_autojson *errand = json_pack(
		"{s:i,s:s,s:s,s:o,s:i,s:o,s:[i]}", "local", 1, "act", act, "of", "", "by", by(),
		"time", 1, "document", path ? plan_for(path) : json_object(), "chosen", 1);
	dl_autofree char *text = dl_json_text(errand);
	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, text, DL_LOCAL_KEY, 1, NULL), 0);
	if (reached == DL_JOURNAL_CLAIMED)
		assert_int_equal(dl_journal_plan_move(world->journal, PLAN, DL_JOURNAL_RECEIVED,
						      DL_JOURNAL_CLAIMED, NULL), 0);
}

static void cancels_steps_that_had_not_begun_when_the_command_died(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "bad");
	autodesk desk;
	dl_autojson *runs = NULL;
	desk_open(&desk, world);
	write_file(path, "bad");
	journal_errand(world, "apply", path, DL_JOURNAL_CLAIMED);
	assert_int_equal(dl_local_recover(&desk.local, NULL), 0);
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_FINISHED);
	assert_int_equal(dl_journal_runs(world->journal, PLAN, &runs, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(runs, 0), "state")),
			    "cancelled");
	assert_true(is_there(path));
}

static void finishes_a_step_that_had_begun_when_the_command_died(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "bad");
	autodesk desk;
	desk_open(&desk, world);
	write_file(path, "bad");
	journal_errand(world, "apply", path, DL_JOURNAL_CLAIMED);
	dl_autojson *run = json_pack("{s:i,s:s,s:s,s:s,s:{},s:[],s:[],s:i,s:i}", "step", 1, "state",
				     "running", "reason", "", "detail", "", "flags", "evidence",
				     "quarantine", "started", 1, "finished", 0);
	assert_int_equal(dl_journal_run_put(world->journal, PLAN, run, NULL), 0);
	assert_int_equal(dl_local_recover(&desk.local, NULL), 0);
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_FINISHED);
	assert_false(is_there(path));
	assert_int_equal(count_kept(world), 1);
}

static void ends_an_act_on_the_quarantine(void **state)
{
	struct world *world = *state;
	autodesk desk;
	desk_open(&desk, world);
	journal_errand(world, "purge", NULL, DL_JOURNAL_CLAIMED);
	assert_int_equal(dl_local_recover(&desk.local, NULL), 0);
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_FINISHED);
}

static void never_starts_what_was_journalled_but_not_claimed(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "bad");
	autodesk desk;
	desk_open(&desk, world);
	write_file(path, "bad");
	journal_errand(world, "apply", path, DL_JOURNAL_RECEIVED);
	assert_int_equal(dl_local_recover(&desk.local, NULL), 0);
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_REFUSED);
	assert_true(is_there(path));
}

static void leaves_the_servers_plans_to_the_executor(void **state)
{
	struct world *world = *state;
	autodesk desk;
	desk_open(&desk, world);
	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, "{}", "{}", 1, NULL), 0);
	assert_int_equal(dl_local_recover(&desk.local, NULL), 0);
	assert_int_equal(plan_state(world, PLAN), DL_JOURNAL_RECEIVED);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(refuses_what_is_no_ask),
		WORLD_TEST(removes_once_says_who_and_gives_back),
		WORLD_TEST(leaves_what_changed_alone),
		WORLD_TEST(cancels_steps_that_had_not_begun_when_the_command_died),
		WORLD_TEST(finishes_a_step_that_had_begun_when_the_command_died),
		WORLD_TEST(ends_an_act_on_the_quarantine),
		WORLD_TEST(never_starts_what_was_journalled_but_not_claimed),
		WORLD_TEST(leaves_the_servers_plans_to_the_executor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
