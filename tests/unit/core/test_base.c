#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void keeps_what_was_appended_across_growth(void **state)
{
	(void)state;
	dl_autobuf buf = DL_BUF_INIT;
	for (int i = 0; i < 1000; i++)
		dl_buf_printf(&buf, "%d,", i % 10);
	assert_int_equal(buf.size, 2000);
	assert_memory_equal(buf.data, "0,1,2,3,4,", 10);
	assert_string_equal(buf.data + 1990, "5,6,7,8,9,");
}

static void gives_an_empty_string_for_an_empty_buffer(void **state)
{
	(void)state;
	struct dl_buf buf = DL_BUF_INIT;
	dl_autofree char *text = dl_buf_take(&buf);
	assert_string_equal(text, "");
}

static void is_empty_after_its_content_was_taken(void **state)
{
	(void)state;
	dl_autobuf buf = DL_BUF_INIT;
	dl_buf_puts(&buf, "abc");
	dl_autofree char *text = dl_buf_take(&buf);
	assert_string_equal(text, "abc");
	assert_null(buf.data);
	assert_int_equal(buf.size, 0);
}

static void keeps_nul_bytes_inside_a_buffer(void **state)
{
	(void)state;
	dl_autobuf buf = DL_BUF_INIT;
	dl_buf_append(&buf, "a\0b", 3);
	assert_int_equal(buf.size, 3);
	assert_memory_equal(buf.data, "a\0b", 4);
}

static void puts_outer_words_before_inner_ones(void **state)
{
	(void)state;
	struct dl_error err;
	assert_int_equal(dl_error_set(&err, DL_E_INVALID, "bad %d", 7), DL_E_INVALID);
	assert_int_equal(dl_error_prefix(&err, DL_E_LIMIT, "file '%s'", "x"), DL_E_LIMIT);
	assert_string_equal(err.text, "file 'x': bad 7");
	assert_int_equal(err.code, DL_E_LIMIT);
}

static void cuts_words_that_do_not_fit_at_their_end(void **state)
{
	(void)state;
	struct dl_error err;
	char long_words[2 * DL_ERROR_TEXT_SIZE];
	memset(long_words, 'x', sizeof(long_words) - 1);
	long_words[sizeof(long_words) - 1] = '\0';
	dl_error_set(&err, DL_E_IO, "%s", long_words);
	dl_error_prefix(&err, DL_E_IO, "outer");
	assert_int_equal(strlen(err.text), DL_ERROR_TEXT_SIZE - 1);
	assert_memory_equal(err.text, "outer: xx", 9);
	dl_error_prefix(&err, DL_E_IO, "%s", long_words);
	assert_int_equal(strlen(err.text), DL_ERROR_TEXT_SIZE - 1);
}

static void maps_what_the_system_says_to_codes(void **state)
{
	(void)state;
	struct dl_error err;
	assert_int_equal(dl_error_errno(&err, ENOENT, "opening"), DL_E_NOT_FOUND);
	assert_memory_equal(err.text, "opening: ", 9);
	assert_int_equal(dl_error_errno(NULL, EEXIST, "x"), DL_E_EXISTS);
	assert_int_equal(dl_error_errno(NULL, EACCES, "x"), DL_E_DENIED);
	assert_int_equal(dl_error_errno(NULL, EPERM, "x"), DL_E_DENIED);
	assert_int_equal(dl_error_errno(NULL, ENOSPC, "x"), DL_E_NO_SPACE);
	assert_int_equal(dl_error_errno(NULL, EXDEV, "x"), DL_E_CROSS_DEVICE);
	assert_int_equal(dl_error_errno(NULL, EBUSY, "x"), DL_E_BUSY);
	assert_int_equal(dl_error_errno(NULL, EIO, "x"), DL_E_IO);
}

static void does_without_an_error_to_fill(void **state)
{
	(void)state;
	assert_int_equal(dl_error_set(NULL, DL_E_BUSY, "x"), DL_E_BUSY);
	assert_int_equal(dl_error_prefix(NULL, DL_E_BUSY, "x"), DL_E_BUSY);
}

static void names_every_code(void **state)
{
	(void)state;
	assert_string_equal(dl_error_name(0), "ok");
	assert_string_equal(dl_error_name(DL_E_INVALID), "invalid");
	assert_string_equal(dl_error_name(DL_E_CROSS_DEVICE), "cross_device");
	assert_string_equal(dl_error_name(DL_E_CRYPTO), "crypto");
	assert_string_equal(dl_error_name(DL_E_CRYPTO - 1), "unknown");
	assert_string_equal(dl_error_name(1), "unknown");
}

static void writes_times_as_rfc_3339(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782400000, "2000-02-29T00:00:00Z" },
		{ 1735689599999, "2024-12-31T23:59:59Z" },
		{ 4107542400000, "2100-03-01T00:00:00Z" },
		{ -1000, "1969-12-31T23:59:59Z" },
	};
	for (size_t i = 0; i < DL_COUNT(cases); i++) {
		char text[DL_TIME_TEXT_SIZE];
		dl_time_format(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void knows_that_time_goes_forward(void **state)
{
	(void)state;
	int64_t first = dl_time_monotonic_ms();
	assert_true(dl_time_monotonic_ms() >= first);
	assert_true(dl_time_now_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_appended_across_growth),
		cmocka_unit_test(gives_an_empty_string_for_an_empty_buffer),
		cmocka_unit_test(is_empty_after_its_content_was_taken),
		cmocka_unit_test(keeps_nul_bytes_inside_a_buffer),
		cmocka_unit_test(puts_outer_words_before_inner_ones),
		cmocka_unit_test(cuts_words_that_do_not_fit_at_their_end),
		cmocka_unit_test(maps_what_the_system_says_to_codes),
		cmocka_unit_test(does_without_an_error_to_fill),
		cmocka_unit_test(names_every_code),
		cmocka_unit_test(writes_times_as_rfc_3339),
		cmocka_unit_test(knows_that_time_goes_forward),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
