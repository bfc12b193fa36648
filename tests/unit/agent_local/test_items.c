/* The quarantine as people see it: listed, capped, and destroyed on decision only. */
#include "agent/quarantine/items.h"
#include "agent/quarantine/limits.h"
#include "tests/unit/agent_remedy/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB INT64_C(1048576)

/* Takes a new file with this content; its id. */
static void take(struct world *world, const char *name, const char *content, char id[DL_ID_TEXT_SIZE])
{
	const char *path = world_path(world, name);
	struct dl_outcome outcome = { 0 };
	write_file(path, content);
	dl_autoobject object = approve(path);
	assert_int_equal(dl_quarantine_take(world->quarantine, &world->errand, &object, &outcome,
					    NULL), 0);
	memcpy(id, outcome.id, DL_ID_TEXT_SIZE);
}

static json_t *list(struct world *world)
{
	json_t *all = NULL;
	assert_int_equal(dl_items_list(world->journal, &all, NULL), 0);
	return all;
}

static size_t count(struct world *world)
{
	dl_autojson *all = list(world);
	return json_array_size(json_object_get(all, "items"));
}

static void lists_what_was_taken_with_its_facts(void **state)
{
	struct world *world = *state;
	char one[DL_ID_TEXT_SIZE], other[DL_ID_TEXT_SIZE];
	take(world, "one", "12345", one);
	take(world, "other", "678", other);
	dl_autojson *all = list(world);
	const json_t *items = json_object_get(all, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_int_equal(json_integer_value(json_object_get(all, "bytes")), 8);
	const json_t *item = json_array_get(items, 0);
	assert_string_equal(json_string_value(json_object_get(item, "id")), one);
	assert_string_equal(json_string_value(json_object_get(item, "type")), "file");
	assert_string_equal(json_string_value(json_object_get(item, "path")),
			    world_path(world, "one"));
}

static void forgets_what_was_given_back(void **state)
{
	struct world *world = *state;
	char id[DL_ID_TEXT_SIZE];
	dl_autojson *item = NULL;
	take(world, "one", "1", id);
	dl_automove move = only_move(world);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), 0);
	assert_int_equal(count(world), 0);
	assert_int_equal(dl_items_show(world->journal, id, &item, NULL), DL_E_NOT_FOUND);
}

static void purges_one_and_leaves_the_other(void **state)
{
	struct world *world = *state;
	char one[DL_ID_TEXT_SIZE], other[DL_ID_TEXT_SIZE];
	take(world, "one", "1", one);
	take(world, "other", "2", other);
	dl_automove move = { 0 };
	assert_int_equal(dl_journal_move(world->journal, one, &move, NULL), 0);
	assert_int_equal(dl_quarantine_purge(world->quarantine, &move, NULL), 0);
	assert_int_equal(count_kept(world), 1);
	assert_int_equal(count(world), 1);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), DL_E_STATE);
	assert_int_equal(dl_quarantine_purge(world->quarantine, &move, NULL), DL_E_STATE);
	assert_false(is_there(world_path(world, "one")));
}

static void finishes_a_purge_that_was_cut_off_after_the_file_was_gone(void **state)
{
	struct world *world = *state;
	char id[DL_ID_TEXT_SIZE], name[64];
	take(world, "one", "1", id);
	snprintf(name, sizeof(name), "state/quarantine/%s", id);
	assert_int_equal(unlink(world_path(world, name)), 0);
	dl_automove move = only_move(world);
	assert_int_equal(dl_quarantine_purge(world->quarantine, &move, NULL), 0);
	assert_int_equal(count(world), 0);
}

/* ---- limits ---- */

static int parse(const char *text, struct dl_limits *ret, struct dl_error *err)
{
	return dl_limits_parse(text, strlen(text), ret, err);
}

static void purges_nothing_by_itself_unless_told_to(void **state)
{
	struct dl_limits limits;
	(void)state;
	assert_int_equal(parse("", &limits, NULL), 0);
	assert_int_equal(limits.purge_after_days, 0);
	assert_int_equal(limits.max_bytes, DL_LIMITS_MIB_DEFAULT * MIB);
	assert_int_equal(parse("[quarantine]\nmax_mib = 3\npurge_after_days = 9\n", &limits, NULL), 0);
	assert_int_equal(limits.purge_after_days, 9);
	assert_int_equal(limits.max_bytes, 3 * MIB);
}

static void refuses_a_setting_it_does_not_know_with_its_line(void **state)
{
	static const char *const bad[] = {
		"[quarantine]\nmax_mb = 3\n",	 "[quarantine]\nmax_mib = -1\n",
		"[quarantine]\nmax_mib = 3x\n",	 "[quarantine]\nmax_mib =\n",
		"[other]\nmax_mib = 3\n",	 "[quarantine]\npurge_after_days = 99999\n",
		"[quarantine]\nno sense here\n",
	};
	struct dl_limits limits;
	(void)state;
	for (size_t i = 0; i < DL_COUNT(bad); i++) {
		struct dl_error error = { 0 };
		assert_int_equal(parse(bad[i], &limits, &error), DL_E_INVALID);
		assert_non_null(strstr(error.text, "line 2"));
	}
}

static int allow(struct world *world, int64_t size, int64_t most)
{
	struct dl_object object = { .type = DL_TYPE_FILE, .size = size };
	struct dl_step step = { .id = 1, .objects = &object, .object_count = 1 };
	struct dl_plan plan = { .steps = &step, .step_count = 1 };
	struct dl_limits limits = { .max_bytes = most };
	return dl_limits_allow(&limits, world->journal, &plan, (bool[]){ true }, NULL);
}

static void refuses_what_would_pass_the_cap_together_with_what_is_there(void **state)
{
	struct world *world = *state;
	char id[DL_ID_TEXT_SIZE];
	assert_int_equal(allow(world, 10, 10), 0);
	assert_int_equal(allow(world, 11, 10), DL_E_NO_SPACE);
	take(world, "one", "123", id);
	assert_int_equal(allow(world, 7, 10), 0);
	assert_int_equal(allow(world, 8, 10), DL_E_NO_SPACE);
	assert_int_equal(allow(world, INT64_MAX, INT64_MAX), DL_E_NO_SPACE);
	assert_int_equal(allow(world, 1, 2), DL_E_NO_SPACE);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(lists_what_was_taken_with_its_facts),
		WORLD_TEST(forgets_what_was_given_back),
		WORLD_TEST(purges_one_and_leaves_the_other),
		WORLD_TEST(finishes_a_purge_that_was_cut_off_after_the_file_was_gone),
		cmocka_unit_test(purges_nothing_by_itself_unless_told_to),
		cmocka_unit_test(refuses_a_setting_it_does_not_know_with_its_line),
		WORLD_TEST(refuses_what_would_pass_the_cap_together_with_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
