/* An attacker who swaps names as fast as he can must not make us take the
 * wrong file (I3). The naive remover, which checks a path and then renames the
 * path, is kept here to prove that the attack is real: it has to lose. */
#include "world.h"

#include "core/base/time.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RACE_MS = 10 * 1000, RACE_PUT_BACKS = 5 };

#define APPROVED "approved: malware"
#define VICTIM   "victim: payroll"

/* Two names that are swapped without pause. */
struct attack {
	char one[WORLD_PATH_SIZE], other[WORLD_PATH_SIZE];
	atomic_bool stop;
	pthread_t thread;
};

static void *attack_run(void *argument)
{
	struct attack *attack = argument;

	while (!atomic_load(&attack->stop))
		renameat2(AT_FDCWD, attack->one, AT_FDCWD, attack->other, RENAME_EXCHANGE);
	return NULL;
}

static void attack_start(struct attack *attack, const char *one, const char *other)
{
	strcpy(attack->one, one);
	strcpy(attack->other, other);
	atomic_init(&attack->stop, false);
	assert_int_equal(pthread_create(&attack->thread, NULL, attack_run, attack), 0);
}

static void attack_end(struct attack *attack)
{
	atomic_store(&attack->stop, true);
	pthread_join(attack->thread, NULL);
}

static bool holds(const char *path, const char *content)
{
	dl_autofree char *found = read_file(path);

	return found && strcmp(found, content) == 0;
}

/* Checks, then acts on the path again. True when it carried the victim away. */
static bool naive_take(const char *path, const char *kept)
{
	if (!holds(path, APPROVED) || rename(path, kept) < 0)
		return false;
	if (holds(kept, VICTIM))
		return true;
	/* The attacker may hold the name just now. */
	while (renameat2(AT_FDCWD, kept, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		sched_yield();
	return false;
}

static bool naive_loses(struct world *world, const char *path)
{
	int64_t until = dl_time_monotonic_ms() + RACE_MS;
	const char *kept = world_path(world, "kept");
	bool lost = false;

	while (!lost && dl_time_monotonic_ms() < until)
		lost = naive_take(path, kept);
	return lost;
}

/* Its name may be occupied, or its folder be another one, just now; and what
 * is back may be swapped at once. */
static void put_back(struct world *world, const char *id)
{
	dl_automove move = { 0 };

	assert_int_equal(dl_journal_move(world->journal, id, &move, NULL), 0);
	while (move.state != DL_MOVE_UNDONE)
		if (dl_quarantine_restore(world->quarantine, &move, NULL) < 0)
			assert_int_not_equal(move.state, DL_MOVE_UNDOING);
}

/* Takes and restores until the attack was met some times. */
static int careful_meets(struct world *world, const struct dl_object *object)
{
	int64_t until = dl_time_monotonic_ms() + RACE_MS;
	int met = 0;

	while (met < RACE_PUT_BACKS && dl_time_monotonic_ms() < until) {
		struct dl_outcome outcome = { 0 };
		struct dl_error err = { 0 };
		int r = dl_quarantine_take(world->quarantine, &world->errand, object, &outcome,
					   &err);

		if (r < 0) {
			met += strstr(err.text, "put back") != NULL;
			continue;
		}
		put_back(world, outcome.id);
	}
	return met;
}

/* Nothing of ours may be in quarantine: all was put back or restored. */
static void assert_no_victim_is_kept(struct world *world, const char *victim_at_one,
				     const char *victim_at_other)
{
	assert_true(holds(victim_at_one, VICTIM) || holds(victim_at_other, VICTIM));
	assert_int_equal(count_kept(world), 0);
}

static void plant_swapped_leaf(struct world *world)
{
	write_file(world_path(world, "target"), APPROVED);
	write_file(world_path(world, "victim"), VICTIM);
}

static void naive_variant_loses_when_the_leaf_is_swapped(void **state)
{
	struct world *world = *state;
	struct attack attack;
	bool lost;

	plant_swapped_leaf(world);
	attack_start(&attack, world_path(world, "target"), world_path(world, "victim"));
	lost = naive_loses(world, world_path(world, "target"));
	attack_end(&attack);
	assert_true(lost);
}

static void takes_no_victim_when_the_leaf_is_swapped(void **state)
{
	struct world *world = *state;
	dl_autoobject object = { 0 };
	struct attack attack;
	int met;

	plant_swapped_leaf(world);
	object = approve(world_path(world, "target"));
	attack_start(&attack, world_path(world, "target"), world_path(world, "victim"));
	met = careful_meets(world, &object);
	attack_end(&attack);
	assert_true(met > 0);
	assert_no_victim_is_kept(world, world_path(world, "target"), world_path(world, "victim"));
}

/* The folder's name stands now for it, now for a link to the victim's folder. */
static void plant_swapped_folder(struct world *world)
{
	assert_int_equal(mkdir(world_path(world, "folder"), 0755), 0);
	assert_int_equal(mkdir(world_path(world, "home"), 0755), 0);
	assert_int_equal(symlink("home", world_path(world, "trap")), 0);
	write_file(world_path(world, "folder/target"), APPROVED);
	write_file(world_path(world, "home/target"), VICTIM);
}

static void naive_variant_loses_when_the_folder_becomes_a_link(void **state)
{
	struct world *world = *state;
	struct attack attack;
	bool lost;

	plant_swapped_folder(world);
	attack_start(&attack, world_path(world, "folder"), world_path(world, "trap"));
	lost = naive_loses(world, world_path(world, "folder/target"));
	attack_end(&attack);
	assert_true(lost);
}

static void takes_no_victim_when_the_folder_becomes_a_link(void **state)
{
	struct world *world = *state;
	int64_t until = dl_time_monotonic_ms() + RACE_MS / 5;
	dl_autoobject object = { 0 };
	struct attack attack;
	int taken = 0, refused = 0;

	plant_swapped_folder(world);
	object = approve(world_path(world, "folder/target"));
	attack_start(&attack, world_path(world, "folder"), world_path(world, "trap"));
	while (dl_time_monotonic_ms() < until) {
		struct dl_outcome outcome = { 0 };

		if (dl_quarantine_take(world->quarantine, &world->errand, &object, &outcome,
				       NULL) < 0) {
			refused++;
			continue;
		}
		taken++;
		put_back(world, outcome.id);
	}
	attack_end(&attack);
	assert_true(taken > 0 && refused > 0);
	assert_true(holds(world_path(world, "home/target"), VICTIM));
	assert_int_equal(count_kept(world), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(naive_variant_loses_when_the_leaf_is_swapped),
		TEST(takes_no_victim_when_the_leaf_is_swapped),
		TEST(naive_variant_loses_when_the_folder_becomes_a_link),
		TEST(takes_no_victim_when_the_folder_becomes_a_link),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: the quarantine belongs to root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
