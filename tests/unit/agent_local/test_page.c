/* Lines at a terminal: cut or wrapped at its edge, by characters and not by bytes. */
#include "agent/page.h"
#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct sheet {
	struct dl_page page;
	char *text;
	size_t size;
};

static void sheet_open(struct sheet *sheet, size_t width, bool colour)
{
	*sheet = (struct sheet){ 0 };
	FILE *out = open_memstream(&sheet->text, &sheet->size);
	assert_non_null(out);
	sheet->page = dl_page_on(out, &(struct dl_table_look){ .width = width, .colour = colour });
}

static const char *shown(struct sheet *sheet)
{
	assert_true(dl_page_is_written(&sheet->page));
	return sheet->text;
}

static void sheet_close(struct sheet *sheet)
{
	fclose(sheet->page.out);
	free(sheet->text);
}
#define autosheet __attribute__((cleanup(sheet_close))) struct sheet

#define TEN "0123456789"

static void cuts_at_the_edge_by_characters(void **state)
{
	autosheet sheet;
	(void)state;
	sheet_open(&sheet, 40, false);
	dl_page_cut(&sheet.page, TEN TEN TEN TEN, 0);
	dl_page_cut(&sheet.page, TEN TEN TEN TEN "x", 0);
	dl_page_cut(&sheet.page, "ääääääääääääää", 28);
	assert_string_equal(shown(&sheet), TEN TEN TEN TEN "\n" TEN TEN TEN "012345678…\n"
						   "äääääääääää…\n");
}

static void wraps_after_words_and_keeps_all_of_them(void **state)
{
	autosheet sheet;
	(void)state;
	sheet_open(&sheet, 40, false);
	dl_page_wrap(&sheet.page, "one two three four five six", 20);
	assert_string_equal(shown(&sheet), "one two three four\n                    five six\n");
}

static void breaks_a_word_that_fits_no_line(void **state)
{
	autosheet sheet;
	(void)state;
	sheet_open(&sheet, 40, false);
	dl_page_wrap(&sheet.page, TEN TEN TEN, 20);
	assert_string_equal(shown(&sheet), TEN TEN "\n                    " TEN "\n");
}

static void shows_percent_and_tab_plainly_and_no_other_byte(void **state)
{
	autosheet sheet;
	(void)state;
	sheet_open(&sheet, 80, false);
	dl_page_cut(&sheet.page, "50%25 a%09b %1B[2J %", 0);
	assert_string_equal(shown(&sheet), "50% a b %1B[2J %\n");
}

static void says_nothing_of_what_is_not_known(void **state)
{
	autosheet sheet;
	(void)state;
	sheet_open(&sheet, 80, false);
	dl_page_field(&sheet.page, "as", NULL);
	dl_page_words(&sheet.page, "why", "");
	assert_string_equal(shown(&sheet) ? shown(&sheet) : "", "");
}

static void has_no_escape_without_colours(void **state)
{
	autosheet plain, coloured;
	(void)state;
	sheet_open(&plain, 80, false);
	dl_page_field(&plain.page, "as", "root");
	assert_null(strchr(shown(&plain), '\033'));
	sheet_open(&coloured, 80, true);
	dl_page_field(&coloured.page, "as", "root");
	assert_non_null(strchr(shown(&coloured), '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_at_the_edge_by_characters),
		cmocka_unit_test(wraps_after_words_and_keeps_all_of_them),
		cmocka_unit_test(breaks_a_word_that_fits_no_line),
		cmocka_unit_test(shows_percent_and_tab_plainly_and_no_other_byte),
		cmocka_unit_test(says_nothing_of_what_is_not_known),
		cmocka_unit_test(has_no_escape_without_colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
