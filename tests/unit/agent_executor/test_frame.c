/* Frames between link and executor: whole messages or the end of the stream. */
#include "agent/frame/frame.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>


static void feed_frame(struct dl_frame_reader *reader, uint32_t announced, const char *body)
{
	unsigned char head[] = { (unsigned char)(announced >> 24), (unsigned char)(announced >> 16),
				 (unsigned char)(announced >> 8), (unsigned char)announced };
	dl_frame_reader_feed(reader, head, sizeof(head));
	dl_frame_reader_feed(reader, body, strlen(body));
}

static void gives_back_what_was_framed_byte_by_byte(void **state)
{
	(void)state;
	struct dl_frame_reader reader = { 0 };
	dl_autobuf bytes = DL_BUF_INIT;
	dl_autojson *sent = json_pack("{s:s}", "request", "status"), *got = NULL;
	assert_int_equal(dl_frame_append(&bytes, sent, NULL), 0);
	for (size_t i = 0; i < bytes.size; i++) {
		assert_int_equal(dl_frame_reader_next(&reader, &got, NULL), DL_E_BUSY);
		dl_frame_reader_feed(&reader, bytes.data + i, 1);
	}
	assert_int_equal(dl_frame_reader_next(&reader, &got, NULL), 0);
	assert_true(json_equal(sent, got));
	assert_int_equal(dl_frame_reader_next(&reader, &got, NULL), DL_E_BUSY);
	dl_frame_reader_clear(&reader);
}

static void keeps_two_frames_that_came_together_apart(void **state)
{
	(void)state;
	struct dl_frame_reader reader = { 0 };
	feed_frame(&reader, 7, "{\"a\":1}");
	feed_frame(&reader, 7, "{\"a\":2}");
	for (int i = 1; i <= 2; i++) {
		dl_autojson *got = NULL;
		assert_int_equal(dl_frame_reader_next(&reader, &got, NULL), 0);
		assert_int_equal(json_integer_value(json_object_get(got, "a")), i);
	}
	dl_frame_reader_clear(&reader);
}

static void breaks_for_good(uint32_t announced, const char *body)
{
	struct dl_frame_reader reader = { 0 };
	dl_autojson *got = NULL;
	feed_frame(&reader, announced, body);
	int r = dl_frame_reader_next(&reader, &got, NULL);
	assert_true(r == DL_E_INVALID || r == DL_E_LIMIT);
	feed_frame(&reader, 7, "{\"a\":1}");
	assert_true(dl_frame_reader_next(&reader, &got, NULL) < 0);
	assert_int_equal(dl_frame_reader_wants(&reader), 0);
	assert_null(reader.bytes.data);
	dl_frame_reader_clear(&reader);
}

static void breaks_at_a_hostile_frame(void **state)
{
	(void)state;
	breaks_for_good(0, "");
	breaks_for_good(DL_FRAME_MAX_BYTES + 1, "");
	breaks_for_good(UINT32_MAX, "");
	breaks_for_good(4, "true");
	breaks_for_good(2, "[]");
	breaks_for_good(9, "{\"a\":1} x");
	breaks_for_good(13, "{\"a\":1,\"a\":2}");
	breaks_for_good(7, "{\"a\":\xff}");
	breaks_for_good(6, "{\"a\":1");
}

static void never_asks_for_more_than_one_frame(void **state)
{
	(void)state;
	struct dl_frame_reader reader = { 0 };
	assert_int_equal(dl_frame_reader_wants(&reader), DL_FRAME_HEADER_SIZE);
	feed_frame(&reader, 7, "{\"a\"");
	assert_int_equal(dl_frame_reader_wants(&reader), 3);
	dl_frame_reader_clear(&reader);
}

static void sends_no_message_that_fits_no_frame(void **state)
{
	(void)state;
	dl_autobuf bytes = DL_BUF_INIT;
	dl_autofree char *large = dl_alloc(DL_FRAME_MAX_BYTES, 1);
	memset(large, 'x', DL_FRAME_MAX_BYTES - 1);
	dl_autojson *message = json_pack("{s:s}", "x", large);
	assert_int_equal(dl_frame_append(&bytes, message, NULL), DL_E_LIMIT);
	assert_int_equal(bytes.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_framed_byte_by_byte),
		cmocka_unit_test(keeps_two_frames_that_came_together_apart),
		cmocka_unit_test(breaks_at_a_hostile_frame),
		cmocka_unit_test(never_asks_for_more_than_one_frame),
		cmocka_unit_test(sends_no_message_that_fits_no_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
