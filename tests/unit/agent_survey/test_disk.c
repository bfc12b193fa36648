/* The Linux body of the read face, on a folder of its own in /tmp. */
#include "check.h"

#include "agent/platform/linux/root.h"
#include "core/base/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct world {
	char root[64];
	struct dl_host *host;
};

static char *real_path(const struct world *world, const char *path)
{
	dl_autobuf buf = DL_BUF_INIT;
	dl_buf_printf(&buf, "%s%s", world->root, path);
	return dl_buf_take(&buf);
}

static void put(const struct world *world, const char *path, const char *content)
{
	dl_autofree char *real = real_path(world, path);
	FILE *file = fopen(real, "w");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

static void put_folder(const struct world *world, const char *path)
{
	dl_autofree char *real = real_path(world, path);
	assert_int_equal(mkdir(real, 0755), 0);
}

static void put_link(const struct world *world, const char *path, const char *target)
{
	dl_autofree char *real = real_path(world, path);
	assert_int_equal(symlink(target, real), 0);
}

static int setup(void **state)
{
	struct world *world = DL_NEW(struct world);
	snprintf(world->root, sizeof(world->root), "/tmp/dislodge-disk.XXXXXX");
	assert_non_null(mkdtemp(world->root));
	put_folder(world, "/etc");
	put(world, "/etc/file", "content\n");
	put_link(world, "/link", "etc");
	assert_int_equal(dl_host_open(world->root, &world->host, NULL), 0);
	*state = world;
	return 0;
}

static int remove_tree(const char *path)
{
	dl_autobuf command = DL_BUF_INIT;
	dl_buf_printf(&command, "rm -rf -- '%s'", path);
	return system(command.data);
}

static int teardown(void **state)
{
	struct world *world = *state;
	dl_host_free(world->host);
	int status = remove_tree(world->root);
	free(world);
	return status;
}

static void says_what_lstat_says(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	struct stat st;
	dl_autofree char *real = real_path(world, "/etc/file");
	assert_int_equal(chmod(real, 04751), 0);
	assert_int_equal(lstat(real, &st), 0);
	assert_int_equal(dl_host_look(world->host, "/etc/file", true, &facts, NULL), 0);
	assert_int_equal(facts.type, DL_TYPE_FILE);
	assert_int_equal(facts.size, 8);
	assert_int_equal(facts.mode, 04751);
	assert_int_equal(facts.uid, st.st_uid);
	assert_int_equal(facts.links, 1);
	assert_int_equal(facts.inode, st.st_ino);
	assert_int_equal(facts.mtime_ns,
			 st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec);
	assert_string_equal(facts.sha256, "434728a410a78f56fc1b5899c3593436"
					  "e61ab0c731e9072d95e96db290205e53");
	assert_string_equal(facts.md5, "f75b8179e4bbe7e2b4a074dcef62de95");
	assert_int_equal(dl_host_look(world->host, "/link", true, &facts, NULL), 0);
	assert_int_equal(facts.type, DL_TYPE_SYMLINK);
	assert_string_equal(facts.target, "etc");
	assert_int_equal(dl_host_look(world->host, "/etc", true, &facts, NULL), 0);
	assert_int_equal(facts.type, DL_TYPE_FOLDER);
}

static void calls_missing_what_is_not_there(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	static const char *const paths[] = { "/gone", "/gone/x", "/etc/file/x" };
	for (size_t i = 0; i < DL_COUNT(paths); i++) {
		assert_int_equal(dl_host_look(world->host, paths[i], true, &facts, NULL), 0);
		assert_int_equal(facts.type, DL_TYPE_MISSING);
	}
	dl_autonames names = { 0 };
	assert_int_equal(dl_host_list(world->host, "/etc/file", &names, NULL), DL_E_NOT_FOUND);
}

static void refuses_a_symlink_in_any_parent(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	dl_autofree char *data = NULL;
	dl_autonames names = { 0 };
	size_t size;
	assert_int_equal(dl_host_look(world->host, "/link/file", false, &facts, NULL),
			 DL_E_INVALID);
	assert_int_equal(dl_host_read(world->host, "/link/file", 100, &data, &size, NULL),
			 DL_E_INVALID);
	assert_int_equal(dl_host_list(world->host, "/link", &names, NULL), DL_E_INVALID);
	dl_autofree char *canonical = NULL;
	assert_int_equal(dl_host_canonical(world->host, "/link/file", true, &canonical, NULL), 0);
	assert_string_equal(canonical, "/etc/file");
}

/* A folder's links are that machine's: "/etc" there is not "/etc" here. */
static void stays_inside_the_folder(void **state)
{
	struct world *world = *state;
	put_link(world, "/out", "/etc/file");
	put_link(world, "/up", "../../../../etc/passwd");
	dl_autofree char *inside = NULL, *above = NULL;
	assert_int_equal(dl_host_canonical(world->host, "/out", true, &inside, NULL), 0);
	assert_string_equal(inside, "/etc/file");
	assert_int_equal(dl_host_canonical(world->host, "/up", true, &above, NULL), DL_E_NOT_FOUND);
}

static void opens_no_fifo(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	dl_autofree char *real = real_path(world, "/etc/pipe");
	dl_autofree char *data = NULL;
	size_t size;
	assert_int_equal(mkfifo(real, 0644), 0);
	alarm(10); /* a FIFO opened for reading would wait for ever */
	assert_int_equal(dl_host_read(world->host, "/etc/pipe", 100, &data, &size, NULL),
			 DL_E_INVALID);
	assert_int_equal(dl_host_look(world->host, "/etc/pipe", true, &facts, NULL), 0);
	alarm(0);
	assert_int_equal(facts.type, DL_TYPE_OTHER);
	assert_false(facts.hashed);
}

static void reads_no_more_than_its_limit(void **state)
{
	struct world *world = *state;
	dl_autofree char *data = NULL;
	size_t size;
	assert_int_equal(dl_host_read(world->host, "/etc/file", 7, &data, &size, NULL), DL_E_LIMIT);
	assert_int_equal(dl_host_read(world->host, "/etc/file", 8, &data, &size, NULL), 0);
	assert_int_equal(size, 8);
	assert_string_equal(data, "content\n");
}

static void hashes_no_giant(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	dl_autofree char *real = real_path(world, "/etc/giant");
	dl_autofree char *data = NULL;
	size_t size;
	put(world, "/etc/giant", "");
	assert_int_equal(truncate(real, INT64_C(1) << 40), 0);
	alarm(10);
	assert_int_equal(dl_host_look(world->host, "/etc/giant", true, &facts, NULL), 0);
	assert_int_equal(dl_host_read(world->host, "/etc/giant", DL_HOST_FILE_MAX, &data, &size,
				      NULL),
			 DL_E_LIMIT);
	alarm(0);
	assert_int_equal(facts.size, INT64_C(1) << 40);
	assert_false(facts.hashed);
}

static void lists_names_in_order_as_bytes(void **state)
{
	struct world *world = *state;
	dl_autonames names = { 0 };
	put_folder(world, "/odd");
	put(world, "/odd/b\n\"'<x>", "");
	put(world, "/odd/\xff\xfe", "");
	put(world, "/odd/ a", "");
	assert_int_equal(dl_host_list(world->host, "/odd", &names, NULL), 0);
	assert_int_equal(names.count, 3);
	assert_false(names.cut);
	assert_string_equal(names.names[0], " a");
	assert_string_equal(names.names[1], "b\n\"'<x>");
	assert_string_equal(names.names[2], "\xff\xfe");
}

static void cuts_a_folder_that_is_too_full(void **state)
{
	struct world *world = *state;
	dl_autonames names = { 0 };
	put_folder(world, "/full");
	for (int i = 0; i <= DL_HOST_FOLDER_MAX; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/full/%d", i);
		put_link(world, path, "x");
	}
	assert_int_equal(dl_host_list(world->host, "/full", &names, NULL), 0);
	assert_true(names.cut);
	assert_int_equal(names.count, DL_HOST_FOLDER_MAX);
}

static void leaves_the_access_time_alone(void **state)
{
	struct world *world = *state;
	struct dl_host_facts facts;
	struct stat before, after;
	dl_autofree char *real = real_path(world, "/etc/file");
	dl_autofree char *data = NULL;
	size_t size;
	/* Long ago: relatime would write a new one at the next read. */
	struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	assert_int_equal(utimensat(AT_FDCWD, real, times, 0), 0);
	assert_int_equal(lstat(real, &before), 0);
	assert_int_equal(dl_host_look(world->host, "/etc/file", true, &facts, NULL), 0);
	assert_int_equal(dl_host_read(world->host, "/etc/file", 100, &data, &size, NULL), 0);
	assert_int_equal(lstat(real, &after), 0);
	assert_memory_equal(&before.st_atim, &after.st_atim, sizeof(before.st_atim));
}

static void says_that_a_folder_has_no_systemd(void **state)
{
	struct world *world = *state;
	dl_autounit unit = { 0 };
	struct dl_host_identity identity = { 0 };
	put(world, "/etc/hostname", "box\n");
	put(world, "/etc/os-release", "ID=x\nPRETTY_NAME=\"Some Linux 1\"\n");
	assert_int_equal(dl_host_unit_ask(world->host, "cron.service", &unit, NULL),
			 DL_E_UNSUPPORTED);
	assert_false(dl_host_is_live(world->host));
	assert_int_equal(dl_host_identify(world->host, &identity, NULL), 0);
	assert_string_equal(identity.hostname, "box");
	assert_string_equal(identity.os, "Some Linux 1");
	assert_string_equal(identity.boot_id, "");
	dl_host_identity_clear(&identity);
}

/* A process with a lease on the file: it lets go 100 ms after it was asked to, or never. */
static pid_t start_leaser(const char *path, bool lets_go)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		return pid;
	}
	sigset_t asked;
	sigemptyset(&asked);
	sigaddset(&asked, SIGIO);
	sigprocmask(SIG_BLOCK, &asked, NULL);
	int file = open(path, O_RDWR);
	if (fcntl(file, F_SETLEASE, F_WRLCK) < 0 || write(ready[1], "x", 1) != 1)
		_exit(1);
	sigwaitinfo(&asked, NULL);
	nanosleep(&(struct timespec){ .tv_sec = lets_go ? 0 : 600, .tv_nsec = 100000000 }, NULL);
	_exit(0);
}

static void end_leaser(pid_t leaser)
{
	kill(leaser, SIGKILL);
	assert_int_equal(waitpid(leaser, NULL, 0), leaser);
}

static void hashes_a_file_once_a_lease_on_it_is_over(void **state)
{
	struct world *world = *state;
	dl_autofree char *real = real_path(world, "/etc/file");
	pid_t leaser = start_leaser(real, true);
	struct dl_host_facts facts;
	assert_int_equal(dl_host_look(world->host, "/etc/file", true, &facts, NULL), 0);
	assert_true(facts.hashed);
	end_leaser(leaser);
}

static void refuses_to_wait_longer_for_a_lease_than_it_may(void **state)
{
	struct world *world = *state;
	dl_autofree char *real = real_path(world, "/etc/file");
	pid_t leaser = start_leaser(real, false);
	dl_autofd handle = open(real, O_PATH | O_CLOEXEC), fd = -1;
	int64_t wait_ms = 100;
	struct dl_error err = { 0 };
	assert_int_equal(dl_root_reopen(handle, 0, &wait_ms, &fd, &err), DL_E_TIMEOUT);
	assert_int_equal(wait_ms, 0);
	assert_non_null(strstr(err.text, "lease"));
	end_leaser(leaser);
}

static void takes_a_time_that_fits_in_no_number_for_the_last_one(void **state)
{
	(void)state;
	assert_int_equal(dl_nanoseconds(&(struct timespec){ INT64_MAX, 0 }), INT64_MAX);
	assert_int_equal(dl_nanoseconds(&(struct timespec){ INT64_MIN, 5 }), INT64_MIN);
	assert_int_equal(dl_nanoseconds(&(struct timespec){ -1, 999999999 }), -1);
}

int main(void)
{
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		DISK_TEST(says_what_lstat_says),
		DISK_TEST(calls_missing_what_is_not_there),
		DISK_TEST(refuses_a_symlink_in_any_parent),
		DISK_TEST(stays_inside_the_folder),
		DISK_TEST(opens_no_fifo),
		DISK_TEST(reads_no_more_than_its_limit),
		DISK_TEST(hashes_no_giant),
		DISK_TEST(lists_names_in_order_as_bytes),
		DISK_TEST(cuts_a_folder_that_is_too_full),
		DISK_TEST(leaves_the_access_time_alone),
		DISK_TEST(says_that_a_folder_has_no_systemd),
		DISK_TEST(hashes_a_file_once_a_lease_on_it_is_over),
		DISK_TEST(refuses_to_wait_longer_for_a_lease_than_it_may),
		cmocka_unit_test(takes_a_time_that_fits_in_no_number_for_the_last_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
