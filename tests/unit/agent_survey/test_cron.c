/* Cron lines of a host in memory, rows L8 and L9. */
#include "world.h"

#include "agent/survey/scan.h"

#define SPOOL "/var/spool/cron/crontabs"
#define SHIPPED "# the package's\nSHELL=/bin/sh\n17 * * * * root true\n25 6 * * * root false\n"

static struct fake_host *host_with_crontab(const char *content)
{
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/crontab", SHIPPED);
	fake_conffile(fake, "cron", "/etc/crontab");
	if (content)
		fake_file(fake, "/etc/crontab", content);
	fake_file(fake, "/opt/x", "x");
	return fake;
}

static struct fake_host *host_with_table(const char *content)
{
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/opt/x", "x");
	fake_file(fake, SPOOL "/alice", content)->mode = 0600;
	return fake;
}

static void names_a_system_line(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/cron.d/job", "# c\n*/5 * * * * alice /opt/x --go\n");
	fake_file(fake, "/opt/x", "payload");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 1);
	const struct dl_foothold *found = survey->footholds[0];
	assert_int_equal(found->kind, DL_KIND_CRON_SYSTEM);
	assert_string_equal(found->scope, "system");
	assert_string_equal(found->location, "/etc/cron.d/job");
	assert_string_equal(found->line, "*/5 * * * * alice /opt/x --go");
	assert_int_equal(found->occurrence, 1);
	assert_string_equal(found->command, "/opt/x --go");
	assert_string_equal(found->user, "alice");
	assert_string_equal(found->schedule, "*/5 * * * *");
	assert_true(found->active);
	dl_autofree char *objects = objects_of(found);
	assert_string_equal(objects, "table:/etc/cron.d/job payload:/opt/x");
}

static void names_a_users_line(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_table("PATH=/opt\n@reboot x %input\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = lined(survey, "@reboot x %25input");
	assert_int_equal(found->kind, DL_KIND_CRON_USER);
	assert_string_equal(found->scope, "user:alice");
	assert_string_equal(found->user, "alice");
	dl_autofree char *objects = objects_of(found);
	assert_string_equal(objects, "table:" SPOOL "/alice payload:/opt/x");
}

static void counts_the_lines_of_an_unchanged_package(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = survey_of(host_with_crontab(NULL), false);
	assert_int_equal(survey->foothold_count, 0);
	assert_int_equal(survey->omitted, 2);
}

static void proves_that_a_line_was_added_to_a_packages_table(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey =
		survey_of(host_with_crontab("# the package's\nSHELL=/bin/sh\n17 * * * * root true\n"
					    "* * * * * root /opt/x\n25 6 * * * root false\n"
					    "@reboot root /opt/x\n"),
			  false);
	assert_int_equal(survey->foothold_count, 2);
	assert_int_equal(survey->omitted, 2);
	for (size_t i = 0; i < 2; i++) {
		dl_autofree char *words = NULL;
		assert_int_equal(survey->footholds[i]->objects[0].baseline, DL_BASELINE_ABSENT);
		assert_int_equal(dl_plan_judge(survey->footholds[i], &words), DL_REASON_NONE);
	}
}

static void proves_nothing_when_a_packages_line_was_changed(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey =
		survey_of(host_with_crontab("# the package's\nSHELL=/bin/sh\n18 * * * * root true\n"
					    "25 6 * * * root false\n* * * * * root /opt/x\n"),
			  false);
	assert_int_equal(survey->foothold_count, 3);
	for (size_t i = 0; i < 3; i++) {
		dl_autofree char *words = NULL;
		assert_int_equal(survey->footholds[i]->objects[0].baseline, DL_BASELINE_DIFFERENT);
		assert_int_equal(dl_plan_judge(survey->footholds[i], &words),
				 DL_REASON_MODIFIED_EXISTING);
	}
}

static void tries_no_more_lines_than_its_limit(void **state)
{
	(void)state;
	dl_autobuf text = DL_BUF_INIT;
	dl_buf_puts(&text, SHIPPED);
	for (int i = 0; i < 9; i++)
		dl_buf_printf(&text, "%d * * * * root /opt/x\n", i);
	dl_auto(dl_survey) survey = survey_of(host_with_crontab(text.data), false);
	assert_int_equal(survey->foothold_count, 11);
	assert_int_equal(survey->footholds[10]->objects[0].baseline, DL_BASELINE_DIFFERENT);
}

static void says_why_cron_passes_over_a_system_table(void **state)
{
	(void)state;
	static const char line[] = "* * * * * root /opt/x\n";
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/cron.d/dotted.name", line);
	fake_file(fake, "/etc/cron.d/open", line)->mode = 0664;
	fake_file(fake, "/etc/cron.d/owned", line)->uid = 1000;
	fake_file(fake, "/etc/cron.d/twice", line)->links = 2;
	fake_file(fake, "/etc/cron.d/unended", "* * * * * root /opt/x");
	fake_file(fake, "/etc/cron.d/strange", "* * * * * nobody-here /opt/x\n");
	fake_fifo(fake, "/etc/cron.d/pipe");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 6);
	for (size_t i = 0; i < survey->foothold_count; i++) {
		assert_false(survey->footholds[i]->active);
		assert_int_equal(strncmp(survey->footholds[i]->state, "inert: ", 7), 0);
	}
}

static void says_why_cron_passes_over_a_users_table(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_table("@daily a\n");
	fake_file(fake, SPOOL "/alice", "@daily a\n")->mode = 0644;
	fake_file(fake, SPOOL "/ghost", "@daily b\n")->mode = 0600;
	fake_file(fake, "/srv/table", "@daily c\n")->mode = 0600;
	fake_link(fake, SPOOL "/root", "/srv/table");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_string_equal(lined(survey, "@daily a")->state,
			    "inert: cron takes only files of mode 0600 here");
	assert_string_equal(lined(survey, "@daily b")->state, "inert: there is no such user");
	assert_string_equal(lined(survey, "@daily c")->state, "inert: cron opens no symlink here");
	assert_non_null(lined(survey, "@daily c")->manual_because);
}

/* Without the line that cron cannot read, it would read the table again. */
static void leaves_to_people_a_line_that_silences_others(void **state)
{
	(void)state;
	dl_auto(dl_survey) bad = survey_of(host_with_table("@daily a\nbroken\n"), false);
	assert_false(lined(bad, "@daily a")->active);
	assert_null(lined(bad, "@daily a")->manual_because);
	assert_non_null(lined(bad, "broken")->manual_because);

	dl_auto(dl_survey) unended = survey_of(host_with_table("@daily a\n@daily b"), false);
	assert_null(lined(unended, "@daily a")->manual_because);
	assert_non_null(lined(unended, "@daily b")->manual_because);

	dl_auto(dl_survey) alone = survey_of(host_with_table("@daily a"), false);
	assert_null(lined(alone, "@daily a")->manual_because);
}

static void tells_equal_lines_apart(void **state)
{
	(void)state;
	dl_auto(dl_survey) survey = survey_of(host_with_table("@daily a\n@daily a\n"), false);
	assert_int_equal(survey->foothold_count, 2);
	assert_string_not_equal(survey->footholds[0]->key, survey->footholds[1]->key);
}

static void names_the_tables_own_shell_and_preload(void **state)
{
	(void)state;
	struct fake_host *fake =
		host_with_table("SHELL=/opt/shell\nLD_PRELOAD=/opt/lib.so\n@daily true\n");
	fake_file(fake, "/opt/shell", "x");
	fake_file(fake, "/opt/lib.so", "x");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	dl_autofree char *objects = objects_of(lined(survey, "@daily true"));
	assert_string_equal(objects,
			    "table:" SPOOL "/alice payload:/opt/shell payload:/opt/lib.so");
}

static void says_when_tables_cannot_be_read(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_table("@daily a\n");
	fake_file(fake, "/etc/cron.d/huge", "")->size = INT64_MAX;
	fake_remove(fake, "/etc/passwd");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_CRON_SYSTEM], DL_COVERAGE_PARTIAL);
	assert_int_equal(survey->coverage[DL_KIND_CRON_USER], DL_COVERAGE_PARTIAL);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_COMPLETE);
}

static void distrusts_a_host_with_preloaded_libraries(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	dl_auto(dl_survey) clean = survey_of(fake, false);
	assert_true(clean->trusted);
	fake = fake_host_new();
	fake_file(fake, "/etc/ld.so.preload", "/opt/hook.so\n");
	dl_auto(dl_survey) hooked = survey_of(fake, false);
	assert_false(hooked->trusted);
	assert_non_null(strstr(hooked->untrusted_because, "ld.so.preload"));
}

static int64_t remember(void *memory, const char *key, int64_t now)
{
	(*(int *)memory)++;
	assert_int_equal(strlen(key), DL_SHA256_TEXT_SIZE - 1);
	assert_true(now > 0);
	return 42;
}

static void asks_the_memory_when_a_foothold_was_first_seen(void **state)
{
	(void)state;
	int asked = 0;
	dl_auto(dl_host) host = fake_host_open(host_with_table("@daily a\n"));
	dl_auto(dl_survey) survey = NULL;
	struct dl_survey_options options = { .first_seen = remember, .memory = &asked };
	assert_int_equal(dl_survey_make(host, &options, &survey, NULL), 0);
	assert_int_equal(asked, 1);
	assert_int_equal(survey->footholds[0]->first_seen, 42);
}

/* A flood of one kind must not hide another. */
static void keeps_room_for_the_other_kinds(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_table("@daily users\n");
	dl_autobuf text = DL_BUF_INIT;
	for (int i = 0; i < 2 * DL_SURVEY_FOOTHOLDS_MAX; i++)
		dl_buf_printf(&text, "@daily root x %d\n", i);
	fake_file(fake, "/etc/cron.d/flood", text.data);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_CRON_SYSTEM], DL_COVERAGE_PARTIAL);
	assert_int_equal(survey->coverage[DL_KIND_CRON_USER], DL_COVERAGE_COMPLETE);
	assert_int_equal(lined(survey, "@daily users")->kind, DL_KIND_CRON_USER);
}

/* Each of 31 folders costs forty links for each name, and there are hundreds of names. */
static struct fake_host *host_with_maze(int lines)
{
	dl_autobuf table = DL_BUF_INIT;
	dl_buf_puts(&table, "@daily /opt/x\nPATH=");
	for (int i = 0; i < 31; i++)
		dl_buf_printf(&table, "/tmp/loop:");
	dl_buf_puts(&table, "/opt\n");
	for (int line = 0; line < lines; line++) {
		dl_buf_printf(&table, "%d * * * * ", line % 60);
		for (int name = 0; name < 30; name++)
			dl_buf_printf(&table, "n%d;", name);
		dl_buf_puts(&table, "\n");
	}
	struct fake_host *fake = host_with_table(table.data);
	fake_link(fake, "/tmp/loop", "loop");
	fake_file(fake, SPOOL "/root", "@hourly /opt/x\n")->mode = 0600;
	return fake;
}

static void refuses_to_get_lost_in_a_users_maze(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_maze(1);
	struct dl_survey_options options = { 0 };
	dl_auto(dl_survey) survey = NULL;
	dl_auto(dl_host) host = fake_host_open(fake);
	assert_int_equal(dl_survey_make(host, &options, &survey, NULL), 0);
	assert_true(dl_host_looks(host) < 2 * DL_SCAN_FOOTHOLD_LOOKS);
	assert_int_equal(survey->coverage[DL_KIND_CRON_USER], DL_COVERAGE_PARTIAL);
	assert_non_null(strstr(survey->coverage_why[DL_KIND_CRON_USER], "more names and links"));
	assert_int_equal(survey->coverage[DL_KIND_CRON_SYSTEM], DL_COVERAGE_COMPLETE);
	dl_autofree char *others = objects_of(lined(survey, "@hourly /opt/x"));
	assert_string_equal(others, "table:" SPOOL "/root payload:/opt/x");
}

static void refuses_to_get_lost_in_a_thousand_mazes(void **state)
{
	(void)state;
	struct dl_survey_options options = { 0 };
	dl_auto(dl_survey) survey = NULL;
	dl_auto(dl_host) host = fake_host_open(host_with_maze(1000));
	assert_int_equal(dl_survey_make(host, &options, &survey, NULL), 0);
	assert_true(dl_host_looks(host) < DL_SCAN_KIND_LOOKS + 10 * 1000);
	assert_int_equal(survey->foothold_count, 1002);
	assert_int_equal(survey->coverage[DL_KIND_CRON_USER], DL_COVERAGE_PARTIAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_system_line),
		cmocka_unit_test(names_a_users_line),
		cmocka_unit_test(counts_the_lines_of_an_unchanged_package),
		cmocka_unit_test(proves_that_a_line_was_added_to_a_packages_table),
		cmocka_unit_test(proves_nothing_when_a_packages_line_was_changed),
		cmocka_unit_test(tries_no_more_lines_than_its_limit),
		cmocka_unit_test(says_why_cron_passes_over_a_system_table),
		cmocka_unit_test(says_why_cron_passes_over_a_users_table),
		cmocka_unit_test(leaves_to_people_a_line_that_silences_others),
		cmocka_unit_test(tells_equal_lines_apart),
		cmocka_unit_test(keeps_room_for_the_other_kinds),
		cmocka_unit_test(names_the_tables_own_shell_and_preload),
		cmocka_unit_test(says_when_tables_cannot_be_read),
		cmocka_unit_test(distrusts_a_host_with_preloaded_libraries),
		cmocka_unit_test(asks_the_memory_when_a_foothold_was_first_seen),
		cmocka_unit_test(refuses_to_get_lost_in_a_users_maze),
		cmocka_unit_test(refuses_to_get_lost_in_a_thousand_mazes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
