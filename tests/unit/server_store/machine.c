/* Two agents of one machine: nobody ends another's by knowing its machine hash. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"

static bool host_is(struct bench *bench, const struct host *host, const char *what)
{
	dl_autojson *view = ASK(dl_store_host_get, bench->store, &bench->reader, host->id);
	return json_is_true(json_object_get(view, what));
}

static void free_key(struct host *host)
{
	dl_signing_key_free(host->key);
}
#define auto_host __attribute__((cleanup(free_key))) struct host

static void approve_something(struct bench *bench)
{
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	json_decref(approve_all(bench, sent));
}

static void an_enrolment_as_the_same_machine_does_not_end_the_agent_that_is_there(void **state)
{
	struct bench *bench = *state;
	auto_host intruder = { 0 };
	approve_something(bench);
	bench_enrol(bench, bench->organization, "machine", &intruder);
	assert_false(host_is(bench, &bench->host, "revoked"));
	assert_true(host_is(bench, &bench->host, "contested"));
	assert_true(host_is(bench, &intruder, "unconfirmed"));
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
}

/* As the agents of one machine see it: the bench's host is the one who came second. */
static void an_unconfirmed_host_is_surveyed_and_claims_nothing(void **state)
{
	struct bench *bench = *state;
	struct host first = bench->host;
	bench_enrol(bench, bench->organization, "machine", &bench->host);
	approve_something(bench);
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	assert_int_equal(json_array_size(json_object_get(poll, "orders")), 0);
	dl_autojson *confirmed = ASK(dl_store_host_confirm, bench->store, &bench->administrator,
				     bench->host.id);
	assert_int_equal(bench->woken, bench->host.id);
	assert_false(json_is_true(json_object_get(confirmed, "unconfirmed")));
	dl_autofree char *verdict = host_claim_order(bench, &bench->host, NONCE);
	assert_string_equal(verdict, "go");
	assert_true(host_is(bench, &first, "revoked"));
	free_key(&first);
}

static void a_claim_of_an_unconfirmed_host_is_refused(void **state)
{
	struct bench *bench = *state;
	struct host first = bench->host;
	bench_enrol(bench, bench->organization, "machine", &bench->host);
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	const json_t *order = json_array_get(json_object_get(approved, "orders"), 0);
	char sha256[DL_SHA256_TEXT_SIZE];
	dl_sha256_text("", 0, sha256);
	dl_autojson *claim = host_claim(&bench->host, text_of(order, "plan_id"), sha256, NONCE);
	struct answer answer;
	ASK_(answer, dl_store_claim, bench->store, &bench->host.actor, claim);
	assert_int_equal(answer.result, DL_E_DENIED);
	assert_non_null(strstr(answer.err.text, "another agent enrolled as this machine"));
	free_key(&first);
}

static void the_earlier_agents_key_hands_its_place_over(void **state)
{
	struct bench *bench = *state;
	auto_host again = { 0 };
	bench_enrol_signed(bench, bench->organization, "machine", bench->host.key, &again);
	assert_true(host_is(bench, &bench->host, "revoked"));
	assert_false(host_is(bench, &again, "unconfirmed"));
	dl_autojson *none = json_array();
	FAILS(DL_E_DENIED, dl_store_records, bench->store, &bench->host.actor, none);
}

static void a_strangers_key_hands_nothing_over(void **state)
{
	struct bench *bench = *state;
	auto_host again = { 0 };
	bench_enrol_signed(bench, bench->organization, "machine", bench->server_key, &again);
	assert_false(host_is(bench, &bench->host, "revoked"));
	assert_true(host_is(bench, &again, "unconfirmed"));
}

static void an_unconfirmed_key_hands_over_no_more_than_it_has(void **state)
{
	struct bench *bench = *state;
	auto_host intruder = { 0 };
	auto_host again = { 0 };
	bench_enrol(bench, bench->organization, "machine", &intruder);
	bench_enrol_signed(bench, bench->organization, "machine", intruder.key, &again);
	assert_true(host_is(bench, &intruder, "revoked"));
	assert_true(host_is(bench, &again, "unconfirmed"));
	assert_false(host_is(bench, &bench->host, "revoked"));
}

static void an_administrator_keeps_the_first_and_the_other_is_over(void **state)
{
	struct bench *bench = *state;
	auto_host intruder = { 0 };
	bench_enrol(bench, bench->organization, "machine", &intruder);
	FAILS(DL_E_DENIED, dl_store_host_confirm, bench->store, &bench->technician, bench->host.id);
	FAILS(DL_E_NOT_FOUND, dl_store_host_confirm, bench->store, &bench->stranger, bench->host.id);
	json_decref(ASK(dl_store_host_confirm, bench->store, &bench->administrator,
			bench->host.id));
	assert_true(host_is(bench, &intruder, "revoked"));
	assert_false(host_is(bench, &bench->host, "contested"));
	FAILS(DL_E_STATE, dl_store_host_confirm, bench->store, &bench->administrator, intruder.id);
	FAILS(DL_E_STATE, dl_store_host_confirm, bench->store, &bench->administrator,
	      bench->host.id);
}

static void another_organizations_machine_is_another_machine(void **state)
{
	struct bench *bench = *state;
	auto_host foreign = { 0 };
	bench_enrol(bench, bench->other_organization, "machine", &foreign);
	assert_false(host_is(bench, &bench->host, "contested"));
	dl_autojson *view = ASK(dl_store_host_get, bench->store, &bench->stranger, foreign.id);
	assert_false(json_is_true(json_object_get(view, "unconfirmed")));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_enrolment_as_the_same_machine_does_not_end_the_agent_that_is_there),
		STORE_TEST(an_unconfirmed_host_is_surveyed_and_claims_nothing),
		STORE_TEST(a_claim_of_an_unconfirmed_host_is_refused),
		STORE_TEST(the_earlier_agents_key_hands_its_place_over),
		STORE_TEST(a_strangers_key_hands_nothing_over),
		STORE_TEST(an_unconfirmed_key_hands_over_no_more_than_it_has),
		STORE_TEST(an_administrator_keeps_the_first_and_the_other_is_over),
		STORE_TEST(another_organizations_machine_is_another_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
