/* Taking and giving back on real file systems: I3 (no loss), I4 (exact undo). */
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/fs.h>

static int take(struct world *world, const struct dl_object *object, struct dl_error *err)
{
	struct dl_outcome outcome = { 0 };

	return dl_quarantine_take(world->quarantine, &world->errand, object, &outcome, err);
}

static void take_well(struct world *world, const struct dl_object *object)
{
	struct dl_error err = { 0 };

	if (take(world, object, &err) < 0)
		fail_msg("%s", err.text);
}

static void restore_well(struct world *world)
{
	dl_automove move = only_move(world);
	struct dl_error err = { 0 };

	if (dl_quarantine_restore(world->quarantine, &move, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(move.state, DL_MOVE_UNDONE);
}

static void dress(const char *path)
{
	struct timespec times[2] = { { 1000000001, 5 }, { 1111111111, 123456789 } };

	assert_int_equal(setxattr(path, "user.origin", "\0\xff planted", 10, 0), 0);
	assert_int_equal(chown(path, 1234, 4321), 0);
	assert_int_equal(chmod(path, 04751), 0);
	assert_int_equal(setxattr(path, "security.test", "label", 5, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void assert_dressed(const char *path)
{
	struct stat facts;
	char value[16];

	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 04751);
	assert_int_equal(facts.st_uid, 1234);
	assert_int_equal(facts.st_gid, 4321);
	assert_int_equal(facts.st_mtim.tv_sec, 1111111111);
	assert_int_equal(facts.st_mtim.tv_nsec, 123456789);
	assert_int_equal(getxattr(path, "user.origin", value, sizeof(value)), 10);
	assert_memory_equal(value, "\0\xff planted", 10);
	assert_int_equal(getxattr(path, "security.test", value, sizeof(value)), 5);
}

static void take_and_give_back(struct world *world, const char *path)
{
	dl_autofree char *content = NULL;
	dl_autoobject object = { 0 };

	write_file(path, "#!/bin/sh\n");
	dress(path);
	object = approve(path);
	take_well(world, &object);
	assert_false(is_there(path));
	assert_int_equal(count_kept(world), 1);
	restore_well(world);
	assert_dressed(path);
	content = read_file(path);
	assert_string_equal(content, "#!/bin/sh\n");
	assert_int_equal(count_kept(world), 0);
}

static void gives_back_a_file_exactly(void **state)
{
	take_and_give_back(*state, world_path(*state, "payload"));
}

static void gives_back_a_file_of_another_file_system_exactly(void **state)
{
	struct world *world = *state;

	take_and_give_back(world, elsewhere_path(world, "payload"));
}

static void leaves_nothing_behind_on_another_file_system(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "payload");
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };
	char aside[WORLD_PATH_SIZE];

	write_file(path, "x");
	object = approve(path);
	take_well(world, &object);
	move = only_move(world);
	snprintf(aside, sizeof(aside), "/dev/shm/.dislodge-%s", move.id);
	assert_false(is_there(aside));
	assert_int_equal(rmdir(world->elsewhere), 0);
	assert_int_equal(mkdir(world->elsewhere, 0700), 0);
}

static void gives_back_a_symlink_with_its_target(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "link");
	dl_autoobject object = { 0 };
	char target[64] = "";

	assert_int_equal(symlink("../\xff no such place", path), 0);
	object = approve(path);
	take_well(world, &object);
	assert_false(is_there(path));
	restore_well(world);
	assert_int_equal(readlink(path, target, sizeof(target) - 1), 18);
	assert_string_equal(target, "../\xff no such place");
}

static void gives_back_a_symlink_of_another_file_system_with_its_owner(void **state)
{
	struct world *world = *state;
	const char *path = elsewhere_path(world, "link");
	dl_autoobject object = { 0 };
	struct stat before, after;

	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(lchown(path, 1234, 4321), 0);
	assert_int_equal(lstat(path, &before), 0);
	object = approve(path);
	take_well(world, &object);
	assert_false(is_there(path));
	restore_well(world);
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(after.st_uid, 1234);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void takes_only_what_was_approved(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };

	write_file(path, "approved");
	object = approve(path);
	write_file(path, "otherwis");
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	assert_non_null(strstr(err.text, "content"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	assert_true(is_there(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(take(world, &object, &err), DL_E_NOT_FOUND);
	assert_int_equal(count_kept(world), 0);
}

static void is_stale_when_mode_or_owner_changed(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };

	write_file(path, "x");
	object = approve(path);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	assert_int_equal(chmod(path, (mode_t)object.mode), 0);
	assert_int_equal(chown(path, 1, 1), 0);
	assert_int_equal(take(world, &object, &err), DL_E_STALE);
	assert_true(is_there(path));
}

static void refuses_a_path_through_a_symlinked_folder(void **state)
{
	struct world *world = *state;
	dl_autoobject object = { 0 };
	struct dl_error err = { 0 };

	assert_int_equal(mkdir(world_path(world, "real"), 0700), 0);
	write_file(world_path(world, "real/payload"), "x");
	object = approve(world_path(world, "real/payload"));
	assert_int_equal(rename(world_path(world, "real"), world_path(world, "moved")), 0);
	assert_int_equal(symlink("moved", world_path(world, "real")), 0);
	assert_true(take(world, &object, &err) < 0);
	assert_true(is_there(world_path(world, "moved/payload")));
}

static void does_nothing_when_the_guard_forbids(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	struct dl_outcome outcome = { 0 };
	dl_autoobject object = { 0 };
	dl_automoves moves = { 0 };

	write_file(path, "x");
	object = approve(path);
	world->forbid = DL_REASON_PROTECTED;
	assert_int_equal(dl_quarantine_take(world->quarantine, &world->errand, &object, &outcome,
					    NULL),
			 DL_E_DENIED);
	assert_int_equal(outcome.reason, DL_REASON_PROTECTED);
	assert_true(is_there(path));
	assert_int_equal(dl_journal_moves(world->journal, world->errand.plan_id, 0, &moves, NULL), 0);
	assert_int_equal(moves.count, 0);
}

static void refuse_occupied(struct world *world, const char *path)
{
	dl_autofree char *content = NULL;
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };

	write_file(path, "old");
	object = approve(path);
	take_well(world, &object);
	write_file(path, "new");
	move = only_move(world);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), DL_E_EXISTS);
	content = read_file(path);
	assert_string_equal(content, "new");
	assert_int_equal(count_kept(world), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), 0);
}

static void never_restores_onto_an_occupied_name(void **state)
{
	refuse_occupied(*state, world_path(*state, "payload"));
}

static void never_restores_onto_an_occupied_name_of_another_file_system(void **state)
{
	refuse_occupied(*state, elsewhere_path(*state, "payload"));
}

static void refuses_to_restore_what_was_changed_in_quarantine(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	char kept[64];
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };

	write_file(path, "x");
	object = approve(path);
	take_well(world, &object);
	move = only_move(world);
	snprintf(kept, sizeof(kept), "state/quarantine/%s", move.id);
	write_file(world_path(world, kept), "y");
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), DL_E_IO);
	assert_false(is_there(path));
}

static int flags_of(const char *path, int set)
{
	int handle = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	assert_true(handle >= 0);
	assert_int_equal(ioctl(handle, FS_IOC_GETFLAGS, &flags), 0);
	if (set) {
		flags |= set;
		assert_int_equal(ioctl(handle, FS_IOC_SETFLAGS, &flags), 0);
	}
	close(handle);
	return flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
}

static void takes_an_immutable_file_and_gives_the_flag_back(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };

	write_file(path, "x");
	flags_of(path, FS_IMMUTABLE_FL);
	object = approve(path);
	take_well(world, &object);
	assert_false(is_there(path));
	restore_well(world);
	assert_int_equal(flags_of(path, 0), FS_IMMUTABLE_FL);
}

static void keeps_an_immutable_folder_immutable(void **state)
{
	struct world *world = *state;
	const char *folder = world_path(world, "cron.d");
	dl_autoobject object = { 0 };

	assert_int_equal(mkdir(folder, 0755), 0);
	write_file(world_path(world, "cron.d/job"), "x");
	object = approve(world_path(world, "cron.d/job"));
	flags_of(folder, FS_IMMUTABLE_FL);
	take_well(world, &object);
	assert_int_equal(flags_of(folder, 0), FS_IMMUTABLE_FL);
	restore_well(world);
	assert_true(is_there(world_path(world, "cron.d/job")));
	assert_int_equal(flags_of(folder, 0), FS_IMMUTABLE_FL);
}

static void tells_of_other_names_of_a_hard_linked_file(void **state)
{
	struct world *world = *state;
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };

	write_file(world_path(world, "payload"), "x");
	assert_int_equal(link(world_path(world, "payload"), world_path(world, "twin")), 0);
	object = approve(world_path(world, "payload"));
	take_well(world, &object);
	move = only_move(world);
	assert_string_equal(json_string_value(json_object_get(move.about, "others")), "twin");
	assert_true(is_there(world_path(world, "twin")));
}

static void tells_who_still_has_the_file_open_for_writing(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };
	int writer;

	write_file(path, "x");
	object = approve(path);
	writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	take_well(world, &object);
	move = only_move(world);
	assert_true(json_is_true(json_object_get(move.about, "writer")));
	close(writer);
}

static void takes_an_empty_folder_and_gives_it_back(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "x.service.d");
	struct dl_outcome outcome = { 0 };
	struct stat facts;

	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(chown(path, 7, 8), 0);
	assert_int_equal(dl_quarantine_take_empty(world->quarantine, &world->errand, path, &outcome,
						  NULL),
			 0);
	assert_false(is_there(path));
	restore_well(world);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0750);
	assert_int_equal(facts.st_uid, 7);
}

static void leaves_a_folder_that_is_not_empty(void **state)
{
	struct world *world = *state;
	struct dl_outcome outcome = { 0 };

	assert_int_equal(mkdir(world_path(world, "x.service.d"), 0755), 0);
	write_file(world_path(world, "x.service.d/other.conf"), "x");
	assert_int_equal(dl_quarantine_take_empty(world->quarantine, &world->errand,
						  world_path(world, "x.service.d"), &outcome, NULL),
			 0);
	assert_string_equal(outcome.id, "");
	assert_true(is_there(world_path(world, "x.service.d/other.conf")));
}

static int replace(struct world *world, const char *path, const struct dl_held *held,
		   const char *content)
{
	struct dl_outcome outcome = { 0 };
	struct dl_draft draft = { path, held, content, strlen(content), NULL };

	return dl_quarantine_replace(world->quarantine, &world->errand, &draft, &outcome, NULL);
}

static void edit_and_give_back(struct world *world, const char *path)
{
	dl_auto(dl_held) held = NULL;
	dl_autofree char *edited = NULL, *back = NULL;
	struct stat facts;

	write_file(path, "one\ntwo\n");
	dress(path);
	held = hold(path);
	assert_int_equal(replace(world, path, held, "one\n"), 0);
	edited = read_file(path);
	assert_string_equal(edited, "one\n");
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_uid, 1234);
	assert_int_equal(facts.st_mode & 07777, 04751);
	assert_int_not_equal(facts.st_mtim.tv_sec, 1111111111);
	restore_well(world);
	back = read_file(path);
	assert_string_equal(back, "one\ntwo\n");
	assert_dressed(path);
	assert_int_equal(count_kept(world), 0);
}

static void gives_back_an_edited_table_exactly(void **state)
{
	edit_and_give_back(*state, world_path(*state, "table"));
}

static void gives_back_an_edited_table_of_another_file_system_exactly(void **state)
{
	struct world *world = *state;

	edit_and_give_back(world, elsewhere_path(world, "table"));
}

static void changes_the_second_of_table_and_folder(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "tables/table");
	dl_auto(dl_held) held = NULL;
	struct stat folder_before, folder_after, before, after;

	assert_int_equal(mkdir(world_path(world, "tables"), 0755), 0);
	write_file(path, "one\n");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(stat(world_path(world, "tables"), &folder_before), 0);
	held = hold(path);
	assert_int_equal(replace(world, path, held, ""), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(stat(world_path(world, "tables"), &folder_after), 0);
	assert_int_not_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_not_equal(folder_before.st_mtim.tv_sec, folder_after.st_mtim.tv_sec);
}

static void keeps_what_was_saved_while_a_table_was_edited(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "table");
	dl_auto(dl_held) held = NULL;
	dl_autofree char *content = NULL;

	write_file(path, "one\n");
	held = hold(path);
	write_file(world_path(world, "saved"), "by somebody\n");
	assert_int_equal(rename(world_path(world, "saved"), path), 0);
	assert_int_equal(replace(world, path, held, ""), DL_E_STALE);
	content = read_file(path);
	assert_string_equal(content, "by somebody\n");
}

static void does_not_restore_over_a_table_that_was_edited_since(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "table");
	dl_auto(dl_held) held = NULL;
	dl_autofree char *content = NULL;
	dl_automove move = { 0 };

	write_file(path, "one\n");
	held = hold(path);
	assert_int_equal(replace(world, path, held, ""), 0);
	write_file(path, "new\n");
	move = only_move(world);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), DL_E_STALE);
	assert_int_equal(move.state, DL_MOVE_DONE);
	content = read_file(path);
	assert_string_equal(content, "new\n");
}

static void takes_back_nothing_twice(void **state)
{
	struct world *world = *state;
	const char *path = world_path(world, "payload");
	dl_autoobject object = { 0 };
	dl_automove move = { 0 };

	write_file(path, "x");
	object = approve(path);
	take_well(world, &object);
	restore_well(world);
	move = only_move(world);
	assert_int_equal(dl_quarantine_restore(world->quarantine, &move, NULL), DL_E_STATE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(gives_back_a_file_exactly),
		TEST(gives_back_a_file_of_another_file_system_exactly),
		TEST(leaves_nothing_behind_on_another_file_system),
		TEST(gives_back_a_symlink_with_its_target),
		TEST(gives_back_a_symlink_of_another_file_system_with_its_owner),
		TEST(takes_only_what_was_approved),
		TEST(is_stale_when_mode_or_owner_changed),
		TEST(refuses_a_path_through_a_symlinked_folder),
		TEST(does_nothing_when_the_guard_forbids),
		TEST(never_restores_onto_an_occupied_name),
		TEST(never_restores_onto_an_occupied_name_of_another_file_system),
		TEST(refuses_to_restore_what_was_changed_in_quarantine),
		TEST(takes_an_immutable_file_and_gives_the_flag_back),
		TEST(keeps_an_immutable_folder_immutable),
		TEST(tells_of_other_names_of_a_hard_linked_file),
		TEST(tells_who_still_has_the_file_open_for_writing),
		TEST(takes_an_empty_folder_and_gives_it_back),
		TEST(leaves_a_folder_that_is_not_empty),
		TEST(gives_back_an_edited_table_exactly),
		TEST(gives_back_an_edited_table_of_another_file_system_exactly),
		TEST(changes_the_second_of_table_and_folder),
		TEST(keeps_what_was_saved_while_a_table_was_edited),
		TEST(does_not_restore_over_a_table_that_was_edited_since),
		TEST(takes_back_nothing_twice),
	};

	if (geteuid() != 0) {
		print_message("SKIPPED: owners, flags and attributes need root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
