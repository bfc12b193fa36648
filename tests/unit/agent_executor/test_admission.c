/* Which orders a host takes, and what lets one of them start. */
#include "tests/unit/agent_executor/world.h"

#include "core/base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

enum { UNKNOWN_PLAN = -1, HOUR_MS = 3600 * 1000 };

/* Offers the envelope; the claim is a new reference, NULL when it was refused. */
static json_t *offer(struct world *world, const json_t *cert, const json_t *order,
		     enum dl_reason *ret_reason)
{
	json_t *claim = NULL;
	dl_autorefusal refusal = { 0 };
	struct dl_error err = { 0 };
	int r = dl_admission_order(world->admission, cert, order, &claim, &refusal, &err);
	assert_true((r == 0) == (claim != NULL));
	if (r < 0)
		assert_true(err.text[0] != '\0');
	*ret_reason = refusal.reason;
	return claim;
}

static json_t *admit(struct world *world)
{
	enum dl_reason reason;
	dl_autojson *order = world_sign_order(world, world->server);
	json_t *claim = offer(world, world->cert, order, &reason);
	assert_non_null(claim);
	return claim;
}

static void expect_refused(struct world *world, const json_t *cert, const json_t *order,
			   enum dl_reason expected)
{
	enum dl_reason reason;
	dl_autojson *claim = offer(world, cert, order, &reason);
	assert_null(claim);
	assert_int_equal(reason, expected);
}

/* Returns the verdict, or -1 when the ticket was refused. */
static int show_ticket(struct world *world, const json_t *ticket)
{
	dl_autopermit permit = { 0 };
	dl_autorefusal refusal = { 0 };
	struct dl_error err = { 0 };
	int r = dl_admission_ticket(world->admission, world->cert, ticket, &permit, &refusal, &err);
	if (r < 0) {
		assert_null(permit.order);
		assert_true(refusal.reason != DL_REASON_NONE);
		return -1;
	}
	assert_string_equal(permit.order->plan_id, world->order->plan_id);
	return (int)permit.verdict;
}

static void takes_a_good_order_and_claims_it(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	struct dl_ticket said;
	world_read_claim(world, claim, &said);
	assert_string_equal(said.plan_id, world->order->plan_id);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
}

static void starts_only_when_a_go_answers_the_claim(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	dl_autojson *ticket = world_answer(world, claim, DL_VERDICT_GO);
	assert_int_equal(show_ticket(world, ticket), DL_VERDICT_GO);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_CLAIMED);
}

static void takes_no_ticket_twice(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	dl_autojson *ticket = world_answer(world, claim, DL_VERDICT_GO);
	assert_int_equal(show_ticket(world, ticket), DL_VERDICT_GO);
	assert_int_equal(show_ticket(world, ticket), -1);
}

static void a_cancelled_or_expired_order_does_not_become_claimed(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	dl_autojson *ticket = world_answer(world, claim, DL_VERDICT_CANCELLED);
	assert_int_equal(show_ticket(world, ticket), DL_VERDICT_CANCELLED);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
}

static void refuses_a_plan_id_it_has_seen(void **state)
{
	struct world *world = *state;
	dl_autojson *order = world_sign_order(world, world->server);
	enum dl_reason reason;
	dl_autojson *claim = offer(world, world->cert, order, &reason);
	assert_non_null(claim);
	expect_refused(world, world->cert, order, DL_REASON_PRECONDITION);
	world_restart(world);
	expect_refused(world, world->cert, order, DL_REASON_PRECONDITION);
}

static void refuses_a_replay_of_a_finished_plan(void **state)
{
	struct world *world = *state;
	dl_autojson *order = world_sign_order(world, world->server);
	enum dl_reason reason;
	dl_autojson *claim = offer(world, world->cert, order, &reason);
	dl_autojson *ticket = world_answer(world, claim, DL_VERDICT_GO);
	assert_int_equal(show_ticket(world, ticket), DL_VERDICT_GO);
	assert_int_equal(dl_journal_plan_move(world->journal, world->order->plan_id,
					      DL_JOURNAL_CLAIMED, DL_JOURNAL_FINISHED, NULL), 0);
	expect_refused(world, world->cert, order, DL_REASON_PRECONDITION);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_FINISHED);
}

static void refuses_an_order_for_another_agent(void **state)
{
	struct world *world = *state;
	world->order->agent++;
	dl_autojson *order = world_sign_order(world, world->server);
	expect_refused(world, world->cert, order, DL_REASON_WRONG_TARGET);
}

static void refuses_an_order_for_another_organization(void **state)
{
	struct world *world = *state;
	world->order->organization++;
	dl_autojson *order = world_sign_order(world, world->server);
	expect_refused(world, world->cert, order, DL_REASON_WRONG_TARGET);
}

static void refuses_an_order_for_an_earlier_key_of_this_agent(void **state)
{
	struct world *world = *state;
	world->order->agent_key_id[0] = world->order->agent_key_id[0] == '0' ? '1' : '0';
	dl_autojson *order = world_sign_order(world, world->server);
	expect_refused(world, world->cert, order, DL_REASON_WRONG_TARGET);
}

static void hands_back_a_refused_order_so_that_its_end_can_be_reported(void **state)
{
	struct world *world = *state;
	json_t *claim = NULL;
	dl_autorefusal refusal = { 0 };
	world->order->agent++;
	dl_autojson *order = world_sign_order(world, world->server);
	assert_true(dl_admission_order(world->admission, world->cert, order, &claim, &refusal,
				       NULL) < 0);
	assert_non_null(refusal.order);
	assert_string_equal(refusal.order->plan_id, world->order->plan_id);
}

/* Flips each bit of the body's first part and some of the rest: none may pass. */
static void refuses_an_order_with_one_flipped_bit(void **state)
{
	struct world *world = *state;
	dl_autojson *order = world_sign_order(world, world->server);
	dl_autofree char *body = dl_strdup(json_string_value(json_object_get(order, "body")));
	size_t size = strlen(body);
	for (size_t i = 0; i < size; i += i < 64 ? 1 : 37) {
		for (int bit = 0; bit < 7; bit++) {
			dl_autofree char *flipped = dl_strdup(body);
			flipped[i] = (char)(flipped[i] ^ (1 << bit));
			if (!flipped[i])
				continue; /* a NUL is no JSON text at all */
			json_object_set_new(order, "body", json_string(flipped));
			expect_refused(world, world->cert, order, DL_REASON_BAD_SIGNATURE);
		}
	}
	assert_int_equal(world_plan_state(world), UNKNOWN_PLAN);
}

static void refuses_an_order_signed_by_a_key_the_root_does_not_vouch_for(void **state)
{
	struct world *world = *state;
	dl_auto(dl_signing_key) stranger = NULL;
	int64_t now = dl_time_now_ms();
	assert_int_equal(dl_signing_key_generate(&stranger, NULL), 0);
	dl_autojson *order = world_sign_order(world, stranger);
	dl_autojson *cert = world_cert(stranger, stranger, now - HOUR_MS, now + HOUR_MS);
	expect_refused(world, cert, order, DL_REASON_BAD_SIGNATURE);
	expect_refused(world, world->cert, order, DL_REASON_BAD_SIGNATURE);
	assert_int_equal(world_plan_state(world), UNKNOWN_PLAN);
}

static void refuses_an_expired_key(void **state)
{
	struct world *world = *state;
	int64_t now = dl_time_now_ms();
	dl_autojson *order = world_sign_order(world, world->server);
	dl_autojson *cert = world_cert(world->root, world->server, now - 2 * HOUR_MS, now - 1000);
	expect_refused(world, cert, order, DL_REASON_BAD_SIGNATURE);
	assert_int_equal(world_plan_state(world), UNKNOWN_PLAN);
}

static void an_expired_key_stays_expired_when_the_clock_is_set_back(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	struct dl_ticket ticket;
	world_read_claim(world, claim, &ticket);
	ticket.server_time = dl_time_now_ms() + 2 * HOUR_MS; /* so our clock is behind */
	dl_autojson *told = world_sign_ticket(world, &ticket);
	assert_int_equal(show_ticket(world, told), DL_VERDICT_GO);
	dl_random_id(world->order->plan_id);
	dl_autojson *order = world_sign_order(world, world->server);
	expect_refused(world, world->cert, order, DL_REASON_BAD_SIGNATURE);
}

static void refuses_a_signature_made_for_another_purpose(void **state)
{
	struct world *world = *state;
	dl_autofree char *body = NULL;
	dl_autojson *envelope = NULL;
	assert_int_equal(dl_order_to_body(world->order, &body, NULL), 0);
	assert_int_equal(dl_envelope_sign(world->server, DL_TYPE_RECORD, body, &envelope, NULL), 0);
	expect_refused(world, world->cert, envelope, DL_REASON_BAD_SIGNATURE);
}

static void refuses_a_ticket_without_a_claim(void **state)
{
	struct world *world = *state;
	struct dl_ticket ticket = { .server_time = dl_time_now_ms(), .start_within_ms = 60000,
				    .verdict = DL_VERDICT_GO };
	memcpy(ticket.plan_id, world->order->plan_id, sizeof(ticket.plan_id));
	memset(ticket.order_sha256, '0', sizeof(ticket.order_sha256) - 1);
	dl_random_id(ticket.nonce);
	dl_autojson *envelope = world_sign_ticket(world, &ticket);
	assert_int_equal(show_ticket(world, envelope), -1);
	assert_int_equal(world_plan_state(world), UNKNOWN_PLAN);
}

static void refuses_a_ticket_for_a_nonce_made_before_this_start(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	dl_autojson *ticket = world_answer(world, claim, DL_VERDICT_GO);
	world_restart(world);
	assert_int_equal(show_ticket(world, ticket), -1);
	assert_int_equal(dl_admission_ask(world->admission, world->order->plan_id, NULL), 0);
	assert_int_equal(show_ticket(world, ticket), -1);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
}

static void asks_anew_after_a_start_and_takes_the_answer(void **state)
{
	struct world *world = *state;
	json_decref(admit(world)); /* the claim was lost on its way */
	world_restart(world);
	assert_int_equal(dl_admission_ask(world->admission, world->order->plan_id, NULL), 0);
	dl_autojson *claims = dl_admission_claims(world->admission);
	assert_int_equal(json_array_size(claims), 1);
	dl_autojson *ticket = world_answer(world, json_array_get(claims, 0), DL_VERDICT_GO);
	assert_int_equal(show_ticket(world, ticket), DL_VERDICT_GO);
	dl_autojson *none = dl_admission_claims(world->admission);
	assert_int_equal(json_array_size(none), 0);
}

static void refuses_a_ticket_for_other_bytes_of_the_order(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	struct dl_ticket ticket;
	world_read_claim(world, claim, &ticket);
	ticket.order_sha256[0] = ticket.order_sha256[0] == '0' ? '1' : '0';
	dl_autojson *envelope = world_sign_ticket(world, &ticket);
	assert_int_equal(show_ticket(world, envelope), -1);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
}

static void refuses_a_ticket_with_another_nonce(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	struct dl_ticket ticket;
	world_read_claim(world, claim, &ticket);
	dl_random_id(ticket.nonce);
	dl_autojson *envelope = world_sign_ticket(world, &ticket);
	assert_int_equal(show_ticket(world, envelope), -1);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
}

static void a_ticket_that_comes_too_late_starts_nothing_but_a_new_claim(void **state)
{
	struct world *world = *state;
	dl_autojson *claim = admit(world);
	struct dl_ticket ticket, again;
	world_read_claim(world, claim, &ticket);
	ticket.start_within_ms = 0;
	dl_autojson *envelope = world_sign_ticket(world, &ticket);
	for (int64_t start = dl_time_monotonic_ms(); dl_time_monotonic_ms() - start < 3;)
		;
	assert_int_equal(show_ticket(world, envelope), -1);
	assert_int_equal(world_plan_state(world), DL_JOURNAL_RECEIVED);
	dl_autojson *claims = dl_admission_claims(world->admission);
	world_read_claim(world, json_array_get(claims, 0), &again);
	assert_string_not_equal(again.nonce, ticket.nonce);
}

static void takes_no_more_orders_than_it_can_hold(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < DL_ADMISSION_PLANS_MAX; i++) {
		json_decref(admit(world));
		dl_random_id(world->order->plan_id);
	}
	dl_autojson *order = world_sign_order(world, world->server);
	expect_refused(world, world->cert, order, DL_REASON_NEEDS_ATTENTION);
	assert_int_equal(world_plan_state(world), UNKNOWN_PLAN); /* it may come again */
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(takes_a_good_order_and_claims_it),
		WORLD_TEST(starts_only_when_a_go_answers_the_claim),
		WORLD_TEST(takes_no_ticket_twice),
		WORLD_TEST(a_cancelled_or_expired_order_does_not_become_claimed),
		WORLD_TEST(refuses_a_plan_id_it_has_seen),
		WORLD_TEST(refuses_a_replay_of_a_finished_plan),
		WORLD_TEST(refuses_an_order_for_another_agent),
		WORLD_TEST(refuses_an_order_for_another_organization),
		WORLD_TEST(refuses_an_order_for_an_earlier_key_of_this_agent),
		WORLD_TEST(hands_back_a_refused_order_so_that_its_end_can_be_reported),
		WORLD_TEST(refuses_an_order_with_one_flipped_bit),
		WORLD_TEST(refuses_an_order_signed_by_a_key_the_root_does_not_vouch_for),
		WORLD_TEST(refuses_an_expired_key),
		WORLD_TEST(an_expired_key_stays_expired_when_the_clock_is_set_back),
		WORLD_TEST(refuses_a_signature_made_for_another_purpose),
		WORLD_TEST(refuses_a_ticket_without_a_claim),
		WORLD_TEST(refuses_a_ticket_for_a_nonce_made_before_this_start),
		WORLD_TEST(asks_anew_after_a_start_and_takes_the_answer),
		WORLD_TEST(refuses_a_ticket_for_other_bytes_of_the_order),
		WORLD_TEST(refuses_a_ticket_with_another_nonce),
		WORLD_TEST(a_ticket_that_comes_too_late_starts_nothing_but_a_new_claim),
		WORLD_TEST(takes_no_more_orders_than_it_can_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
