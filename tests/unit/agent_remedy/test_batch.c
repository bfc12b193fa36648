/* Many objects that share their syncs: each fares as if it were alone. */
#include "agent/quarantine/batch.h"
#include "core/base/time.h"
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOME = 5, LEASES = 200 * 1000, PATIENCE_MS = 60 * 1000 };

/* "object-I", planted with a content of its own. */
static const char *object_path(const struct world *world, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "folder/object-%d", i);
	return world_path(world, name);
}

static void plant_objects(const struct world *world, int count)
{
	assert_int_equal(mkdir(world_path(world, "folder"), 0755), 0);
	for (int i = 0; i < count; i++)
		write_file(object_path(world, i), object_path(world, i));
}

static bool is_whole(const struct world *world, int i)
{
	dl_autofree char *content = read_file(object_path(world, i));

	return content && strcmp(content, object_path(world, i)) == 0;
}

static int add(struct world *world, struct dl_batch *batch, int i, size_t *ret_item,
	       struct dl_error *err)
{
	dl_autoobject object = approve(object_path(world, i));
	enum dl_reason reason = DL_REASON_NONE;

	return dl_batch_take(batch, &world->errand, &object, ret_item, &reason, err);
}

static struct dl_batch *prepare(struct world *world, int count)
{
	struct dl_batch *batch = dl_batch_new(world->quarantine);
	struct dl_error err = { 0 };

	for (int i = 0; i < count; i++) {
		size_t item = 0;

		if (add(world, batch, i, &item, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(item, i);
	}
	dl_batch_find_holders(batch);
	return batch;
}

static void journal(struct world *world, struct dl_batch *batch,
		    int (*phase)(struct dl_batch *, struct dl_error *))
{
	dl_autogroup group = { NULL };
	struct dl_error err = { 0 };

	if (dl_journal_group_begin(&group, world->journal, &err) < 0 || phase(batch, &err) < 0 ||
	    dl_journal_group_end(&group, &err) < 0)
		fail_msg("%s", err.text);
}

static void carry_out(struct world *world, struct dl_batch *batch)
{
	journal(world, batch, dl_batch_intend);
	dl_batch_act(batch);
	journal(world, batch, dl_batch_conclude);
}

static int result_of(const struct dl_batch *batch, size_t item)
{
	struct dl_outcome outcome = { 0 };

	return dl_batch_result(batch, item, &outcome, NULL);
}

static void takes_all_of_a_batch_and_gives_them_back(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) taking = NULL;
	dl_auto(dl_batch) giving = dl_batch_new(world->quarantine);

	plant_objects(world, SOME);
	taking = prepare(world, SOME);
	carry_out(world, taking);
	assert_int_equal(count_kept(world), SOME);
	for (size_t i = 0; i < SOME; i++) {
		size_t item = 0;

		assert_int_equal(result_of(taking, i), 0);
		assert_int_equal(dl_batch_move(taking, i)->state, DL_MOVE_DONE);
		assert_false(is_there(object_path(world, (int)i)));
		assert_int_equal(dl_batch_restore(giving, dl_batch_move(taking, i), &item, NULL), 0);
	}
	carry_out(world, giving);
	assert_int_equal(count_kept(world), 0);
	for (size_t i = 0; i < SOME; i++) {
		assert_int_equal(result_of(giving, i), 0);
		assert_true(is_whole(world, (int)i));
	}
}

static void a_swapped_object_does_not_keep_the_others(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = NULL;

	plant_objects(world, SOME);
	batch = prepare(world, SOME);
	journal(world, batch, dl_batch_intend);
	write_file(world_path(world, "victim"), "not approved");
	assert_int_equal(rename(world_path(world, "victim"), object_path(world, 2)), 0);
	dl_batch_act(batch);
	journal(world, batch, dl_batch_conclude);
	for (size_t i = 0; i < SOME; i++) {
		assert_int_equal(result_of(batch, i), i == 2 ? DL_E_STALE : 0);
		assert_int_equal(is_there(object_path(world, (int)i)), i == 2);
	}
	assert_int_equal(count_kept(world), SOME - 1);
}

static void an_occupied_name_does_not_keep_the_others_from_coming_back(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) taking = NULL;
	dl_auto(dl_batch) giving = dl_batch_new(world->quarantine);
	size_t item = 0;

	plant_objects(world, SOME);
	taking = prepare(world, SOME);
	carry_out(world, taking);
	for (size_t i = 0; i < SOME; i++)
		assert_int_equal(dl_batch_restore(giving, dl_batch_move(taking, i), &item, NULL), 0);
	journal(world, giving, dl_batch_intend);
	write_file(object_path(world, 0), "somebody else's");
	dl_batch_act(giving);
	journal(world, giving, dl_batch_conclude);
	assert_int_equal(result_of(giving, 0), DL_E_EXISTS);
	assert_int_equal(dl_batch_move(giving, 0)->state, DL_MOVE_DONE);
	assert_int_equal(count_kept(world), 1);
	for (int i = 1; i < SOME; i++)
		assert_true(is_whole(world, i));
}

static void tells_when_the_path_leads_to_it_again_by_another_folder(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = NULL;

	plant_objects(world, 1);
	batch = prepare(world, 1);
	journal(world, batch, dl_batch_intend);
	assert_int_equal(rename(world_path(world, "folder"), world_path(world, "away")), 0);
	assert_int_equal(mkdir(world_path(world, "folder"), 0755), 0);
	write_file(object_path(world, 0), "back again");
	dl_batch_act(batch);
	journal(world, batch, dl_batch_conclude);
	assert_int_equal(result_of(batch, 0), DL_E_STATE);
	assert_int_equal(dl_batch_move(batch, 0)->state, DL_MOVE_DONE);
	assert_int_equal(count_kept(world), 1);
}

static void intents_of_a_group_that_does_not_end_never_were(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = NULL;
	dl_automoves moves = { 0 };
	struct dl_journal_group group = { NULL };

	plant_objects(world, SOME);
	batch = prepare(world, SOME);
	assert_int_equal(dl_journal_group_begin(&group, world->journal, NULL), 0);
	assert_int_equal(dl_batch_intend(batch, NULL), 0);
	dl_journal_group_abandon(&group);
	assert_int_equal(dl_journal_moves(world->journal, NULL, 0, &moves, NULL), 0);
	assert_int_equal(moves.count, 0);
	assert_int_equal(dl_journal_group_begin(&group, world->journal, NULL), 0);
	assert_int_equal(dl_journal_group_end(&group, NULL), 0);
}

static void recovery_voids_the_intents_of_a_batch_that_never_acted(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = NULL;
	dl_automoves moves = { 0 };

	plant_objects(world, SOME);
	batch = prepare(world, SOME);
	journal(world, batch, dl_batch_intend);
	assert_int_equal(dl_quarantine_recover(world->quarantine, NULL), 0);
	assert_int_equal(dl_journal_moves(world->journal, world->errand.plan_id, 0, &moves, NULL), 0);
	assert_int_equal(moves.count, SOME);
	for (int i = 0; i < SOME; i++) {
		assert_int_equal(moves.items[i].state, DL_MOVE_VOID);
		assert_true(is_whole(world, i));
	}
}

static void a_batch_takes_no_more_than_it_may(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = dl_batch_new(world->quarantine);
	struct dl_error err = { 0 };
	size_t item = 0;

	plant_objects(world, DL_BATCH_MAX + 1);
	for (int i = 0; i < DL_BATCH_MAX; i++)
		assert_int_equal(add(world, batch, i, &item, &err), 0);
	assert_int_equal(add(world, batch, DL_BATCH_MAX, &item, &err), DL_E_LIMIT);
	carry_out(world, batch);
	assert_int_equal(count_kept(world), DL_BATCH_MAX);
	assert_true(is_whole(world, DL_BATCH_MAX));
}

/* ---- who has them open ---- */

/* A child that says when it has what it wants, and then waits to be killed. */
static pid_t child_with(void (*grab)(const char *path), const char *path)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		grab(path);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void grab_open(const char *path)
{
	if (open(path, O_RDONLY) < 0)
		_exit(1);
}

static void grab_mapping(const char *path)
{
	int handle = open(path, O_RDONLY);

	if (handle < 0 || mmap(NULL, 1, PROT_READ, MAP_PRIVATE, handle, 0) == MAP_FAILED)
		_exit(1);
	close(handle);
}

static int64_t holder_of(const struct dl_batch *batch, size_t item, bool *ret_runs)
{
	const json_t *holders = json_object_get(dl_batch_move(batch, item)->about, "holders");
	const json_t *holder = json_array_get(holders, 0);

	assert_non_null(holders);
	assert_true(json_array_size(holders) <= 1);
	*ret_runs = json_is_true(json_object_get(holder, "runs"));
	return json_integer_value(json_object_get(holder, "pid"));
}

static void names_who_maps_or_holds_each_of_a_batch(void **state)
{
	struct world *world = *state;
	dl_auto(dl_batch) batch = NULL;
	pid_t opens, maps;
	bool runs = true;

	plant_objects(world, SOME);
	opens = child_with(grab_open, object_path(world, 1));
	maps = child_with(grab_mapping, object_path(world, 3));
	batch = prepare(world, SOME);
	assert_int_equal(holder_of(batch, 1, &runs), opens);
	assert_false(runs);
	assert_int_equal(holder_of(batch, 3, &runs), maps);
	assert_true(runs);
	assert_int_equal(holder_of(batch, 0, &runs), 0);
	assert_int_equal(holder_of(batch, 2, &runs), 0);
	end_child(opens);
	end_child(maps);
}

static void grab_forever(const char *path)
{
	if (fork() != 0)
		return;
	for (pid_t parent = getppid(); getppid() == parent;)
		close(open(path, O_WRONLY | O_NONBLOCK));
	_exit(0);
}

/* Breaking a lease sends a signal to its holder, whom SIGIO would end. */
static void outlives_somebody_who_opens_what_it_asks_about(void **state)
{
	struct world *world = *state;
	dl_auto(dl_held) held = NULL;
	dl_auto(dl_batch) batch = NULL;
	int64_t end = dl_time_monotonic_ms() + PATIENCE_MS;
	pid_t opener;
	int64_t seen = 0;

	plant_objects(world, 1);
	held = hold(object_path(world, 0));
	batch = prepare(world, 1);
	opener = child_with(grab_forever, object_path(world, 0));
	/* On a busy machine the other one may not have had its turn yet. */
	for (int64_t i = 0; i < LEASES || (seen == 0 && dl_time_monotonic_ms() < end); i++)
		seen += dl_held_has_writer(held);
	end_child(opener);
	assert_true(seen != 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(takes_all_of_a_batch_and_gives_them_back),
		TEST(a_swapped_object_does_not_keep_the_others),
		TEST(an_occupied_name_does_not_keep_the_others_from_coming_back),
		TEST(tells_when_the_path_leads_to_it_again_by_another_folder),
		TEST(intents_of_a_group_that_does_not_end_never_were),
		TEST(recovery_voids_the_intents_of_a_batch_that_never_acted),
		TEST(a_batch_takes_no_more_than_it_may),
		TEST(names_who_maps_or_holds_each_of_a_batch),
		TEST(outlives_somebody_who_opens_what_it_asks_about),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: looking into other processes needs root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
