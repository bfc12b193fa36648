/* Link: whom it will speak to, and how patiently it tries. */
#include "agent/link/backoff.h"
#include "agent/link/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static int check(const char *server, const char *pin)
{
	const struct dl_link_settings settings = { (char *)server, (char *)pin, NULL };
	return dl_link_settings_check(&settings, NULL);
}

static void speaks_to_https_servers_only(void **state)
{
	(void)state;
	assert_int_equal(check("https://server.example", PIN), 0);
	assert_int_equal(check("https://[::1]:8443", PIN), 0);
	assert_true(check("http://server.example", PIN) < 0);
	assert_true(check("file:///etc/passwd", PIN) < 0);
	assert_true(check("https://", PIN) < 0);
	assert_true(check("https://user@server.example", PIN) < 0);
	assert_true(check("https://server.example/path", PIN) < 0);
	assert_true(check("https://server.example?x", PIN) < 0);
}

static void takes_no_pin_that_pins_nothing(void **state)
{
	(void)state;
	assert_int_equal(check("https://s", PIN ";" PIN), 0);
	assert_true(check("https://s", "") < 0);
	assert_true(check("https://s", "sha256//") < 0);
	assert_true(check("https://s", PIN ";") < 0);
	assert_true(check("https://s", PIN "x") < 0);
	assert_true(check("https://s", "/etc/ssl/key.pem") < 0);
}

static void reads_back_the_settings_it_wrote(void **state)
{
	(void)state;
	const struct dl_link_settings written = { (char *)"https://s:1", (char *)PIN,
						  (char *)"00ff" };
	dl_autofree char *text = dl_link_settings_to_text(&written);
	dl_autosettings read = { 0 };
	assert_int_equal(dl_link_settings_from_text(text, strlen(text), &read, NULL), 0);
	assert_string_equal(read.server, written.server);
	assert_string_equal(read.tls_pin, written.tls_pin);
	assert_string_equal(read.token, written.token);
}

static void a_token_cannot_smuggle_a_header_in(void **state)
{
	(void)state;
	const struct dl_link_settings settings = { (char *)"https://s", (char *)PIN,
						   (char *)"00\r\nX: y" };
	assert_true(dl_link_settings_check(&settings, NULL) < 0);
}

static void waits_longer_after_each_failure_up_to_its_limit(void **state)
{
	(void)state;
	struct dl_backoff backoff = { 0 };
	int64_t step = DL_BACKOFF_START_MS;
	for (int i = 0; i < 20; i++) {
		int64_t wait = dl_backoff_fail(&backoff);
		assert_in_range(wait, step / 2, step);
		step = step * 2 < DL_BACKOFF_MAX_MS ? step * 2 : DL_BACKOFF_MAX_MS;
	}
	dl_backoff_reset(&backoff);
	assert_in_range(dl_backoff_fail(&backoff), DL_BACKOFF_START_MS / 2, DL_BACKOFF_START_MS);
}

static void two_agents_do_not_wait_in_step(void **state)
{
	(void)state;
	struct dl_backoff one = { .step_ms = 30000 }, other = one;
	int same = 0;
	for (int i = 0; i < 10; i++)
		same += dl_backoff_fail(&one) == dl_backoff_fail(&other);
	assert_true(same < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_to_https_servers_only),
		cmocka_unit_test(takes_no_pin_that_pins_nothing),
		cmocka_unit_test(reads_back_the_settings_it_wrote),
		cmocka_unit_test(a_token_cannot_smuggle_a_header_in),
		cmocka_unit_test(waits_longer_after_each_failure_up_to_its_limit),
		cmocka_unit_test(two_agents_do_not_wait_in_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
