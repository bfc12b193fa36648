/* The strict look at a request's head: one spelling passes, the rest is refused. */
#include "server/http/precheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

static struct dl_precheck check;
static struct dl_error err;

static int check_bytes(const char *head, size_t size)
{
	return dl_precheck_head(head, size, &check, &err);
}

static int check_text(const char *head)
{
	return check_bytes(head, strlen(head));
}

/* A good head with one more header line. */
static int check_with(const char *line)
{
	char head[1024];

	snprintf(head, sizeof(head), "POST /x HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", line);
	return check_text(head);
}

static int check_target(const char *target)
{
	char head[1024];

	snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	return check_text(head);
}

static void admits_a_plain_get(void **state)
{
	(void)state;
	assert_int_equal(check_text("GET /a/b?c=%41 HTTP/1.1\r\nHost: h:8080\r\n\r\n"), 0);
	assert_string_equal(check.method, "GET");
	assert_int_equal(check.path_size, 4);
	assert_memory_equal(check.path, "/a/b", 4);
	assert_int_equal(check.content_length, 0);
}

static void admits_a_post_and_reads_its_length(void **state)
{
	(void)state;
	assert_int_equal(check_with("Content-Length: 0012\r\nExpect: 100-Continue"), 0);
	assert_int_equal(check.content_length, 12);
	assert_true(check.expects_continue);
}

static void admits_blanks_around_a_value(void **state)
{
	(void)state;
	assert_int_equal(check_with("Content-Length: \t 7 \t"), 0);
	assert_int_equal(check.content_length, 7);
}

static void admits_an_ipv6_host(void **state)
{
	(void)state;
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"), 0);
}

static void refuses_content_length_given_twice(void **state)
{
	(void)state;
	assert_int_equal(check_with("Content-Length: 3\r\nContent-Length: 3"), 400);
	assert_int_equal(check_with("Content-Length: 3\r\ncontent-length: 4"), 400);
	assert_int_equal(check_with("Content-Length: 3, 3"), 400);
}

static void refuses_a_content_length_that_is_no_plain_number(void **state)
{
	static const char *const bad[] = { "+3", "-3", "0x10", "3 3", "", "1e3",
					   "9999999999999999", "18446744073709551616" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "Content-Length: %s", bad[i]);
		assert_int_equal(check_with(line), 400);
	}
}

static void refuses_transfer_encoding(void **state)
{
	(void)state;
	assert_int_equal(check_with("Transfer-Encoding: chunked"), 501);
	assert_int_equal(check_with("Content-Length: 3\r\ntransfer-encoding: chunked"), 501);
	assert_int_equal(check_with("Transfer-Encoding: identity"), 501);
}

static void refuses_a_blank_before_the_colon(void **state)
{
	(void)state;
	assert_int_equal(check_with("Content-Length : 3"), 400);
	assert_int_equal(check_with("X\t: 3"), 400);
	assert_int_equal(check_with(": 3"), 400);
	assert_int_equal(check_with("no colon"), 400);
}

static void refuses_a_folded_line(void **state)
{
	(void)state;
	assert_int_equal(check_with("X: a\r\n b"), 400);
	assert_int_equal(check_with("X: a\r\n\tContent-Length: 3"), 400);
}

static void refuses_a_missing_double_or_odd_host(void **state)
{
	(void)state;
	assert_int_equal(check_text("GET / HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400);
	assert_int_equal(check_with("Host: a"), 400);
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400);
}

static void refuses_bare_line_ends_and_controls(void **state)
{
	static const char nul[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";

	(void)state;
	assert_int_equal(check_text("GET / HTTP/1.1\nHost: a\n\n"), 400);
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
	assert_int_equal(check_with("X: a\rY: b"), 400);
	assert_int_equal(check_with("X: a\x01"), 400);
	assert_int_equal(check_with("X: a\x7f"), 400);
	assert_int_equal(check_bytes(nul, sizeof(nul) - 1), 400);
}

static void refuses_other_methods(void **state)
{
	(void)state;
	assert_int_equal(check_text("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	assert_int_equal(check_text("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	assert_int_equal(check_text("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
	assert_int_equal(check_text("G{T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(check_text(" / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

static void refuses_other_versions(void **state)
{
	(void)state;
	assert_int_equal(check_text("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), 505);
	assert_int_equal(check_text("PRI * HTTP/2.0\r\nHost: a\r\n\r\n"), 501);
	assert_int_equal(check_text("GET /\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(check_text("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(check_text("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

static void refuses_a_target_that_is_no_plain_path(void **state)
{
	static const char *const bad[] = { "http://a/", "*", "//a", "/a\\b", "/a#b", "/%", "/%4",
					   "/%zz", "/%00", "/a%00b", "/\"", "/<", "/\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check_target(bad[i]), 400);
}

static void refuses_an_expectation_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(check_with("Expect: 200-ok"), 417);
	assert_int_equal(check_with("Expect: 100-continue\r\nExpect: 100-continue"), 417);
}

static void refuses_a_body_where_the_library_would_not_read_it(void **state)
{
	(void)state;
	assert_int_equal(check_text("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"), 400);
	assert_int_equal(check_text("DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"), 400);
	assert_int_equal(check_text("DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), 0);
}

static void refuses_too_many_headers(void **state)
{
	char head[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";

	(void)state;
	for (int i = 0; i < DL_PRECHECK_HEADERS_MAX; i++)
		strcat(head, "X: y\r\n");
	strcat(head, "\r\n");
	assert_int_equal(check_text(head), 400);
}

static void refuses_every_truncation(void **state)
{
	static const char head[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

	(void)state;
	assert_int_equal(check_bytes(head, sizeof(head) - 1), 0);
	for (size_t size = 0; size < sizeof(head) - 1; size++)
		assert_int_not_equal(check_bytes(head, size), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_a_plain_get),
		cmocka_unit_test(admits_a_post_and_reads_its_length),
		cmocka_unit_test(admits_blanks_around_a_value),
		cmocka_unit_test(admits_an_ipv6_host),
		cmocka_unit_test(refuses_content_length_given_twice),
		cmocka_unit_test(refuses_a_content_length_that_is_no_plain_number),
		cmocka_unit_test(refuses_transfer_encoding),
		cmocka_unit_test(refuses_a_blank_before_the_colon),
		cmocka_unit_test(refuses_a_folded_line),
		cmocka_unit_test(refuses_a_missing_double_or_odd_host),
		cmocka_unit_test(refuses_bare_line_ends_and_controls),
		cmocka_unit_test(refuses_other_methods),
		cmocka_unit_test(refuses_other_versions),
		cmocka_unit_test(refuses_a_target_that_is_no_plain_path),
		cmocka_unit_test(refuses_an_expectation_it_does_not_know),
		cmocka_unit_test(refuses_a_body_where_the_library_would_not_read_it),
		cmocka_unit_test(refuses_too_many_headers),
		cmocka_unit_test(refuses_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
