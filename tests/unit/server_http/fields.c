/* What a query or a form says, and how much it may say. */
#include "core/base/buf.h"
#include "server/http/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

static struct dl_fields *must_parse(const char *text)
{
	struct dl_fields *fields = NULL;

	assert_int_equal(dl_fields_parse(text, &fields, NULL), 0);
	return fields;
}

static int parse_pairs(size_t count, struct dl_error *err)
{
	dl_autobuf text = DL_BUF_INIT;
	dl_auto(dl_fields) fields = NULL;

	for (size_t i = 0; i < count; i++)
		dl_buf_puts(&text, i ? "&step=1" : "step=1");
	return dl_fields_parse(text.data, &fields, err);
}

static void finds_values_by_name_in_the_order_sent(void **state)
{
	dl_auto(dl_fields) fields = must_parse("step=2&a=x+y%26z&step=1&step=&steps=9");

	(void)state;
	assert_string_equal(dl_fields_nth(fields, "a", 0), "x y&z");
	assert_string_equal(dl_fields_nth(fields, "step", 0), "2");
	assert_string_equal(dl_fields_nth(fields, "step", 1), "1");
	assert_string_equal(dl_fields_nth(fields, "step", 2), "");
	assert_null(dl_fields_nth(fields, "step", 3));
	assert_null(dl_fields_nth(fields, "ste", 0));
	assert_null(dl_fields_nth(fields, "zzz", 0));
	assert_null(dl_fields_nth(fields, "a", (size_t)-1));
}

static void takes_the_line_ends_of_browsers_for_line_ends(void **state)
{
	dl_auto(dl_fields) fields = must_parse("a=x%0D%0Ay%0D%0A&b=%0D%0D%0A%0A");

	(void)state;
	assert_string_equal(dl_fields_nth(fields, "a", 0), "x\ny\n");
	assert_string_equal(dl_fields_nth(fields, "b", 0), "\r\n\n");
}

static void takes_an_empty_text_for_no_fields(void **state)
{
	dl_auto(dl_fields) fields = must_parse("");

	(void)state;
	assert_null(dl_fields_nth(fields, "", 0));
	assert_null(dl_fields_nth(NULL, "a", 0));
}

static void refuses_more_fields_than_allowed_and_says_how_many(void **state)
{
	struct dl_error err;

	(void)state;
	assert_int_equal(parse_pairs(DL_FIELDS_MAX, &err), 0);
	assert_int_equal(parse_pairs(DL_FIELDS_MAX + 1, &err), DL_E_INVALID);
	assert_non_null(strstr(err.text, "2049"));
}

static void refuses_what_would_be_read_in_two_ways(void **state)
{
	static const char *const wrong[] = { "a", "=b", "a=b&c", "a=b&&c=d", "a=%00", "a=b%00c", "&" };

	(void)state;
	for (size_t i = 0; i < DL_COUNT(wrong); i++) {
		struct dl_fields *fields = NULL;
		assert_int_equal(dl_fields_parse(wrong[i], &fields, NULL), DL_E_INVALID);
		assert_null(fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values_by_name_in_the_order_sent),
		cmocka_unit_test(takes_the_line_ends_of_browsers_for_line_ends),
		cmocka_unit_test(takes_an_empty_text_for_no_fields),
		cmocka_unit_test(refuses_more_fields_than_allowed_and_says_how_many),
		cmocka_unit_test(refuses_what_would_be_read_in_two_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
