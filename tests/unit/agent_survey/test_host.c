/* What the read face makes of a driver's facts: paths, users, packages, the never-list. */
#include "check.h"

#include "tests/fakes/fake_host.h"

static void expect_canonical(struct dl_host *host, const char *path, const char *canonical)
{
	dl_autofree char *found = NULL;
	assert_int_equal(dl_host_canonical(host, path, false, &found, NULL), 0);
	assert_string_equal(found, canonical);
}

static void resolves_symlinks_of_parents_only(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/lib", "usr/lib");
	fake_link(fake, "/usr/lib/a", "/opt/b");
	fake_link(fake, "/opt/b/leaf", "elsewhere");
	dl_auto(dl_host) host = fake_host_open(fake);
	expect_canonical(host, "/lib/x", "/usr/lib/x");
	expect_canonical(host, "/lib/a/leaf", "/opt/b/leaf");
	expect_canonical(host, "//lib/./a//../c", "/opt/c");
	expect_canonical(host, "/../..", "/");
	expect_canonical(host, "/gone/../lib/x", "/usr/lib/x");
	expect_canonical(host, "/lib", "/lib");
}

static void follows_the_leaf_when_asked(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	dl_autofree char *found = NULL;
	fake_link(fake, "/a", "b");
	fake_link(fake, "/b", "/etc/passwd");
	fake_link(fake, "/dangling", "nowhere");
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(dl_host_canonical(host, "/a", true, &found, NULL), 0);
	assert_string_equal(found, "/etc/passwd");
	dl_autofree char *none = NULL;
	assert_int_equal(dl_host_canonical(host, "/dangling", true, &none, NULL), DL_E_NOT_FOUND);
}

static void refuses_loops_and_hostile_paths(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	dl_autofree char *found = NULL;
	struct dl_error why = { 0 };
	char endless[2 * DL_HOST_PATH_MAX];
	memset(endless, 'a', sizeof(endless) - 1);
	endless[0] = '/';
	endless[sizeof(endless) - 1] = '\0';
	fake_link(fake, "/a", "b");
	fake_link(fake, "/b", "a");
	fake_link(fake, "/grow", "grow/grow");
	char dots[DL_HOST_PATH_MAX];
	memset(dots, '/', sizeof(dots));
	for (size_t i = 0; i < sizeof(dots); i += 2)
		dots[i] = '.';
	strcpy(dots + sizeof(dots) - 4, "./l");
	fake_link(fake, "/tmp/wind", dots);
	fake_link(fake, "/tmp/l", dots);
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(dl_host_canonical(host, "/a/x", false, &found, NULL), DL_E_INVALID);
	assert_int_equal(dl_host_canonical(host, "/grow/x", false, &found, NULL), DL_E_INVALID);
	assert_int_equal(dl_host_canonical(host, "/tmp/wind/x", false, &found, &why), DL_E_INVALID);
	assert_non_null(strstr(why.text, "more parts"));
	assert_int_equal(dl_host_canonical(host, "relative", false, &found, NULL), DL_E_INVALID);
	assert_int_equal(dl_host_canonical(host, endless, false, &found, NULL), DL_E_INVALID);
	struct dl_host_facts facts;
	assert_int_equal(dl_host_look(host, "/etc/../etc", false, &facts, NULL), DL_E_INVALID);
	assert_int_equal(dl_host_look(host, "/etc//x", false, &facts, NULL), DL_E_INVALID);
	assert_int_equal(dl_host_look(host, "etc", false, &facts, NULL), DL_E_INVALID);
}

static void reads_users_and_passes_over_what_is_none(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n# c\n+nis\nshort:x:1\n"
				       "neg:x:-1:0::/:\nbig:x:99999999999:0::/:\ntoor:x:0:0::/:/x\n"
				       "last:x:7:8:g:/h:/s");
	dl_auto(dl_host) host = fake_host_open(fake);
	const struct dl_host_user *users;
	size_t count;
	assert_int_equal(dl_host_users(host, &users, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(dl_host_user_by_uid(host, 0)->name, "root");
	assert_string_equal(dl_host_user_by_name(host, "last")->home, "/h");
	assert_null(dl_host_user_by_name(host, "+nis"));
}

static void says_so_when_users_cannot_be_read(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_remove(fake, "/etc/passwd");
	dl_auto(dl_host) host = fake_host_open(fake);
	const struct dl_host_user *users;
	size_t count;
	assert_int_equal(dl_host_users(host, &users, &count, NULL), DL_E_NOT_FOUND);
	assert_null(dl_host_user_by_uid(host, 0));
}

static enum dl_baseline baseline_of(struct dl_host *host, const char *path, char *package,
				    size_t room)
{
	struct dl_object object = { 0 };
	assert_int_equal(dl_host_object(host, path, DL_ROLE_UNIT, &object, NULL), 0);
	strncpy(package, object.package ? object.package : "", room - 1);
	enum dl_baseline baseline = object.baseline;
	dl_object_clear(&object);
	return baseline;
}

static void compares_with_what_the_package_shipped(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	char package[64] = "";
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, "/usr/lib/same", "1");
	fake_owned(fake, "p:amd64", "/usr/lib/same", "/lib/same");
	fake_file(fake, "/usr/lib/changed", "1");
	fake_owned(fake, "p:amd64", "/usr/lib/changed", "/usr/lib/changed");
	fake_file(fake, "/usr/lib/changed", "2");
	fake_file(fake, "/etc/conf", "1");
	fake_conffile(fake, "q", "/etc/conf");
	fake_file(fake, "/usr/lib/added", "1");
	fake_file(fake, "/var/lib/dpkg/info/r.list", "/usr/lib/nosum\n");
	fake_file(fake, "/usr/lib/nosum", "1");
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(baseline_of(host, "/usr/lib/same", package, 64), DL_BASELINE_SAME);
	assert_string_equal(package, "p");
	assert_int_equal(baseline_of(host, "/usr/lib/changed", package, 64), DL_BASELINE_DIFFERENT);
	assert_int_equal(baseline_of(host, "/etc/conf", package, 64), DL_BASELINE_SAME);
	assert_int_equal(baseline_of(host, "/usr/lib/nosum", package, 64), DL_BASELINE_NONE);
	assert_int_equal(baseline_of(host, "/usr/lib/added", package, 64), DL_BASELINE_ABSENT);
	assert_string_equal(package, "");
}

/* The name in /lib counts for /usr/lib only where the host has merged them. */
static void tells_merged_and_unmerged_folders_apart(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	char package[64] = "";
	fake_file(fake, "/lib/x", "1");
	fake_owned(fake, "p", "/lib/x", "/lib/x");
	fake_file(fake, "/usr/lib/x", "1");
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(baseline_of(host, "/usr/lib/x", package, 64), DL_BASELINE_ABSENT);
	assert_int_equal(baseline_of(host, "/lib/x", package, 64), DL_BASELINE_SAME);
}

static void follows_diversions(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	char package[64] = "";
	fake_file(fake, "/usr/bin/x.real", "theirs");
	fake_owned(fake, "theirs", "/usr/bin/x.real", "/usr/bin/x");
	fake_file(fake, "/usr/bin/x", "ours");
	fake_owned(fake, "ours", "/usr/bin/x", "/usr/bin/x");
	fake_file(fake, "/usr/bin/y", "mine");
	fake_file(fake, "/var/lib/dpkg/info/theirs2.list", "/usr/bin/y\n");
	fake_file(fake, "/var/lib/dpkg/diversions", "/usr/bin/x\n/usr/bin/x.real\nours\n"
						    "/usr/bin/y\n/usr/bin/y.real\n:\n");
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(baseline_of(host, "/usr/bin/x", package, 64), DL_BASELINE_SAME);
	assert_string_equal(package, "ours");
	assert_int_equal(baseline_of(host, "/usr/bin/x.real", package, 64), DL_BASELINE_SAME);
	assert_string_equal(package, "theirs");
	assert_int_equal(baseline_of(host, "/usr/bin/y", package, 64), DL_BASELINE_ABSENT);
}

static void proves_nothing_without_a_package_database(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	char package[64] = "";
	fake_remove(fake, "/var/lib/dpkg/info/base-files.list");
	fake_file(fake, "/opt/x", "1");
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(baseline_of(host, "/opt/x", package, 64), DL_BASELINE_NONE);
}

static void expect_protected(struct dl_host *host, const char *path, bool is_protected)
{
	struct dl_object object = { 0 };
	assert_int_equal(dl_host_object(host, path, DL_ROLE_PAYLOAD, &object, NULL), 0);
	if (is_protected != (object.protected_by != NULL))
		fail_msg("%s: %s", path, object.protected_by ? object.protected_by : "free");
	dl_object_clear(&object);
}

static void holds_the_never_list_by_path_folder_and_link(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/bin", "usr/bin");
	fake_link(fake, "/usr/bin/sh", "dash");
	fake_file(fake, "/usr/bin/dash", "shell");
	fake_file(fake, "/boot/vmlinuz", "kernel");
	fake_file(fake, "/etc/pam.d/sshd", "pam");
	fake_file(fake, "/opt/x", "x");
	fake_file(fake, "/dev/shm/x", "x");
	dl_auto(dl_host) host = fake_host_open(fake);
	expect_protected(host, "/usr/bin/sh", true);
	expect_protected(host, "/usr/bin/dash", true);
	expect_protected(host, "/boot/vmlinuz", true);
	expect_protected(host, "/boot/new", true);
	expect_protected(host, "/etc/passwd", true);
	expect_protected(host, "/etc/pam.d/sshd", true);
	expect_protected(host, "/dev/sda", true);
	expect_protected(host, "/proc/1/exe", true);
	expect_protected(host, "/opt/x", false);
	expect_protected(host, "/dev/shm/x", false);
	expect_protected(host, "/bootleg/x", false);
}

static void holds_the_never_list_by_hard_link_and_bind_mount(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	uint64_t passwd = fake_file(fake, "/etc/passwd", "root:x:0:0::/:/\n")->inode;
	uint64_t rule = fake_file(fake, "/etc/pam.d/su", "pam")->inode;
	fake_file(fake, "/tmp/p", "x")->inode = passwd;
	fake_file(fake, "/tmp/r", "x")->inode = rule;
	fake_file(fake, "/tmp/q", "x");
	dl_auto(dl_host) host = fake_host_open(fake);
	expect_protected(host, "/tmp/p", true);
	expect_protected(host, "/tmp/r", true);
	expect_protected(host, "/tmp/q", false);
}

static void takes_the_local_never_list_from_root_alone(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	struct dl_host_facts *list =
		fake_file(fake, "/etc/dislodge/never-list", "# ours\n/srv/db/\n/opt/one\n");
	fake_file(fake, "/srv/db/x", "x");
	fake_file(fake, "/opt/one", "x");
	dl_auto(dl_host) host = fake_host_open(fake);
	expect_protected(host, "/srv/db/x", true);
	expect_protected(host, "/opt/one", true);
	expect_protected(host, "/opt/two", false);

	fake = fake_host_new();
	list = fake_file(fake, "/etc/dislodge/never-list", "/opt/one\n");
	list->mode = 0666;
	dl_auto(dl_host) open_host = fake_host_open(fake);
	expect_protected(open_host, "/opt/one", false);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_symlinks_of_parents_only),
		cmocka_unit_test(follows_the_leaf_when_asked),
		cmocka_unit_test(refuses_loops_and_hostile_paths),
		cmocka_unit_test(reads_users_and_passes_over_what_is_none),
		cmocka_unit_test(says_so_when_users_cannot_be_read),
		cmocka_unit_test(compares_with_what_the_package_shipped),
		cmocka_unit_test(tells_merged_and_unmerged_folders_apart),
		cmocka_unit_test(follows_diversions),
		cmocka_unit_test(proves_nothing_without_a_package_database),
		cmocka_unit_test(holds_the_never_list_by_path_folder_and_link),
		cmocka_unit_test(holds_the_never_list_by_hard_link_and_bind_mount),
		cmocka_unit_test(takes_the_local_never_list_from_root_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
