/* Guessing is slowed down where it comes from, and nowhere else. */
#include "server/auth/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

static const char victim[] = "victim", enemy[] = "192.0.2.1", home[] = "192.0.2.2";

static int setup(void **state)
{
	*state = dl_throttle_new();
	return 0;
}

static int teardown(void **state)
{
	dl_throttle_free(*state);
	return 0;
}

/* Attempts until it must wait; the time stands still. */
static int attempts(struct dl_throttle *throttle, const char *account, int64_t now)
{
	int count = 0;

	while (count < 1000 && !dl_throttle_begin(throttle, account, enemy, now))
		count++;
	return count;
}

static void some_attempts_are_free(void **state)
{
	assert_int_equal(attempts(*state, victim, 1000), DL_THROTTLE_ACCOUNT_FREE);
}

static void the_owner_signs_in_from_elsewhere_meanwhile(void **state)
{
	attempts(*state, victim, 1000);
	assert_int_equal(dl_throttle_begin(*state, victim, home, 1000), 0);
}

static void each_further_attempt_doubles_the_wait(void **state)
{
	int64_t now = 1000, wait;

	attempts(*state, victim, now);
	for (int64_t expected = 1; expected <= 256; expected *= 2) {
		wait = dl_throttle_begin(*state, victim, enemy, now);
		assert_int_equal(wait, expected);
		now += wait * 1000;
		assert_int_equal(dl_throttle_begin(*state, victim, enemy, now), 0);
	}
	assert_int_equal(dl_throttle_begin(*state, victim, enemy, now),
			 DL_THROTTLE_WAIT_MAX_SECONDS);
}

static void waiting_is_not_made_longer_by_asking(void **state)
{
	attempts(*state, victim, 1000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(dl_throttle_begin(*state, victim, enemy, 1000), 1);
	assert_int_equal(dl_throttle_begin(*state, victim, enemy, 2000), 0);
}

static void the_right_password_clears_the_count(void **state)
{
	for (int i = 0; i < 200; i++) {
		assert_int_equal(dl_throttle_begin(*state, victim, enemy, 1000), 0);
		dl_throttle_succeed(*state, victim, enemy, 1000);
	}
}

static void one_password_on_many_accounts_is_slowed_down_too(void **state)
{
	char account[32];
	int count = 0;

	for (; count < 1000; count++) {
		snprintf(account, sizeof(account), "account-%d", count);
		if (dl_throttle_begin(*state, account, enemy, 1000))
			break;
	}
	assert_int_equal(count, DL_THROTTLE_ADDRESS_FREE);
}

static void the_address_alone_can_be_counted(void **state)
{
	assert_int_equal(attempts(*state, NULL, 1000), DL_THROTTLE_ADDRESS_FREE);
	assert_int_equal(dl_throttle_begin(*state, NULL, home, 1000), 0);
}

/* At the address with the number put behind `before`. */
static int64_t begin_at(struct dl_throttle *throttle, const char *before, int n, int64_t now)
{
	char address[64];

	snprintf(address, sizeof(address), "%s%d", before, n);
	return dl_throttle_begin(throttle, victim, address, now);
}

static void an_ipv6_network_counts_as_one_address(void **state)
{
	int count = 0;

	while (count < 1000 && !begin_at(*state, "2001:db8:1:2::", count, 1000))
		count++;
	assert_int_equal(count, DL_THROTTLE_ACCOUNT_FREE);
	assert_int_equal(dl_throttle_begin(*state, victim, "2001:db8:1:3::1", 1000), 0);
	assert_int_equal(dl_throttle_begin(*state, victim, "::ffff:192.0.2.7", 1000), 0);
	assert_int_equal(dl_throttle_begin(*state, victim, "fe80::1%eth0", 1000), 0);
}

static void addresses_of_ipv4_in_ipv6_are_told_apart(void **state)
{
	for (int i = 0; i < DL_THROTTLE_STRANGERS_FREE; i++)
		assert_int_equal(begin_at(*state, "::ffff:192.0.2.", i, 1000), 0);
}

/* Guesses from ever new addresses until it must wait. */
static int strangers(struct dl_throttle *throttle, int64_t now)
{
	int count = 0;

	while (count < 1000 && !begin_at(throttle, "198.51.100.", count, now))
		count++;
	return count;
}

static void many_addresses_do_not_add_up_to_many_guesses(void **state)
{
	int64_t now = 1000, wait = 0;

	assert_int_equal(strangers(*state, now), DL_THROTTLE_STRANGERS_FREE);
	for (int i = 0; i < 10; i++) {
		wait = begin_at(*state, "203.0.113.", i, now);
		now += wait * 1000;
		assert_int_equal(begin_at(*state, "203.0.113.", i, now), 0);
	}
	assert_int_equal(wait, DL_THROTTLE_STRANGERS_WAIT_MAX_SECONDS);
	assert_int_equal(dl_throttle_begin(*state, "another", enemy, now), 0);
}

static void the_owner_signs_in_from_a_known_address_while_strangers_guess(void **state)
{
	assert_int_equal(dl_throttle_begin(*state, victim, home, 1000), 0);
	dl_throttle_succeed(*state, victim, home, 1000);
	strangers(*state, 2000);
	assert_int_not_equal(dl_throttle_begin(*state, victim, enemy, 2000), 0);
	assert_int_equal(dl_throttle_begin(*state, victim, home, 2000), 0);
}

static void no_flood_makes_it_forget_a_known_address(void **state)
{
	char account[32];

	dl_throttle_succeed(*state, victim, home, 1000);
	for (int i = 0; i < 50000; i++) {
		snprintf(account, sizeof(account), "account-%d", i);
		dl_throttle_begin(*state, account, home, 2000);
	}
	strangers(*state, 2000);
	int64_t later = 2000 + DL_THROTTLE_WAIT_MAX_SECONDS * 1000; /* home waits as an address */
	strangers(*state, later);
	assert_int_not_equal(dl_throttle_begin(*state, victim, enemy, later), 0);
	assert_int_equal(dl_throttle_begin(*state, victim, home, later), 0);
}

static void an_address_not_used_for_long_is_a_stranger_again(void **state)
{
	int64_t later = 1000 + DL_THROTTLE_KNOWN_SECONDS * INT64_C(1000);

	dl_throttle_succeed(*state, victim, home, 1000);
	strangers(*state, later);
	assert_int_not_equal(dl_throttle_begin(*state, victim, home, later), 0);
}

static void an_hour_without_attempts_forgets(void **state)
{
	attempts(*state, victim, 1000);
	assert_int_equal(attempts(*state, victim, 1000 + 3601 * 1000), DL_THROTTLE_ACCOUNT_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(some_attempts_are_free, setup, teardown),
		cmocka_unit_test_setup_teardown(the_owner_signs_in_from_elsewhere_meanwhile, setup,
						teardown),
		cmocka_unit_test_setup_teardown(each_further_attempt_doubles_the_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_is_not_made_longer_by_asking, setup, teardown),
		cmocka_unit_test_setup_teardown(the_right_password_clears_the_count, setup, teardown),
		cmocka_unit_test_setup_teardown(one_password_on_many_accounts_is_slowed_down_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_address_alone_can_be_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ipv6_network_counts_as_one_address, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_of_ipv4_in_ipv6_are_told_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_addresses_do_not_add_up_to_many_guesses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			the_owner_signs_in_from_a_known_address_while_strangers_guess, setup, teardown),
		cmocka_unit_test_setup_teardown(no_flood_makes_it_forget_a_known_address, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_address_not_used_for_long_is_a_stranger_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_hour_without_attempts_forgets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
