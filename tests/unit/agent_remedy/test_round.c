/* Steps that share a round keep what they require of each other. */
#include "agent/quarantine/batch.h"
#include "agent/remedy/remedy.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define APPLY_ID "0000000000000000000000000000000a"
#define UNDO_ID  "0000000000000000000000000000000b"

enum { PAIRS = 3, MANY = DL_BATCH_MAX + 5 };

/* Of step ID: odd ones are triggers, each followed by its payload. */
static const char *step_path(const struct world *world, int64_t id)
{
	char name[32];

	snprintf(name, sizeof(name), "step-%d", (int)id);
	return world_path(world, name);
}

static void add_step(const struct world *world, struct dl_plan *plan, int64_t required)
{
	struct dl_step *step;
	const char *path = step_path(world, (int64_t)plan->step_count + 1);

	write_file(path, path);
	plan->steps = dl_realloc(plan->steps, plan->step_count + 1, sizeof(*plan->steps));
	step = &plan->steps[plan->step_count++];
	*step = (struct dl_step){ .id = (int64_t)plan->step_count,
				  .verb = DL_VERB_FILE_QUARANTINE,
				  .title = dl_strdup("a step"),
				  .objects = DL_NEW(struct dl_object),
				  .object_count = 1 };
	step->objects[0] = approve(path);
	if (required == 0)
		return;
	step->requires = DL_NEW(int64_t);
	step->requires[0] = required;
	step->require_count = 1;
}

static struct dl_order *order_of(struct dl_plan *plan)
{
	struct dl_order *order = DL_NEW(struct dl_order);

	strcpy(order->plan_id, APPLY_ID);
	order->plan = plan;
	order->chosen = dl_alloc(plan->step_count, sizeof(*order->chosen));
	for (size_t i = 0; i < plan->step_count; i++)
		order->chosen[i] = true;
	return order;
}

/* trigger, payload, trigger, payload … */
static struct dl_order *pairs(const struct world *world, int count)
{
	struct dl_plan *plan = dl_plan_new();

	for (int i = 0; i < count; i++) {
		add_step(world, plan, 0);
		add_step(world, plan, (int64_t)plan->step_count);
	}
	return order_of(plan);
}

static json_t *carry_out(const struct world *world, const struct dl_order *order,
			 enum dl_remedy_scope scope)
{
	dl_auto(dl_remedy) remedy = NULL;
	struct dl_error err = { 0 };
	json_t *result = NULL;
	int r = dl_remedy_open(world->state, world->journal, &remedy, &err);

	if (r == 0 && order->kind == DL_ORDER_UNDO)
		r = dl_remedy_undo(remedy, order, scope, &result, &err);
	else if (r == 0)
		r = dl_remedy_apply(remedy, order, scope, &result, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	return result;
}

static const char *state_of(const json_t *result, int64_t id)
{
	const json_t *run;
	size_t i;

	json_array_foreach(json_object_get(result, "runs"), i, run)
		if (json_integer_value(json_object_get(run, "step")) == id)
			return json_string_value(json_object_get(run, "state"));
	return "pending";
}

static void turn_into_undo(struct dl_order *order)
{
	order->kind = DL_ORDER_UNDO;
	strcpy(order->undo_of, APPLY_ID);
	strcpy(order->plan_id, UNDO_ID);
}

static void removes_pairs_and_puts_them_back(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, PAIRS);
	dl_autojson *removed = carry_out(world, order, DL_REMEDY_ALL);
	dl_autojson *restored = NULL;

	assert_int_equal(count_kept(world), 2 * PAIRS);
	turn_into_undo(order);
	restored = carry_out(world, order, DL_REMEDY_ALL);
	for (int64_t id = 1; id <= 2 * PAIRS; id++) {
		assert_string_equal(state_of(removed, id), "removed");
		assert_string_equal(state_of(restored, id), "restored");
		assert_true(is_there(step_path(world, id)));
	}
}

static void skips_the_payload_of_a_trigger_that_changed(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, PAIRS);
	dl_autojson *result = NULL;

	write_file(step_path(world, 3), "edited since");
	result = carry_out(world, order, DL_REMEDY_ALL);
	assert_string_equal(state_of(result, 1), "removed");
	assert_string_equal(state_of(result, 2), "removed");
	assert_string_equal(state_of(result, 3), "stale");
	assert_string_equal(state_of(result, 4), "skipped");
	assert_string_equal(state_of(result, 6), "removed");
	assert_true(is_there(step_path(world, 3)) && is_there(step_path(world, 4)));
}

static void a_chain_of_requirements_is_skipped_to_its_end(void **state)
{
	struct world *world = *state;
	struct dl_plan *plan = dl_plan_new();
	dl_auto(dl_order) order = NULL;
	dl_autojson *result = NULL;

	for (int64_t id = 1; id <= PAIRS; id++)
		add_step(world, plan, id - 1);
	order = order_of(plan);
	assert_int_equal(unlink(step_path(world, 1)), 0);
	write_file(step_path(world, 2), "edited since");
	result = carry_out(world, order, DL_REMEDY_ALL);
	assert_string_equal(state_of(result, 1), "already_gone");
	assert_string_equal(state_of(result, 2), "stale");
	assert_string_equal(state_of(result, 3), "skipped");
}

static void goes_on_after_the_first_full_round(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, MANY);
	dl_autojson *result = carry_out(world, order, DL_REMEDY_ALL);

	for (int64_t id = 1; id <= 2 * MANY; id++)
		assert_string_equal(state_of(result, id), "removed");
	assert_int_equal(count_kept(world), 2 * MANY);
}

static void a_second_call_changes_nothing(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, PAIRS);
	dl_autojson *first = carry_out(world, order, DL_REMEDY_ALL);
	dl_autojson *second = NULL;

	write_file(step_path(world, 1), "came later");
	second = carry_out(world, order, DL_REMEDY_ALL);
	assert_true(json_equal(first, second));
	assert_true(is_there(step_path(world, 1)));
}

static void only_what_had_started_is_finished_after_a_crash(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, 1);
	dl_autojson *begun = json_pack("{s:i,s:s,s:s,s:s,s:i}", "step", 1, "state", "running",
				       "reason", "", "detail", "", "started", 1);
	dl_autojson *result = NULL;

	assert_int_equal(dl_journal_run_put(world->journal, APPLY_ID, begun, NULL), 0);
	result = carry_out(world, order, DL_REMEDY_STARTED_ONLY);
	assert_string_equal(state_of(result, 1), "removed");
	assert_string_equal(state_of(result, 2), "pending");
	assert_true(is_there(step_path(world, 2)));
}

static void says_when_nothing_of_a_step_is_left_to_undo(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, PAIRS);
	dl_autojson *removed = NULL, *restored = NULL;

	write_file(step_path(world, 3), "edited since");
	removed = carry_out(world, order, DL_REMEDY_ALL);
	assert_string_equal(state_of(removed, 3), "stale");
	turn_into_undo(order);
	restored = carry_out(world, order, DL_REMEDY_ALL);
	assert_string_equal(state_of(restored, 1), "restored");
	assert_string_equal(state_of(restored, 3), "failed");
	assert_string_equal(state_of(restored, 4), "failed");
	assert_int_equal(count_kept(world), 0);
}

static void undo_never_goes_onto_an_occupied_name(void **state)
{
	struct world *world = *state;
	dl_auto(dl_order) order = pairs(world, PAIRS);
	dl_autojson *removed = carry_out(world, order, DL_REMEDY_ALL);
	dl_autojson *restored = NULL;
	dl_autofree char *content = NULL;

	assert_string_equal(state_of(removed, 2), "removed");
	write_file(step_path(world, 2), "somebody else's");
	turn_into_undo(order);
	restored = carry_out(world, order, DL_REMEDY_ALL);
	content = read_file(step_path(world, 2));
	assert_string_equal(content, "somebody else's");
	assert_string_equal(state_of(restored, 2), "failed");
	assert_string_equal(state_of(restored, 1), "restored");
	assert_int_equal(count_kept(world), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(removes_pairs_and_puts_them_back),
		TEST(skips_the_payload_of_a_trigger_that_changed),
		TEST(a_chain_of_requirements_is_skipped_to_its_end),
		TEST(goes_on_after_the_first_full_round),
		TEST(a_second_call_changes_nothing),
		TEST(only_what_had_started_is_finished_after_a_crash),
		TEST(says_when_nothing_of_a_step_is_left_to_undo),
		TEST(undo_never_goes_onto_an_occupied_name),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: owners and attributes need root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("round", tests, NULL, NULL);
}
