/* Files made to stay: none keeps the agent busy, and none is left because of what a user of the
 * host may do to a file or a folder of their own. */
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Far longer than any of these tests takes, and far shorter than reading a terabyte. */
enum { ALARM_S = 60 };
#define TERABYTE (INT64_C(1) << 40)

static int take(struct world *world, const struct dl_object *object, struct dl_error *err)
{
	struct dl_outcome outcome = { 0 };

	return dl_quarantine_take(world->quarantine, &world->errand, object, &outcome, err);
}

static void take_and_give_back(struct world *world, const char *path)
{
	dl_autoobject object = approve(path);
	dl_automove move = { 0 };
	struct dl_error err = { 0 };

	if (take(world, &object, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(is_there(path));
	move = only_move(world);
	if (dl_quarantine_restore(world->quarantine, &move, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(is_there(path));
}

/* ---- content without end ---- */

static void refuses_a_terabyte_in_place_of_the_approved_file(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };

	write_file(path, "approved");
	object = approve(path);
	assert_int_equal(truncate(path, TERABYTE), 0);
	alarm(ALARM_S);
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	alarm(0);
	assert_non_null(strstr(err.text, "size"));
	assert_true(is_there(path));
}

/* Whoever had it open before it was moved can still write to it. */
static void settles_a_move_whose_file_became_a_terabyte(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };
	struct dl_error err = { 0 };
	int file;

	write_file(path, "approved");
	object = approve(path);
	file = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(take(world, &object, &err), 0);
	assert_int_equal(ftruncate(file, TERABYTE), 0);
	close(file);
	move = only_move(world);
	assert_int_equal(dl_journal_move_to(world->journal, &move, DL_MOVE_INTENT, &err), 0);
	alarm(ALARM_S);
	assert_int_equal(dl_quarantine_recover(world->quarantine, &err), 0);
	alarm(0);
	dl_move_clear(&move);
	move = only_move(world);
	assert_int_equal(move.state, DL_MOVE_VOID);
	assert_true(is_there(path));
}

/* The kernel says of such a file that it is empty. */
static void has_no_hash_for_a_file_that_is_longer_than_it_says(void **state)
{
	dl_auto(dl_held) held = hold("/proc/sys/kernel/ostype");

	(void)state;
	assert_int_equal(dl_held_facts(held)->type, DL_TYPE_FILE);
	assert_string_equal(dl_held_facts(held)->sha256, "");
}

/* ---- odd facts ---- */

static void set_time(const char *path, int64_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = seconds, .tv_nsec = 7 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void takes_a_file_from_before_1970_of_another_file_system(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "payload");
	struct stat facts;

	write_file(path, "x");
	set_time(path, -5);
	take_and_give_back(world, path);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mtim.tv_sec, -5);
	assert_int_equal(facts.st_mtim.tv_nsec, 7);
}

static void takes_a_link_from_before_1970_of_another_file_system(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "link");
	struct stat facts;

	assert_int_equal(symlink("/nowhere", path), 0);
	set_time(path, -5);
	take_and_give_back(world, path);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mtim.tv_sec, -5);
	assert_int_equal(facts.st_mtim.tv_nsec, 7);
}

/* The disk of the quarantine may know no such time; the file goes all the same. */
static void takes_a_file_from_the_year_30000_of_another_file_system(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "payload");

	write_file(path, "x");
	set_time(path, INT64_C(1) << 40);
	take_and_give_back(world, path);
}

static void put_attributes(const char *path, int count)
{
	for (int i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "user.%d", i);
		assert_int_equal(setxattr(path, name, "v", 1, 0), 0);
	}
}

static ssize_t attributes_size(const char *path)
{
	char names[64 * 1024];

	return listxattr(path, names, sizeof(names));
}

static void takes_with_many_attributes(struct world *world, const char *path)
{
	ssize_t size;

	write_file(path, "x");
	put_attributes(path, 100);
	size = attributes_size(path);
	assert_true(size > 100);
	take_and_give_back(world, path);
	assert_int_equal(attributes_size(path), size);
}

static void takes_a_file_with_a_hundred_attributes(void **state)
{
	takes_with_many_attributes(*state, world_path(*state, "payload"));
}

static void takes_a_file_with_a_hundred_attributes_of_another_file_system(void **state)
{
	takes_with_many_attributes(*state, elsewhere_path(*state, "payload"));
}

static void refuses_a_file_with_more_attributes_than_it_can_record(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "payload");
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };

	write_file(path, "x");
	object = approve(path);
	put_attributes(path, DL_FACTS_XATTRS_MAX + 1);
	assert_int_equal(take(world, &object, &err), DL_E_LIMIT);
	assert_non_null(strstr(err.text, "extended attributes"));
	assert_true(is_there(path));
}

/* ---- leases ---- */

/* A process that has a lease on the file, and lets go a while after it was asked to. */
static pid_t start_leaser(const char *path, int pause_ms)
{
	sigset_t asked;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		return pid;
	}
	sigemptyset(&asked);
	sigaddset(&asked, SIGIO);
	sigprocmask(SIG_BLOCK, &asked, NULL);
	int file = open(path, O_RDWR);
	if (fcntl(file, F_SETLEASE, F_WRLCK) < 0 || write(ready[1], "x", 1) != 1)
		_exit(1);
	sigwaitinfo(&asked, NULL);
	nanosleep(&(struct timespec){ .tv_nsec = pause_ms * 1000000L }, NULL);
	fcntl(file, F_SETLEASE, F_UNLCK);
	close(file);
	_exit(0);
}

static void takes_a_file_once_a_lease_on_it_is_over(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };
	int status;
	pid_t leaser;

	write_file(path, "x");
	object = approve(path);
	leaser = start_leaser(path, 200);
	if (take(world, &object, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(leaser, &status, 0), leaser);
	assert_int_equal(status, 0);
	assert_false(is_there(path));
}

/* ---- folders of others ---- */

/* What was made or changed under a name in the folder since the watch began, except folders
 * made. */
static uint32_t seen_by(int watch)
{
	char buffer[16 * 1024] __attribute__((aligned(8)));
	ssize_t size = read(watch, buffer, sizeof(buffer));
	uint32_t seen = 0;

	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		if (event->len > 0 && event->mask != (IN_CREATE | IN_ISDIR))
			seen |= event->mask & IN_ALL_EVENTS;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return seen;
}

/* Whoever owns the folder could swap a draft in it before owner and mode are set. */
static void dresses_no_draft_where_others_may_write(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "link");
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(lchown(path, 1234, 4321), 0);
	object = approve(path);
	assert_int_equal(take(world, &object, NULL), 0);
	move = only_move(world);
	assert_true(inotify_add_watch(watch, world->elsewhere,
				      IN_CREATE | IN_ATTRIB | IN_MOVED_TO) >= 0);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), 0);
	assert_int_equal(seen_by(watch), IN_MOVED_TO);
	close(watch);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(world->elsewhere), 0);
	assert_int_equal(mkdir(world->elsewhere, 0700), 0);
}

static void makes_a_folder_whole_before_others_see_its_name(void **state)
{
	struct world *world = *state;
	dl_auto(dl_folder) parent = NULL;
	struct dl_facts like = { .type = DL_TYPE_FOLDER, .mode = 0755, .uid = 1234, .gid = 4321 };
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct stat facts;

	assert_int_equal(dl_folder_open(world->elsewhere, &parent, NULL), 0);
	assert_true(inotify_add_watch(watch, world->elsewhere,
				      IN_CREATE | IN_ATTRIB | IN_MOVED_TO) >= 0);
	assert_int_equal(dl_folder_make_like(parent, "made", "draft-of-made", &like, NULL), 0);
	assert_int_equal(seen_by(watch), IN_MOVED_TO);
	close(watch);
	assert_int_equal(lstat(elsewhere_path(world, "made"), &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0755);
	assert_int_equal(facts.st_uid, 1234);
}

static void gives_back_where_the_group_is_handed_down(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "link");

	assert_int_equal(chown(world->elsewhere, 0, 4321), 0);
	assert_int_equal(chmod(world->elsewhere, 02770), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	take_and_give_back(world, path);
}

/* xattr(7), acl(5): user 1234 may do everything in what is made there. */
static void hand_down_an_acl(const char *folder)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag, permission;
			uint32_t id;
		} entries[5];
	} acl = { 2, { { 1, 7, UINT32_MAX }, { 2, 7, 1234 }, { 4, 7, UINT32_MAX },
		       { 16, 7, UINT32_MAX }, { 32, 7, UINT32_MAX } } };

	assert_int_equal(setxattr(folder, "system.posix_acl_default", &acl, sizeof(acl), 0), 0);
}

static void gives_back_where_an_acl_is_handed_down(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "payload");
	struct stat facts;

	write_file(path, "x");
	assert_int_equal(chmod(path, 0640), 0);
	hand_down_an_acl(world->elsewhere);
	take_and_give_back(world, path);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0640);
	assert_int_equal(attributes_size(path), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_terabyte_in_place_of_the_approved_file),
		TEST(settles_a_move_whose_file_became_a_terabyte),
		TEST(has_no_hash_for_a_file_that_is_longer_than_it_says),
		TEST(takes_a_file_from_before_1970_of_another_file_system),
		TEST(takes_a_link_from_before_1970_of_another_file_system),
		TEST(takes_a_file_from_the_year_30000_of_another_file_system),
		TEST(takes_a_file_with_a_hundred_attributes),
		TEST(takes_a_file_with_a_hundred_attributes_of_another_file_system),
		TEST(refuses_a_file_with_more_attributes_than_it_can_record),
		TEST(takes_a_file_once_a_lease_on_it_is_over),
		TEST(dresses_no_draft_where_others_may_write),
		TEST(makes_a_folder_whole_before_others_see_its_name),
		TEST(gives_back_where_the_group_is_handed_down),
		TEST(gives_back_where_an_acl_is_handed_down),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: owners, leases and attributes need root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("hostile files", tests, NULL, NULL);
}
