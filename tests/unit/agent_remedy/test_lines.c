/* Lines of a table, byte for byte. */
#include "agent/remedy/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct text text(const char *data)
{
	return (struct text){ data, strlen(data) };
}

static void assert_cut(const char *before, const char *wanted, int64_t occurrence,
		       const char *after)
{
	dl_autobuf rest = DL_BUF_INIT;
	struct line line;

	assert_true(lines_find(text(before), wanted, occurrence, &line));
	lines_without(text(before), line, &rest);
	assert_string_equal(rest.data ? rest.data : "", after);
}

static void cuts_exactly_one_line(void **state)
{
	(void)state;
	assert_cut("a\nb\nc\n", "b", 1, "a\nc\n");
	assert_cut("a\nb\nc\n", "a", 1, "b\nc\n");
	assert_cut("a\nb\nc\n", "c", 1, "a\nb\n");
	assert_cut("b\n", "b", 1, "");
	assert_cut("a\nb\na\nb\n", "b", 2, "a\nb\na\n");
	assert_cut("a\nb", "b", 1, "a\n");
	assert_cut("a\n\n\nb\n", "", 2, "a\n\nb\n");
	assert_cut("a\r\nb\r\n", "b\r", 1, "a\r\n");
}

static void finds_only_the_whole_line(void **state)
{
	struct line line;

	(void)state;
	assert_false(lines_find(text("ab\nabc\n bc\n"), "bc", 1, &line));
	assert_false(lines_find(text("bc\nbc\n"), "bc", 3, &line));
	assert_false(lines_find(text("bc\r\n"), "bc", 1, &line));
	assert_false(lines_find(text(""), "", 1, &line));
}

static void sees_past_a_nul_byte(void **state)
{
	const char data[] = "a\0b\nline\n";
	struct text table = { data, sizeof(data) - 1 };
	struct line line;

	(void)state;
	assert_true(lines_find(table, "line", 1, &line));
	assert_int_equal(line.start, 4);
	assert_false(lines_find(table, "a", 1, &line));
}

/* Cuts a line out of `before`, then puts it back into `since`. */
static bool put_back(const char *before, const char *wanted, const char *since,
		     struct dl_buf *ret_text)
{
	struct neighbours around;
	size_t position;
	struct line line;

	assert_true(lines_find(text(before), wanted, 1, &line));
	around = lines_around(text(before), line);
	return lines_place(text(since), &around, line.start, &position) &&
	       lines_with(text(since), position, text(wanted), line.ended, ret_text);
}

static void assert_put_back(const char *before, const char *wanted, const char *since,
			    const char *after)
{
	dl_autobuf whole = DL_BUF_INIT;

	assert_true(put_back(before, wanted, since, &whole));
	assert_string_equal(whole.data, after);
}

static void puts_a_line_back_between_its_neighbours(void **state)
{
	(void)state;
	assert_put_back("a\nx\nb\n", "x", "a\nb\n", "a\nx\nb\n");
	assert_put_back("a\nx\nb\n", "x", "new\na\nb\n", "new\na\nx\nb\n");
	assert_put_back("x\nb\n", "x", "b\nnew\n", "x\nb\nnew\n");
	assert_put_back("a\nx\n", "x", "new\na\n", "new\na\nx\n");
	assert_put_back("a\nx", "x", "a\n", "a\nx");
	assert_put_back("x\n", "x", "", "x\n");
}

static void refuses_when_its_neighbours_do_not_stand_together(void **state)
{
	dl_autobuf whole = DL_BUF_INIT;

	(void)state;
	assert_false(put_back("a\nx\nb\n", "x", "a\nnew\nb\n", &whole));
	assert_false(put_back("a\nx\nb\n", "x", "a\n", &whole));
	assert_false(put_back("x\n", "x", "new\n", &whole));
	/* Two places would fit, neither is the old one. */
	assert_false(put_back("a\nx\nb\n", "x", "n\nn\na\nb\na\nb\n", &whole));
}

static void prefers_its_old_place_among_equal_ones(void **state)
{
	(void)state;
	assert_put_back("a\nx\na\na\n", "x", "a\na\na\n", "a\nx\na\na\n");
}

static void does_not_run_into_a_line_without_end(void **state)
{
	dl_autobuf whole = DL_BUF_INIT;

	(void)state;
	assert_false(put_back("a\nx\n", "x", "a", &whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_exactly_one_line),
		cmocka_unit_test(finds_only_the_whole_line),
		cmocka_unit_test(sees_past_a_nul_byte),
		cmocka_unit_test(puts_a_line_back_between_its_neighbours),
		cmocka_unit_test(refuses_when_its_neighbours_do_not_stand_together),
		cmocka_unit_test(prefers_its_old_place_among_equal_ones),
		cmocka_unit_test(does_not_run_into_a_line_without_end),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
