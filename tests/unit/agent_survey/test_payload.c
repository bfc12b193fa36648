#include "check.h"

#include "agent/survey/payload.h"
#include "core/base/buf.h"
#include "tests/fakes/fake_host.h"

static struct fake_host *host_with_programs(void)
{
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/bin", "usr/bin");
	fake_file(fake, "/usr/bin/sh", "shell");
	fake_file(fake, "/usr/bin/python3.11", "snake");
	fake_link(fake, "/usr/bin/python3", "python3.11");
	fake_file(fake, "/usr/bin/env", "env");
	fake_owned(fake, "dash", "/usr/bin/sh", "/bin/sh");
	fake_owned(fake, "python3.11-minimal", "/usr/bin/python3.11", "/usr/bin/python3.11");
	fake_owned(fake, "python3-minimal", "/usr/bin/python3", "/usr/bin/python3");
	fake_owned(fake, "coreutils", "/usr/bin/env", "/usr/bin/env");
	fake_file(fake, "/opt/x.sh", "x");
	fake_file(fake, "/opt/x.py", "x");
	fake_file(fake, "/opt/lib.so", "x");
	fake_file(fake, "/home/alice/h.sh", "x");
	return fake;
}

/* The unowned payload paths, by spaces. */
static char *unowned(const struct dl_foothold *foothold)
{
	dl_autobuf paths = DL_BUF_INIT;
	for (size_t i = 0; i < foothold->object_count; i++)
		if (!foothold->objects[i].package)
			dl_buf_printf(&paths, "%s%s", paths.size ? " " : "",
				      foothold->objects[i].path);
	return dl_buf_take(&paths);
}

static void expect(int (*of)(const struct dl_payload_place *, const char *, struct dl_foothold *,
			     struct dl_error *),
		   const char *text, const char *paths)
{
	dl_auto(dl_host) host = fake_host_open(host_with_programs());
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/usr/bin:/bin:/opt",
					  .home = "/home/alice", .folder = "/home/alice",
					  .looks_max = INT64_MAX };
	assert_int_equal(of(&place, text, foothold, NULL), 0);
	dl_autofree char *found = unowned(foothold);
	assert_string_equal(found, paths);
}

static void follows_shells_to_scripts(void **state)
{
	(void)state;
	expect(dl_payload_of_shell, "sh /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "sh -e -x -- /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "sh < /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "sh -c 'exec /opt/x.sh; true'", "/opt/x.sh");
	expect(dl_payload_of_shell, "sh -lec \"sh -c 'sh /opt/x.sh'\"", "/opt/x.sh");
	expect(dl_payload_of_shell, ". /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "eval 'sh /opt/x.sh'", "/opt/x.sh");
	expect(dl_payload_of_shell, "if [ -x /a ]; then /opt/x.sh; fi", "/opt/x.sh");
}

static void follows_interpreters_to_scripts(void **state)
{
	(void)state;
	expect(dl_payload_of_shell, "python3 -u /opt/x.py --flag", "/opt/x.py");
	expect(dl_payload_of_shell, "python3 -W ignore /opt/x.py", "/opt/x.py");
	expect(dl_payload_of_shell, "python3 -c 'import /opt/x.py'", "");
	expect(dl_payload_of_shell, "perl /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "java -jar /opt/lib.so", "/opt/lib.so");
	expect(dl_payload_of_shell, "php8.2 -f /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "/lib64/ld-linux-x86-64.so.2 /opt/x.sh", "/opt/x.sh");
}

static void follows_wrappers(void **state)
{
	(void)state;
	expect(dl_payload_of_shell, "env -u X A=b /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "sudo -u bob -n /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "nohup setsid nice -n 5 /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "timeout -k 5 10 /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "timeout --foreground 10 python3 /opt/x.py", "/opt/x.py");
	expect(dl_payload_of_shell, "su - bob -c 'sh /opt/x.sh'", "/opt/x.sh");
	expect(dl_payload_of_shell, "flock -n /lock -c '/opt/x.sh'", "/opt/x.sh");
	expect(dl_payload_of_shell, "flock -n /lock /opt/x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "X=1 LD_PRELOAD=/opt/lib.so /opt/x.sh",
	       "/opt/lib.so /opt/x.sh");
}

static void finds_names_by_search_path_home_and_folder(void **state)
{
	(void)state;
	expect(dl_payload_of_shell, "x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "~/h.sh", "/home/alice/h.sh");
	expect(dl_payload_of_shell, "\"$HOME/h.sh\"", "/home/alice/h.sh");
	expect(dl_payload_of_shell, "sh h.sh", "/home/alice/h.sh");
	expect(dl_payload_of_shell, "/opt/../opt/./x.sh", "/opt/x.sh");
	expect(dl_payload_of_shell, "$X/x.sh", "");
	expect(dl_payload_of_exec, "-/bin/sh -c \"/opt/x.sh %i\"", "/opt/x.sh");
}

static void lists_the_interpreter_with_its_package(void **state)
{
	(void)state;
	dl_auto(dl_host) host = fake_host_open(host_with_programs());
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/bin",
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_shell(&place, "/bin/sh -c 'python3 /opt/x.py'", foothold,
					     NULL),
			 0);
	assert_int_equal(foothold->object_count, 3);
	assert_string_equal(foothold->objects[0].path, "/usr/bin/sh");
	assert_string_equal(foothold->objects[0].package, "dash");
	assert_int_equal(foothold->objects[0].baseline, DL_BASELINE_SAME);
	assert_string_equal(foothold->objects[1].path, "/usr/bin/python3.11");
	assert_string_equal(foothold->objects[2].path, "/opt/x.py");
	assert_int_equal(foothold->objects[2].baseline, DL_BASELINE_ABSENT);
}

static void lists_an_unowned_link_and_where_it_leads(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_programs();
	fake_link(fake, "/opt/link", "../opt/x.sh");
	fake_link(fake, "/opt/loop", "loop");
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/bin",
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_shell(&place, "/opt/link; /opt/loop; /opt/link", foothold,
					     NULL),
			 0);
	assert_string_equal(foothold->objects[0].path, "/opt/link");
	assert_int_equal(foothold->objects[0].type, DL_TYPE_SYMLINK);
	assert_string_equal(foothold->objects[0].link_target, "../opt/x.sh");
	assert_string_equal(foothold->objects[1].path, "/opt/x.sh");
	assert_string_equal(foothold->objects[2].path, "/opt/loop");
	assert_int_equal(foothold->object_count, 3);
}

static void passes_over_what_is_no_file(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_programs();
	fake_fifo(fake, "/opt/fifo");
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/bin",
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_shell(&place, "/opt/fifo; /opt; /gone; relative/x", foothold,
					     NULL),
			 0);
	assert_int_equal(foothold->object_count, 0);
}

static void stops_at_its_limits(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_programs();
	dl_autobuf text = DL_BUF_INIT;
	for (int i = 0; i < 2 * DL_PAYLOADS_MAX; i++) {
		dl_autobuf path = DL_BUF_INIT;
		dl_buf_printf(&path, "/opt/many/%d", i);
		fake_file(fake, path.data, "x");
		dl_buf_printf(&text, "%s;", path.data);
	}
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/bin",
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_shell(&place, text.data, foothold, NULL), 0);
	assert_int_equal(foothold->object_count, DL_PAYLOADS_MAX);
}

static void says_when_the_host_cannot_be_read(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_programs();
	fake_broken(fake, "/opt/x.sh");
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/bin",
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_shell(&place, "/opt/x.sh", foothold, NULL), DL_E_IO);
}

static void refuses_a_search_path_without_end(void **state)
{
	(void)state;
	dl_auto(dl_host) host = fake_host_open(host_with_programs());
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	dl_autobuf search = DL_BUF_INIT;
	for (int i = 0; i < DL_PAYLOAD_SEARCH_MAX - 1; i++)
		dl_buf_printf(&search, "/tmp/%d:", i);
	size_t allowed = search.size;
	dl_buf_puts(&search, "/opt:/usr/bin");
	struct dl_payload_place place = { .host = host, .search = search.data,
					  .looks_max = INT64_MAX };
	assert_int_equal(dl_payload_of_program(&place, "x.sh", foothold, NULL), 0);
	assert_int_equal(foothold->object_count, 1);
	assert_int_equal(dl_payload_of_program(&place, "sh", foothold, NULL), DL_E_LIMIT);
	search.data[allowed - 1] = '\0';
	assert_int_equal(dl_payload_of_program(&place, "sh", foothold, NULL), 0);
}

static void refuses_to_look_more_often_than_it_may(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_programs();
	fake_link(fake, "/tmp/loop", "loop");
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_foothold) foothold = dl_foothold_new(DL_KIND_CRON_USER);
	struct dl_payload_place place = { .host = host, .search = "/tmp/loop:/opt",
					  .looks_max = DL_HOST_LINKS_MAX };
	assert_int_equal(dl_payload_of_program(&place, "x.sh", foothold, NULL), DL_E_LIMIT);
	assert_true(dl_host_looks(host) < 3 * DL_HOST_LINKS_MAX);
	assert_int_equal(foothold->object_count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_shells_to_scripts),
		cmocka_unit_test(follows_interpreters_to_scripts),
		cmocka_unit_test(follows_wrappers),
		cmocka_unit_test(finds_names_by_search_path_home_and_folder),
		cmocka_unit_test(lists_the_interpreter_with_its_package),
		cmocka_unit_test(lists_an_unowned_link_and_where_it_leads),
		cmocka_unit_test(passes_over_what_is_no_file),
		cmocka_unit_test(stops_at_its_limits),
		cmocka_unit_test(says_when_the_host_cannot_be_read),
		cmocka_unit_test(refuses_a_search_path_without_end),
		cmocka_unit_test(refuses_to_look_more_often_than_it_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
