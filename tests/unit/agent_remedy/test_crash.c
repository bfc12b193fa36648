/* Killed at any system call: after recovery every object is whole at its place
 * or whole in quarantine (I3), every move has ended (I6), and undo is exact
 * (I4). Recovery itself is killed too. The child runs under ptrace(2); calls
 * that change nothing are not worth a kill of their own. */
#include "agent/quarantine/batch.h"
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/ptrace.h>

#define ORIGINAL "* * * * * /opt/evil\n"
#define EDITED   "# nothing left\n"

enum { TOGETHER = 4 }; /* objects of a batch */
enum { KILLS_MAX = 2000, KILLS_SHORT = 15, RECOVERY_KILLS = 7 };

/* ---- a child that dies at its nth system call that matters ---- */

static bool changes_nothing(uint64_t call)
{
	static const long idle[] = {
		SYS_read, SYS_pread64, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
		SYS_getdents64, SYS_readlinkat, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mprotect,
		SYS_brk, SYS_getpid, SYS_gettid, SYS_geteuid, SYS_openat, SYS_openat2, SYS_fcntl,
		SYS_getxattr, SYS_listxattr, SYS_faccessat2, SYS_clock_nanosleep, SYS_getrandom,
		SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_futex, SYS_madvise,
	};

	for (size_t i = 0; i < DL_COUNT(idle); i++)
		if ((uint64_t)idle[i] == call)
			return true;
	return false;
}

static bool enters_a_change(pid_t child)
{
	struct ptrace_syscall_info info = { 0 };

	ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY && !changes_nothing(info.entry.nr);
}

/* True when it was killed, false when it came to its end first. */
static bool kill_at(pid_t child, int which)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && enters_a_change(child) && which-- == 1)
			kill(child, SIGKILL);
		ptrace(PTRACE_SYSCALL, child, 0, 0);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

typedef int (*crash_act)(struct world *world, const char *path, struct dl_error *err);

/* The act as a fresh start of the agent would do it. */
static bool killed_during(struct world *world, crash_act act, const char *path, int which)
{
	bool killed;
	pid_t child;

	world_close(world);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct dl_error err = { 0 };
		int r;

		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		world_open(world);
		r = act(world, path, &err);
		if (r < 0)
			fprintf(stderr, "%s\n", err.text);
		_exit(r < 0 ? 1 : 0);
	}
	killed = kill_at(child, which);
	world_open(world);
	return killed;
}

/* ---- acts ---- */

static int act_take(struct world *world, const char *path, struct dl_error *err)
{
	dl_autoobject object = approve(path);
	struct dl_outcome outcome = { 0 };

	return dl_quarantine_take(world->quarantine, &world->errand, &object, &outcome, err);
}

/* The object itself, and further ones beside it. */
static char *companion(const char *path, int i)
{
	char name[WORLD_PATH_SIZE];

	if (i == 0)
		return dl_strdup(path);
	assert_true(snprintf(name, sizeof(name), "%s-%d", path, i) < (int)sizeof(name));
	return dl_strdup(name);
}

static int batch_phase(struct world *world, struct dl_batch *batch,
		       int (*phase)(struct dl_batch *, struct dl_error *), struct dl_error *err)
{
	dl_autogroup group = { NULL };
	int r = dl_journal_group_begin(&group, world->journal, err);

	if (r == 0)
		r = phase(batch, err);
	return r < 0 ? r : dl_journal_group_end(&group, err);
}

static int batch_carry_out(struct world *world, struct dl_batch *batch, struct dl_error *err)
{
	struct dl_outcome outcome = { 0 };
	int r = batch_phase(world, batch, dl_batch_intend, err);

	if (r < 0)
		return r;
	dl_batch_act(batch);
	r = batch_phase(world, batch, dl_batch_conclude, err);
	for (size_t i = 0; r == 0 && i < TOGETHER; i++)
		r = dl_batch_result(batch, i, &outcome, err);
	return r;
}

static int act_take_together(struct world *world, const char *path, struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(world->quarantine);
	enum dl_reason reason = DL_REASON_NONE;
	size_t item = 0;
	int r = 0;

	for (int i = 0; r == 0 && i < TOGETHER; i++) {
		dl_autofree char *name = companion(path, i);
		dl_autoobject object = approve(name);

		r = dl_batch_take(batch, &world->errand, &object, &item, &reason, err);
	}
	return r < 0 ? r : batch_carry_out(world, batch, err);
}

static int act_restore_together(struct world *world, const char *path, struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(world->quarantine);
	dl_automoves moves = { 0 };
	size_t item = 0;
	int r = dl_journal_moves(world->journal, world->errand.plan_id, 1, &moves, err);

	(void)path;
	for (size_t i = 0; r == 0 && i < moves.count; i++)
		if (moves.items[i].state == DL_MOVE_DONE)
			r = dl_batch_restore(batch, &moves.items[i], &item, err);
	return r < 0 ? r : batch_carry_out(world, batch, err);
}

static int act_replace(struct world *world, const char *path, struct dl_error *err)
{
	dl_auto(dl_held) held = hold(path);
	struct dl_draft draft = { path, held, EDITED, strlen(EDITED), NULL };
	struct dl_outcome outcome = { 0 };

	return dl_quarantine_replace(world->quarantine, &world->errand, &draft, &outcome, err);
}

static int act_restore(struct world *world, const char *path, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int r = dl_journal_moves(world->journal, world->errand.plan_id, 1, &moves, err);

	(void)path;
	for (size_t i = 0; r == 0 && i < moves.count; i++)
		if (moves.items[i].state == DL_MOVE_DONE)
			r = dl_quarantine_restore(world->quarantine, &moves.items[i], err);
	return r;
}

static int act_recover(struct world *world, const char *path, struct dl_error *err)
{
	(void)path;
	return dl_quarantine_recover(world->quarantine, err);
}

/* ---- what must hold ---- */

/* The whole second of the folder's time long ago: a table's edit need not wait. */
static void age_folder(const char *path)
{
	dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
}

static void plant(struct world *world, const char *path)
{
	struct timespec times[2] = { { 1000000000, 1 }, { 1000000000, 987654321 } };

	(void)world;
	write_file(path, ORIGINAL);
	assert_int_equal(setxattr(path, "security.test", "label", 5, 0), 0);
	assert_int_equal(chown(path, 1234, 4321), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void assert_planted(struct world *world, const char *path)
{
	dl_autofree char *content = read_file(path);
	struct stat facts;

	(void)world;
	assert_non_null(content);
	assert_string_equal(content, ORIGINAL);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_uid, 1234);
	assert_int_equal(facts.st_mode & 07777, 0640);
	assert_int_equal(facts.st_mtim.tv_nsec, 987654321);
	assert_int_equal(facts.st_nlink, 1);
}

static bool is_original(const char *path)
{
	dl_autofree char *content = read_file(path);

	return content && strcmp(content, ORIGINAL) == 0;
}

static bool original_of_move(struct world *world, const char *path, const struct dl_move *move)
{
	dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	const char *of = json_string_value(json_object_get(move->about, "path"));
	char place[2 * WORLD_PATH_SIZE];

	if (!of || strcmp(of, path) != 0)
		return false;
	snprintf(place, sizeof(place), "%s/state/quarantine/%s", world->folder, move->id);
	if (is_original(place))
		return true;
	snprintf(place, sizeof(place), "%s/.dislodge-%s", folder, move->id);
	return is_original(place);
}

/* Right after the kill, before anything is mended. */
static void assert_nothing_lost(struct world *world, const char *path)
{
	dl_automoves moves = { 0 };
	bool found = is_original(path);

	assert_int_equal(dl_journal_moves(world->journal, world->errand.plan_id, 1, &moves, NULL), 0);
	for (size_t i = 0; !found && i < moves.count; i++)
		found = original_of_move(world, path, &moves.items[i]);
	assert_true(found);
}

static void assert_all_ended(struct world *world)
{
	dl_automoves open = { 0 };

	assert_int_equal(dl_journal_moves(world->journal, NULL, 0, &open, NULL), 0);
	assert_int_equal(open.count, 0);
}

static void recover_well(struct world *world)
{
	struct dl_error err = { 0 };

	if (dl_quarantine_recover(world->quarantine, &err) < 0)
		fail_msg("%s", err.text);
	assert_all_ended(world);
}

/* One name in the object's folder, nothing in quarantine, no folder aside. */
static void assert_no_leftovers(struct world *world, const char *path)
{
	dl_automoves moves = { 0 };

	assert_int_equal(count_kept(world), 0);
	assert_int_equal(dl_journal_moves(world->journal, world->errand.plan_id, 1, &moves, NULL), 0);
	for (size_t i = 0; i < moves.count; i++) {
		dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
		char place[2 * WORLD_PATH_SIZE];

		snprintf(place, sizeof(place), "%s/.dislodge-%s", folder, moves.items[i].id);
		assert_false(is_there(place));
		snprintf(place, sizeof(place), "/dev/shm/.dislodge-%s", moves.items[i].id);
		assert_false(is_there(place));
	}
}

/* ---- the kills ---- */

struct scenario {
	crash_act before; /* not killed; NULL for none */
	crash_act act;
	int objects; /* path and its companions */
};

static void each_object(struct world *world, const struct scenario *scenario, const char *path,
			void (*check)(struct world *world, const char *path))
{
	for (int i = 0; i < scenario->objects; i++) {
		dl_autofree char *name = companion(path, i);

		check(world, name);
	}
}

/* One kill and what follows from it; false when the act outlived the nth call. */
static bool survive(struct world *world, const struct scenario *scenario, const char *path,
		    int which)
{
	struct dl_error err = { 0 };
	bool killed;

	age_folder(path);
	if (scenario->before && scenario->before(world, path, &err) < 0)
		fail_msg("%s", err.text);
	age_folder(path);
	killed = killed_during(world, scenario->act, path, which);
	each_object(world, scenario, path, assert_nothing_lost);
	if (killed) {
		killed_during(world, act_recover, path, 1 + which % RECOVERY_KILLS);
		each_object(world, scenario, path, assert_nothing_lost);
	}
	recover_well(world);
	recover_well(world);
	age_folder(path);
	if (act_restore(world, path, &err) < 0)
		fail_msg("%s", err.text);
	each_object(world, scenario, path, assert_planted);
	assert_no_leftovers(world, path);
	return killed;
}

static int count_calls(struct world *world, const struct scenario *scenario, const char *path)
{
	int calls = 1;

	/* Doubles, then narrows: each probe is a whole run that proves something too. */
	while (calls < KILLS_MAX && survive(world, scenario, path, calls))
		calls *= 2;
	return calls;
}

/* All calls with DISLODGE_LONG=1, else a spread of them. */
static void survive_all(struct world *world, const struct scenario *scenario, const char *path)
{
	bool all = getenv("DISLODGE_LONG") != NULL;
	int calls, stride;

	each_object(world, scenario, path, plant);
	calls = count_calls(world, scenario, path);
	assert_true(calls > 1);
	stride = all || calls < KILLS_SHORT ? 1 : calls / KILLS_SHORT;
	for (int which = 1; which < calls; which += stride)
		if (!survive(world, scenario, path, which))
			break;
}

static const struct scenario taking = { NULL, act_take, 1 };
static const struct scenario giving_back = { act_take, act_restore, 1 };
static const struct scenario taking_together = { NULL, act_take_together, TOGETHER };
static const struct scenario giving_back_together = { act_take_together, act_restore_together,
						      TOGETHER };
static const struct scenario editing = { NULL, act_replace, 1 };
static const struct scenario undoing_an_edit = { act_replace, act_restore, 1 };

#define CRASH(name, scenario, where)                                                               \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct world *world = *state;                                                      \
		dl_autofree char *path = dl_strdup(where(world, "object"));                        \
                                                                                                   \
		survive_all(world, &(scenario), path);                                             \
	}

CRASH(loses_nothing_when_killed_while_taking, taking, world_path)
CRASH(loses_nothing_when_killed_while_taking_across_file_systems, taking, elsewhere_path)
CRASH(loses_nothing_when_killed_while_giving_back, giving_back, world_path)
CRASH(loses_nothing_when_killed_while_giving_back_across_file_systems, giving_back, elsewhere_path)
CRASH(loses_nothing_when_killed_while_taking_many, taking_together, world_path)
CRASH(loses_nothing_when_killed_while_taking_many_across_file_systems, taking_together,
      elsewhere_path)
CRASH(loses_nothing_when_killed_while_giving_many_back, giving_back_together, world_path)
CRASH(loses_nothing_when_killed_while_giving_many_back_across_file_systems, giving_back_together,
      elsewhere_path)
CRASH(loses_nothing_when_killed_while_editing, editing, world_path)
CRASH(loses_nothing_when_killed_while_editing_across_file_systems, editing, elsewhere_path)
CRASH(loses_nothing_when_killed_while_undoing_an_edit, undoing_an_edit, world_path)
CRASH(loses_nothing_when_killed_while_undoing_an_edit_across_file_systems, undoing_an_edit,
      elsewhere_path)

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(loses_nothing_when_killed_while_taking),
		TEST(loses_nothing_when_killed_while_taking_across_file_systems),
		TEST(loses_nothing_when_killed_while_giving_back),
		TEST(loses_nothing_when_killed_while_giving_back_across_file_systems),
		TEST(loses_nothing_when_killed_while_taking_many),
		TEST(loses_nothing_when_killed_while_taking_many_across_file_systems),
		TEST(loses_nothing_when_killed_while_giving_many_back),
		TEST(loses_nothing_when_killed_while_giving_many_back_across_file_systems),
		TEST(loses_nothing_when_killed_while_editing),
		TEST(loses_nothing_when_killed_while_editing_across_file_systems),
		TEST(loses_nothing_when_killed_while_undoing_an_edit),
		TEST(loses_nothing_when_killed_while_undoing_an_edit_across_file_systems),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: owners and attributes need root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
