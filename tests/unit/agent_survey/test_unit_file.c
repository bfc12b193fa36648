#include "check.h"

#include "agent/survey/unit_file.h"
#include "core/base/buf.h"

static struct dl_unit_file *parsed(const char *text)
{
	struct dl_unit_file *unit = dl_unit_file_new();
	assert_int_equal(dl_unit_file_add(unit, text, strlen(text), NULL), 0);
	return unit;
}

static void takes_the_last_value(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Service]\nUser=a\nUser = b \n");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "b");
	assert_null(dl_unit_file_get(unit, "Unit", "User"));
}

static void forgets_what_came_before_an_empty_assignment(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n"
					    "ExecStart=/c\n");
	size_t at = 0;
	assert_string_equal(dl_unit_file_next(unit, "Service", "ExecStart", &at), "/b");
	assert_string_equal(dl_unit_file_next(unit, "Service", "ExecStart", &at), "/c");
	assert_null(dl_unit_file_next(unit, "Service", "ExecStart", &at));
}

static void joins_continued_lines_and_passes_over_comments_between(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Service]\nExecStart=/a \\\n# no\n; no\n  -b \\\n -c\n"
					    "User=x\n");
	assert_string_equal(dl_unit_file_get(unit, "Service", "ExecStart"), "/a    -b   -c");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "x");
}

static void takes_two_backslashes_for_one_that_ends_the_line(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Service]\nExecStart=/a \\\\\nUser=x\n");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "x");
}

static void reads_nul_and_carriage_return_as_ends_of_lines(void **state)
{
	(void)state;
	static const char text[] = "[Service]\0ExecStart=/a\r\nUser=x";
	dl_auto(dl_unit_file) unit = dl_unit_file_new();
	assert_int_equal(dl_unit_file_add(unit, text, sizeof(text) - 1, NULL), 0);
	assert_string_equal(dl_unit_file_get(unit, "Service", "ExecStart"), "/a");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "x");
}

static void merges_drop_ins_over_the_unit(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Service]\nExecStart=/a\nUser=a\n");
	static const char dropin[] = "[Service]\nExecStart=\nExecStart=/evil\n";
	assert_int_equal(dl_unit_file_add(unit, dropin, strlen(dropin), NULL), 0);
	assert_string_equal(dl_unit_file_get(unit, "Service", "ExecStart"), "/evil");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "a");
}

static void knows_nothing_before_the_first_section(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("ExecStart=/a\nrubbish\n[Service]\nrubbish\n=x\n");
	assert_null(dl_unit_file_get(unit, "Service", "ExecStart"));
	assert_null(dl_unit_file_get(unit, "Service", ""));
}

static void passes_over_a_byte_order_mark(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("\xef\xbb\xbf[Service]\nUser=x\n");
	assert_string_equal(dl_unit_file_get(unit, "Service", "User"), "x");
}

static void finds_words_in_lists(void **state)
{
	(void)state;
	dl_auto(dl_unit_file) unit = parsed("[Install]\nWantedBy=a.target  b.target\n"
					    "WantedBy=c.target\n");
	assert_true(dl_unit_file_lists(unit, "Install", "WantedBy", "b.target"));
	assert_true(dl_unit_file_lists(unit, "Install", "WantedBy", "c.target"));
	assert_false(dl_unit_file_lists(unit, "Install", "WantedBy", "b"));
}

static void refuses_more_settings_than_its_limit(void **state)
{
	(void)state;
	dl_autobuf text = DL_BUF_INIT;
	dl_buf_puts(&text, "[Service]\n");
	for (int i = 0; i <= DL_UNIT_FILE_SETTINGS_MAX; i++)
		dl_buf_puts(&text, i % 2 ? "A=\n" : "A=b\n");
	dl_auto(dl_unit_file) unit = dl_unit_file_new();
	assert_int_equal(dl_unit_file_add(unit, text.data, text.size, NULL), DL_E_LIMIT);
}

static void refuses_an_endless_line(void **state)
{
	(void)state;
	dl_autobuf text = DL_BUF_INIT;
	dl_buf_puts(&text, "[Service]\nExecStart=");
	while (text.size < 2 * DL_UNIT_FILE_VALUE_MAX)
		dl_buf_puts(&text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\\n");
	dl_auto(dl_unit_file) unit = dl_unit_file_new();
	assert_int_equal(dl_unit_file_add(unit, text.data, text.size, NULL), DL_E_LIMIT);
}

static void knows_which_names_systemd_takes(void **state)
{
	(void)state;
	assert_true(dl_unit_name_is_valid("a-b_c:d\\x2d.service"));
	assert_true(dl_unit_name_is_valid("a@b.service"));
	assert_false(dl_unit_name_is_valid("@a.service"));
	assert_false(dl_unit_name_is_valid("a b.service"));
	assert_false(dl_unit_name_is_valid("\xe2\x80\xae.service"));
	assert_false(dl_unit_name_is_valid(".service"));
	dl_autofree char *template = dl_unit_name_template("a@b.service");
	assert_string_equal(template, "a@.service");
	assert_null(dl_unit_name_template("a@.service"));
	assert_null(dl_unit_name_template("a.service"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_last_value),
		cmocka_unit_test(forgets_what_came_before_an_empty_assignment),
		cmocka_unit_test(joins_continued_lines_and_passes_over_comments_between),
		cmocka_unit_test(takes_two_backslashes_for_one_that_ends_the_line),
		cmocka_unit_test(reads_nul_and_carriage_return_as_ends_of_lines),
		cmocka_unit_test(merges_drop_ins_over_the_unit),
		cmocka_unit_test(knows_nothing_before_the_first_section),
		cmocka_unit_test(passes_over_a_byte_order_mark),
		cmocka_unit_test(finds_words_in_lists),
		cmocka_unit_test(refuses_more_settings_than_its_limit),
		cmocka_unit_test(refuses_an_endless_line),
		cmocka_unit_test(knows_which_names_systemd_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
