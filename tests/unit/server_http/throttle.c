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
		dl_throttle_succeed(*state, victim, enemy);
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
		cmocka_unit_test_setup_teardown(an_hour_without_attempts_forgets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
