#include "check.h"

#include "agent/survey/crontab.h"

static struct dl_crontab *parsed(const char *text, bool with_user)
{
	return dl_crontab_parse(text, strlen(text), with_user);
}

static void tells_schedule_user_and_command_apart(void **state)
{
	(void)state;
	dl_auto(dl_crontab) table = parsed("# c\n\n  17 *\t* * *\troot\t cd / && x % y\n", true);
	assert_int_equal(table->count, 1);
	const struct dl_cron_line *line = &table->lines[0];
	assert_int_equal(line->type, DL_CRON_JOB);
	assert_string_equal(line->line, "  17 *\t* * *\troot\t cd / && x % y");
	assert_string_equal(line->schedule, "17 *\t* * *");
	assert_string_equal(line->user, "root");
	assert_string_equal(line->command, "cd / && x % y");
	assert_int_equal(line->offset, 5);
	assert_int_equal(line->size, strlen(line->line) + 1);
}

static void counts_equal_lines(void **state)
{
	(void)state;
	dl_auto(dl_crontab) table = parsed("@daily a\n@daily b\n@daily a\n@daily a \n", false);
	assert_int_equal(table->lines[0].occurrence, 1);
	assert_int_equal(table->lines[1].occurrence, 1);
	assert_int_equal(table->lines[2].occurrence, 2);
	assert_int_equal(table->lines[3].occurrence, 1);
}

static void gives_a_job_the_settings_above_it(void **state)
{
	(void)state;
	dl_auto(dl_crontab) table = parsed("PATH=/a\n@daily x\nPATH = '/b c' \n@daily y\n", false);
	assert_string_equal(dl_crontab_setting(table, 1, "PATH"), "/a");
	assert_string_equal(dl_crontab_setting(table, 3, "PATH"), "/b c");
	assert_null(dl_crontab_setting(table, 0, "PATH"));
}

/* The verdicts of cron 3.0pl1-162 on a disposable host, one table for each line. */
static void reads_the_lines_that_cron_reads(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"*\t*\t*\t*\t*\troot\ttouch x", "  * * * * * root x", "*,1 * * * * root x",
		"* * * jan-dec mon-sun root x", "* * * Jan-DEC SUN-sat root x",
		"* * * 1-10,nov * root x", "* * * * 7-1 root x", "* * * * 0-7 root x",
		"1~59 * * * * root x", "1~9/2 * * * * root x", "*/70 * * * * root x",
		"59-0 * * * * root x", "0-59 0-23 1-31 1-12 0-7 root x", "0-59/1 * * * * root x",
		"*/01 * * * * root x", "00-059 * * * * root x", "*-9 * * * * root x",
		"*~9 * * * * root x", "00000000000005 * * * * root x",
		"*/99999999999 * * * * root x", "* * * * mon,TUE,3 root x", "* * * * mon-5 root x",
		"* * * * * root ", "@hourly root x",
	};
	for (size_t i = 0; i < DL_COUNT(lines); i++) {
		dl_auto(dl_crontab) table = parsed(lines[i], true);
		assert_int_equal(table->count, 1);
		assert_string_equal(table->lines[0].line, lines[i]);
		assert_int_equal(table->lines[0].type, DL_CRON_JOB);
	}
}

static void finds_the_lines_that_cron_cannot_read(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"-* * * * * root x", "*/0 * * * * root x", "0-60 * * * * root x",
		"@REBOOT root x", "@minutely root x", "@every_minute root x", "0/1 * * * * root x",
		"*,, * * * * root x", "*, * * * * root x", "* * * january-december * root x",
		"\f", "\r", "A=", "A B=c", "A=\"b\" c", "A=\"b", "+1 * * * * root x",
		"* 24 * * * root x", "* * 0 * * root x", "* * 32 * * root x", "* * * 0 * root x",
		"* * * * 8 root x", "~ * * * * root x", "jan * * * * root x",
		"* * * * sunday root x",
		"* * * * * root", "broken line",
	};
	for (size_t i = 0; i < DL_COUNT(lines); i++) {
		dl_auto(dl_crontab) table = parsed(lines[i], true);
		assert_int_equal(table->count, 1);
		assert_string_equal(table->lines[0].line, lines[i]);
		assert_int_equal(table->lines[0].type, DL_CRON_UNREADABLE);
		assert_int_equal(table->unreadable_count, 1);
	}
}

static void reads_the_settings_that_cron_reads(void **state)
{
	(void)state;
	static const char *const lines[] = { "'X y'='1'", "A=b=c", "=b", "  A  =  b  ", "A=\"\"",
					     "''=1", "A=b\"c\"", "A=b'c", "5=1", "* = 1",
					     "X=1 * * * * root x", "@reboot=1", "A\t=\tb" };
	for (size_t i = 0; i < DL_COUNT(lines); i++) {
		dl_auto(dl_crontab) table = parsed(lines[i], true);
		assert_int_equal(table->count, 1);
		assert_string_equal(table->lines[0].line, lines[i]);
		assert_int_equal(table->lines[0].type, DL_CRON_SETTING);
	}
}

static void reads_a_user_job_without_a_command(void **state)
{
	(void)state;
	dl_auto(dl_crontab) table = parsed("* * * * *\n@reboot\n", false);
	assert_int_equal(table->job_count, 2);
}

static void cannot_read_a_command_of_999_bytes(void **state)
{
	(void)state;
	char text[1100] = "@daily ";
	memset(text + 7, 'a', DL_CRONTAB_COMMAND_MAX);
	dl_auto(dl_crontab) longest = parsed(text, false);
	assert_int_equal(longest->lines[0].type, DL_CRON_JOB);
	text[7 + DL_CRONTAB_COMMAND_MAX] = 'a';
	dl_auto(dl_crontab) longer = parsed(text, false);
	assert_int_equal(longer->lines[0].type, DL_CRON_UNREADABLE);
}

static void notices_the_missing_newline(void **state)
{
	(void)state;
	dl_auto(dl_crontab) with = parsed("@daily x\n", false);
	dl_auto(dl_crontab) without = parsed("@daily x", false);
	dl_auto(dl_crontab) empty = parsed("", false);
	assert_false(with->unterminated);
	assert_true(without->unterminated);
	assert_false(empty->unterminated);
	assert_int_equal(without->lines[0].size, 8);
}

static void says_when_lines_were_passed_over(void **state)
{
	(void)state;
	char text[DL_CRONTAB_LINE_MAX + 10];
	memset(text, 'a', sizeof(text));
	dl_auto(dl_crontab) endless = dl_crontab_parse(text, sizeof(text), false);
	dl_auto(dl_crontab) nul = dl_crontab_parse("@daily a\0b\n", 11, false);
	assert_true(endless->cut);
	assert_true(nul->cut);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_schedule_user_and_command_apart),
		cmocka_unit_test(counts_equal_lines),
		cmocka_unit_test(gives_a_job_the_settings_above_it),
		cmocka_unit_test(reads_the_lines_that_cron_reads),
		cmocka_unit_test(finds_the_lines_that_cron_cannot_read),
		cmocka_unit_test(reads_the_settings_that_cron_reads),
		cmocka_unit_test(reads_a_user_job_without_a_command),
		cmocka_unit_test(cannot_read_a_command_of_999_bytes),
		cmocka_unit_test(notices_the_missing_newline),
		cmocka_unit_test(says_when_lines_were_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
