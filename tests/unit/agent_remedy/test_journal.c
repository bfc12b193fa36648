/* The agent's memory: what must be known for ever, and what may happen once. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAN "0123456789abcdef0123456789abcdef"

static void restart(struct world *world)
{
	world_close(world);
	world_open(world);
}

static int seal(void *context, int64_t seq, char **ret_envelope, struct dl_error *err)
{
	char text[64];

	if (context)
		return dl_error_set(err, DL_E_CRYPTO, "no key");
	snprintf(text, sizeof(text), "{\"seq\":%lld}", (long long)seq);
	*ret_envelope = dl_strdup(text);
	return 0;
}

static int64_t add_record(struct world *world)
{
	int64_t seq = 0;

	assert_int_equal(dl_journal_record_add(world->journal, false, seal, NULL, NULL,
					       DL_JOURNAL_FINISHED, &seq, NULL),
			 0);
	return seq;
}

static void refuses_a_plan_id_it_has_seen(void **state)
{
	struct world *world = *state;

	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, "{}", "{}", 1, NULL), 0);
	assert_int_equal(dl_journal_record_add(world->journal, false, seal, NULL, PLAN,
					       DL_JOURNAL_REFUSED, NULL, NULL),
			 0);
	assert_int_equal(dl_journal_acked(world->journal, 1, NULL), 0);
	restart(world);
	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, "{}", "{}", 2, NULL),
			 DL_E_EXISTS);
}

static void refuses_a_second_agent_on_the_same_state(void **state)
{
	struct world *world = *state;
	struct dl_journal *second = NULL;

	assert_int_equal(dl_journal_open(world->state, &second, NULL), DL_E_BUSY);
	assert_null(second);
}

static void ends_a_plan_exactly_once(void **state)
{
	struct world *world = *state;
	dl_autoplan plan = { 0 };
	struct dl_error err = { 0 };

	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, "{}", "{}", 1, NULL), 0);
	/* What was not claimed cannot be finished. */
	assert_int_equal(dl_journal_record_add(world->journal, false, seal, NULL, PLAN,
					       DL_JOURNAL_FINISHED, NULL, &err),
			 DL_E_STATE);
	assert_int_equal(dl_journal_plan_move(world->journal, PLAN, DL_JOURNAL_RECEIVED,
					      DL_JOURNAL_CLAIMED, NULL),
			 0);
	assert_int_equal(dl_journal_record_add(world->journal, false, seal, NULL, PLAN,
					       DL_JOURNAL_FINISHED, NULL, NULL),
			 0);
	assert_int_equal(dl_journal_record_add(world->journal, false, seal, NULL, PLAN,
					       DL_JOURNAL_FINISHED, NULL, NULL),
			 DL_E_STATE);
	assert_int_equal(dl_journal_plan(world->journal, PLAN, &plan, NULL), 0);
	assert_int_equal(plan.state, DL_JOURNAL_FINISHED);
}

static void keeps_no_record_and_no_end_when_sealing_fails(void **state)
{
	struct world *world = *state;
	dl_autoplan plan = { 0 };
	int64_t last = -1;

	assert_int_equal(dl_journal_plan_add(world->journal, PLAN, "{}", "{}", 1, NULL), 0);
	assert_int_equal(dl_journal_record_add(world->journal, false, seal, world, PLAN,
					       DL_JOURNAL_REFUSED, NULL, NULL),
			 DL_E_CRYPTO);
	assert_int_equal(dl_journal_plan(world->journal, PLAN, &plan, NULL), 0);
	assert_int_equal(plan.state, DL_JOURNAL_RECEIVED);
	assert_int_equal(dl_journal_last_seq(world->journal, &last, NULL), 0);
	assert_int_equal(last, 0);
}

static void never_gives_a_number_out_twice(void **state)
{
	struct world *world = *state;
	int64_t last = 0;

	assert_int_equal(add_record(world), 1);
	assert_int_equal(add_record(world), 2);
	assert_int_equal(dl_journal_acked(world->journal, 2, NULL), 0);
	restart(world);
	assert_int_equal(dl_journal_last_seq(world->journal, &last, NULL), 0);
	assert_int_equal(last, 2);
	assert_int_equal(add_record(world), 3);
}

static void gives_records_oldest_first_within_the_limits(void **state)
{
	struct world *world = *state;
	dl_autojson *two = NULL, *one = NULL;

	for (int i = 0; i < 5; i++)
		add_record(world);
	assert_int_equal(dl_journal_acked(world->journal, 1, NULL), 0);
	assert_int_equal(dl_journal_records(world->journal, 2, 1000, &two, NULL), 0);
	assert_int_equal(json_array_size(two), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(two, 0), "seq")), 2);
	/* At least one, however large. */
	assert_int_equal(dl_journal_records(world->journal, 5, 1, &one, NULL), 0);
	assert_int_equal(json_array_size(one), 1);
}

static void refuses_an_acknowledgement_of_what_it_never_sent(void **state)
{
	struct world *world = *state;
	dl_autojson *left = NULL;

	add_record(world);
	assert_int_equal(dl_journal_acked(world->journal, 2, NULL), DL_E_INVALID);
	assert_int_equal(dl_journal_acked(world->journal, -1, NULL), DL_E_INVALID);
	assert_int_equal(dl_journal_records(world->journal, 5, 1000, &left, NULL), 0);
	assert_int_equal(json_array_size(left), 1);
}

static void never_changes_the_end_of_a_run(void **state)
{
	struct world *world = *state;
	dl_autojson *running = json_pack("{s:i,s:s}", "step", 3, "state", "running");
	dl_autojson *removed = json_pack("{s:i,s:s}", "step", 3, "state", "removed");
	dl_autojson *stored = NULL;

	assert_int_equal(dl_journal_run(world->journal, PLAN, 3, &stored, NULL), DL_E_NOT_FOUND);
	assert_int_equal(dl_journal_run_put(world->journal, PLAN, running, NULL), 0);
	assert_int_equal(dl_journal_run_put(world->journal, PLAN, removed, NULL), 0);
	assert_int_equal(dl_journal_run_put(world->journal, PLAN, running, NULL), DL_E_STATE);
	assert_int_equal(dl_journal_run(world->journal, PLAN, 3, &stored, NULL), 0);
	assert_true(json_equal(stored, removed));
}

static void moves_change_state_by_compare_and_swap(void **state)
{
	struct world *world = *state;
	dl_automove move = { .id = "a", .plan_id = PLAN, .step = 1, .about = json_object() };
	dl_automove same = { 0 };

	assert_int_equal(dl_journal_move_add(world->journal, &move, NULL), 0);
	assert_int_equal(dl_journal_move(world->journal, "a", &same, NULL), 0);
	assert_int_equal(dl_journal_move_to(world->journal, &move, DL_MOVE_DONE, NULL), 0);
	assert_int_equal(dl_journal_move_to(world->journal, &same, DL_MOVE_VOID, NULL), DL_E_STATE);
	assert_int_equal(dl_journal_move_add(world->journal, &move, NULL), DL_E_EXISTS);
}

static void stores_an_enrolment_whole_or_not_at_all(void **state)
{
	struct world *world = *state;
	dl_autofree char *huge = dl_alloc(1, DL_SETTING_MAX_BYTES + 2);
	dl_autofree char *value = NULL;
	struct dl_setting settings[] = { { "agent_id", "7" }, { "root_key", huge } };

	memset(huge, 'x', DL_SETTING_MAX_BYTES + 1);
	assert_int_equal(dl_journal_set_all(world->journal, settings, 2, NULL), DL_E_LIMIT);
	assert_int_equal(dl_journal_setting(world->journal, "agent_id", &value, NULL),
			 DL_E_NOT_FOUND);
	assert_int_equal(dl_journal_set_all(world->journal, settings, 1, NULL), 0);
	restart(world);
	assert_int_equal(dl_journal_setting(world->journal, "agent_id", &value, NULL), 0);
	assert_string_equal(value, "7");
}

static void remembers_when_a_foothold_was_first_seen(void **state)
{
	struct world *world = *state;
	const char *keys[] = { "one", "two" };
	int64_t times[2] = { 0 };

	assert_int_equal(dl_journal_first_seen(world->journal, keys, 1, 100, times, NULL), 0);
	assert_int_equal(dl_journal_first_seen(world->journal, keys, 2, 200, times, NULL), 0);
	assert_int_equal(times[0], 100);
	assert_int_equal(times[1], 200);
}

static void forgets_what_was_not_met_for_very_long(void **state)
{
	struct world *world = *state;
	const char *keys[] = { "one", "two" };
	int64_t late = 200 + DL_SEEN_KEPT_MS;
	int64_t times[2] = { 0 };

	assert_int_equal(dl_journal_first_seen(world->journal, keys, 2, 100, times, NULL), 0);
	assert_int_equal(dl_journal_first_seen(world->journal, keys, 1, 300, times, NULL), 0);
	assert_int_equal(dl_journal_first_seen(world->journal, keys, 2, late, times, NULL), 0);
	assert_int_equal(times[0], 100);
	assert_int_equal(times[1], late);
}

static void refuses_a_state_folder_that_others_may_enter(void **state)
{
	struct world *world = *state;
	const char *open_to_all = world_path(world, "open");
	int handle = -1;

	assert_int_equal(mkdir(open_to_all, 0755), 0);
	assert_int_equal(dl_state_folder_open(open_to_all, &handle, NULL), DL_E_DENIED);
	assert_int_equal(symlink("state", world_path(world, "link")), 0);
	assert_true(dl_state_folder_open(world_path(world, "link"), &handle, NULL) < 0);
	assert_int_equal(handle, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_plan_id_it_has_seen),
		TEST(refuses_a_second_agent_on_the_same_state),
		TEST(ends_a_plan_exactly_once),
		TEST(keeps_no_record_and_no_end_when_sealing_fails),
		TEST(never_gives_a_number_out_twice),
		TEST(gives_records_oldest_first_within_the_limits),
		TEST(refuses_an_acknowledgement_of_what_it_never_sent),
		TEST(never_changes_the_end_of_a_run),
		TEST(moves_change_state_by_compare_and_swap),
		TEST(stores_an_enrolment_whole_or_not_at_all),
		TEST(remembers_when_a_foothold_was_first_seen),
		TEST(forgets_what_was_not_met_for_very_long),
		TEST(refuses_a_state_folder_that_others_may_enter),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
