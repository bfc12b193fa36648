/* Orders, tickets and key certificates as the host reads them. */
#include "sample.h"

#include "core/wire/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"
#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* Service (1), its file (2, requires 1), a manual step (3). */
static json_t *sample_steps(void)
{
	dl_auto(dl_survey) survey = sample_survey();
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	dl_autojson *manual = json_pack("[{s:s,s:s}]", "title", "Call", "instructions", "Do.");
	struct dl_plan_edit edit = { .keys = &key, .key_count = 1, .manual = manual };
	dl_auto(dl_plan) plan = NULL;
	assert_int_equal(dl_plan_propose(survey, &edit, &plan, NULL), 0);
	return dl_plan_to_json(plan);
}

static json_t *sample_revision(void)
{
	return json_pack("{s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:o}", "version", 1, "incident_id", 7, "no",
			 1, "subject", "x", "severity", "high", "summary", "s\n", "recommendations",
			 "", "steps", sample_steps());
}

static json_t *order_with(json_t *revision)
{
	dl_autojson *owned = revision;
	dl_autofree char *text = dl_json_text(owned);
	return json_pack("{s:i,s:s,s:s,s:s,s:i,s:i,s:s,s:i,s:I,s:I,s:s,s:[ii],s:[{s:s,s:s,s:I,s:s}]}",
			 "version", 1, "plan_id", ID_A, "kind", "remove", "undo_of", "",
			 "organization_id", 2, "agent_id", 3, "agent_key_id", HASH, "incident_id", 7,
			 "issued", (json_int_t)1700000000000, "not_after",
			 (json_int_t)1702592000000, "revision", text, "chosen", 1, 2, "approvals",
			 "user", "tina", "role", "technician", "time", (json_int_t)1700000000000,
			 "method", "session");
}

static json_t *sample_order(void)
{
	return order_with(sample_revision());
}

static int read_order(const json_t *json, struct dl_order **ret)
{
	dl_autofree char *body = dl_json_text(json);
	struct dl_error err;
	return dl_order_from_body(body, ret, &err);
}

/* Reads the sample after some members were replaced. */
static int read_changed(const char *change_text)
{
	dl_autojson *json = sample_order();
	dl_autojson *change = json_loads(change_text, 0, NULL);
	dl_auto(dl_order) order = NULL;
	assert_non_null(change);
	json_object_update(json, change);
	return read_order(json, &order);
}

static int read_changed_revision(const char *change_text)
{
	json_t *revision = sample_revision();
	dl_autojson *change = json_loads(change_text, 0, NULL);
	dl_auto(dl_order) order = NULL;
	assert_non_null(change);
	json_object_update(revision, change);
	dl_autojson *json = order_with(revision);
	return read_order(json, &order);
}

static void reads_every_member_of_an_order(void **state)
{
	(void)state;
	dl_autojson *json = sample_order();
	dl_auto(dl_order) order = NULL;
	assert_int_equal(read_order(json, &order), 0);
	assert_string_equal(order->plan_id, ID_A);
	assert_int_equal(order->kind, DL_ORDER_REMOVE);
	assert_string_equal(order->undo_of, "");
	assert_int_equal(order->organization, 2);
	assert_int_equal(order->agent, 3);
	assert_int_equal(order->incident, 7);
	assert_string_equal(order->agent_key_id, HASH);
	assert_int_equal(order->issued, 1700000000000);
	assert_int_equal(order->not_after, 1702592000000);
	assert_int_equal(order->plan->step_count, 3);
	assert_true(order->chosen[0] && order->chosen[1] && !order->chosen[2]);
	assert_int_equal(json_array_size(order->approvals), 1);
}

static void hashes_exactly_the_bytes_of_the_revision(void **state)
{
	(void)state;
	dl_autojson *json = sample_order();
	dl_auto(dl_order) order = NULL;
	char digest[DL_SHA256_TEXT_SIZE];
	const char *text = json_string_value(json_object_get(json, "revision"));
	assert_int_equal(read_order(json, &order), 0);
	dl_sha256_text(text, strlen(text), digest);
	assert_string_equal(order->revision, text);
	assert_string_equal(order->revision_digest, digest);
}

static void writes_the_bytes_it_would_read(void **state)
{
	(void)state;
	dl_autojson *json = sample_order();
	dl_auto(dl_order) order = NULL;
	dl_auto(dl_order) again = NULL;
	dl_autofree char *body = NULL, *second = NULL;
	assert_int_equal(read_order(json, &order), 0);
	assert_int_equal(dl_order_to_body(order, &body, NULL), 0);
	assert_int_equal(dl_order_from_body(body, &again, NULL), 0);
	assert_int_equal(dl_order_to_body(again, &second, NULL), 0);
	assert_string_equal(body, second);
	assert_string_equal(again->revision_digest, order->revision_digest);
}

static void refuses_to_write_an_order_its_reader_would_refuse(void **state)
{
	(void)state;
	dl_autojson *json = sample_order();
	dl_auto(dl_order) order = NULL;
	char *body = NULL;
	assert_int_equal(read_order(json, &order), 0);
	order->chosen[0] = false;
	assert_int_equal(dl_order_to_body(order, &body, NULL), DL_E_INVALID);
	order->chosen[1] = false;
	assert_int_equal(dl_order_to_body(order, &body, NULL), DL_E_INVALID);
	assert_null(body);
}

static void refuses_members_it_does_not_know(void **state)
{
	(void)state;
	static const char *const unknown[] = { "command",     "script", "evidence", "Version",
					       "revision_digest", "plan", "undo" };
	for (size_t i = 0; i < DL_COUNT(unknown); i++) {
		dl_autojson *json = sample_order();
		dl_autojson *with_revision = NULL;
		json_t *revision = sample_revision();
		dl_auto(dl_order) order = NULL;
		dl_json_put_str(json, unknown[i], "x");
		assert_int_equal(read_order(json, &order), DL_E_INVALID);
		dl_json_put_str(revision, unknown[i], "x");
		with_revision = order_with(revision);
		assert_int_equal(read_order(with_revision, &order), DL_E_INVALID);
		assert_null(order);
	}
}

static void refuses_an_order_without_any_one_of_its_members(void **state)
{
	(void)state;
	dl_autojson *whole = sample_order();
	const char *name;
	json_t *member;
	json_object_foreach(whole, name, member) {
		dl_autojson *json = json_deep_copy(whole);
		dl_auto(dl_order) order = NULL;
		json_object_del(json, name);
		assert_int_equal(read_order(json, &order), DL_E_INVALID);
	}
}

static void refuses_a_revision_without_any_one_of_its_members(void **state)
{
	(void)state;
	dl_autojson *whole = sample_revision();
	const char *name;
	json_t *member;
	json_object_foreach(whole, name, member) {
		json_t *revision = json_deep_copy(whole);
		dl_auto(dl_order) order = NULL;
		json_object_del(revision, name);
		dl_autojson *json = order_with(revision);
		assert_int_equal(read_order(json, &order), DL_E_INVALID);
	}
}

static void refuses_members_out_of_their_bounds(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"version\":2}",
		"{\"plan_id\":\"0123\"}",
		"{\"plan_id\":\"0123456789ABCDEF0123456789ABCDEF\"}",
		"{\"kind\":\"run\"}",
		"{\"undo_of\":\"" ID_B "\"}",
		"{\"organization_id\":0}",
		"{\"agent_id\":-1}",
		"{\"agent_id\":\"3\"}",
		"{\"agent_key_id\":\"" ID_A "\"}",
		"{\"incident_id\":8}",
		"{\"issued\":0}",
		"{\"not_after\":1699999999999}",
		"{\"revision\":\"\"}",
		"{\"revision\":\"[]\"}",
		"{\"revision\":{}}",
		"{\"approvals\":[]}",
		"{\"approvals\":[{\"user\":\"t\",\"role\":\"r\",\"time\":1,\"method\":\"magic\"}]}",
		"{\"approvals\":[{\"user\":\"t\",\"role\":\"r\",\"time\":1}]}",
		"{\"approvals\":[{\"user\":\"t\",\"role\":\"r\",\"time\":1,\"note\":\"x\"}]}",
	};
	for (size_t i = 0; i < DL_COUNT(changes); i++)
		assert_int_equal(read_changed(changes[i]), DL_E_INVALID);
}

static void refuses_a_revision_that_breaks_its_schema(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"version\":2}",	   "{\"incident_id\":8}", "{\"no\":0}",
		"{\"severity\":\"huge\"}", "{\"subject\":1}",	  "{\"steps\":{}}",
		"{\"steps\":[{}]}",	   "{\"steps\":[]}",
	};
	for (size_t i = 0; i < DL_COUNT(changes); i++)
		assert_int_equal(read_changed_revision(changes[i]), DL_E_INVALID);
}

static void refuses_duplicate_members_in_the_revision(void **state)
{
	(void)state;
	dl_autojson *revision = sample_revision();
	dl_autojson *json = sample_order();
	dl_autofree char *text = dl_json_text(revision);
	dl_autofree char *twice = dl_alloc(strlen(text) + 32, 1);
	dl_auto(dl_order) order = NULL;
	memcpy(twice, "{\"no\":1,", 8);
	memcpy(twice + 8, text + 1, strlen(text));
	dl_json_put_str(json, "revision", twice);
	assert_int_equal(read_order(json, &order), DL_E_INVALID);
}

static void refuses_choices_that_are_not_steps_in_order(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"chosen\":[]}",	"{\"chosen\":[0]}",	 "{\"chosen\":[1,1]}",
		"{\"chosen\":[2,1]}",	"{\"chosen\":[1,4]}",	 "{\"chosen\":[-1]}",
		"{\"chosen\":[\"1\"]}", "{\"chosen\":{\"1\":1}}",
	};
	for (size_t i = 0; i < DL_COUNT(changes); i++)
		assert_int_equal(read_changed(changes[i]), DL_E_INVALID);
	assert_int_equal(read_changed("{\"chosen\":[1]}"), 0);
}

static void refuses_a_chosen_manual_step(void **state)
{
	(void)state;
	assert_int_equal(read_changed("{\"chosen\":[3]}"), DL_E_INVALID);
	assert_int_equal(read_changed("{\"chosen\":[1,2,3]}"), DL_E_INVALID);
}

static void refuses_a_chosen_step_whose_requirement_is_not_chosen(void **state)
{
	(void)state;
	assert_int_equal(read_changed("{\"chosen\":[2]}"), DL_E_INVALID);
}

static void lets_an_undo_choose_any_assisted_step_alone(void **state)
{
	(void)state;
	assert_int_equal(
		read_changed("{\"kind\":\"undo\",\"undo_of\":\"" ID_B "\",\"chosen\":[2]}"), 0);
	assert_int_equal(
		read_changed("{\"kind\":\"undo\",\"undo_of\":\"" ID_B "\",\"chosen\":[3]}"),
		DL_E_INVALID);
	assert_int_equal(read_changed("{\"kind\":\"undo\",\"undo_of\":\"\"}"), DL_E_INVALID);
	assert_int_equal(read_changed("{\"kind\":\"undo\",\"undo_of\":\"xyz\"}"), DL_E_INVALID);
}

static void refuses_an_order_over_the_limit(void **state)
{
	(void)state;
	dl_autofree char *body = dl_alloc(DL_ORDER_MAX_BYTES + 2, 1);
	memset(body, ' ', DL_ORDER_MAX_BYTES + 1);
	struct dl_order *order = NULL;
	assert_int_equal(dl_order_from_body(body, &order, NULL), DL_E_LIMIT);
	dl_autofree char *words = dl_alloc(DL_REVISION_TEXT_MAX_BYTES + 64, 1);
	memset(words, 'x', DL_REVISION_TEXT_MAX_BYTES + 1);
	json_t *revision = sample_revision();
	dl_json_put_str(revision, "summary", words);
	dl_autojson *json = order_with(revision);
	assert_int_equal(read_order(json, &order), DL_E_LIMIT);
	assert_null(order);
}

static struct dl_ticket sample_ticket(enum dl_verdict verdict)
{
	return (struct dl_ticket){ .plan_id = ID_A,
				   .order_sha256 = HASH,
				   .nonce = ID_B,
				   .server_time = 1700000000000,
				   .start_within_ms = 60000,
				   .verdict = verdict };
}

static void brings_every_ticket_back(void **state)
{
	(void)state;
	static const enum dl_verdict verdicts[] = { DL_VERDICT_GO, DL_VERDICT_CANCELLED,
						    DL_VERDICT_EXPIRED };
	for (size_t i = 0; i < DL_COUNT(verdicts); i++) {
		struct dl_ticket ticket = sample_ticket(verdicts[i]), again = { 0 };
		dl_autofree char *body = dl_ticket_to_body(&ticket);
		assert_int_equal(dl_ticket_from_body(body, &again, NULL), 0);
		assert_string_equal(again.plan_id, ID_A);
		assert_string_equal(again.order_sha256, HASH);
		assert_string_equal(again.nonce, ID_B);
		assert_int_equal(again.server_time, 1700000000000);
		assert_int_equal(again.start_within_ms, 60000);
		assert_int_equal(again.verdict, verdicts[i]);
	}
}

static void refuses_a_ticket_that_breaks_its_schema(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"{\"extra\":1}",	 "{\"version\":0}",	     "{\"plan_id\":\"x\"}",
		"{\"nonce\":null}",	 "{\"order_sha256\":\"00\"}", "{\"verdict\":\"maybe\"}",
		"{\"verdict\":null}",	 "{\"server_time\":0}",	     "{\"start_within_ms\":-1}",
		"{\"start_within_ms\":3600001}",
	};
	struct dl_ticket ticket = sample_ticket(DL_VERDICT_GO), again;
	dl_autofree char *body = dl_ticket_to_body(&ticket);
	for (size_t i = 0; i < DL_COUNT(changes); i++) {
		dl_autojson *json = json_loads(body, 0, NULL);
		dl_autojson *change = json_loads(changes[i], 0, NULL);
		assert_int_equal(json_object_update(json, change), 0);
		dl_autofree char *changed = dl_json_text(json);
		assert_int_equal(dl_ticket_from_body(changed, &again, NULL), DL_E_INVALID);
	}
	assert_int_equal(dl_ticket_from_body("", &again, NULL), DL_E_INVALID);
}

static void brings_a_key_certificate_back(void **state)
{
	(void)state;
	dl_auto(dl_signing_key) key = NULL;
	struct dl_key_cert cert = { .not_before = 5, .not_after = 9 }, again = { 0 };
	assert_int_equal(dl_signing_key_generate(&key, NULL), 0);
	dl_signing_key_public(key, cert.public_key);
	dl_autofree char *body = dl_key_cert_to_body(&cert);
	assert_int_equal(dl_key_cert_from_body(body, &again, NULL), 0);
	assert_string_equal(again.public_key, cert.public_key);
	assert_int_equal(again.not_before, 5);
	assert_int_equal(again.not_after, 9);
	cert.not_after = 4;
	dl_autofree char *backwards = dl_key_cert_to_body(&cert);
	assert_int_equal(dl_key_cert_from_body(backwards, &again, NULL), DL_E_INVALID);
	assert_int_equal(dl_key_cert_from_body("{\"version\":1}", &again, NULL), DL_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_member_of_an_order),
		cmocka_unit_test(hashes_exactly_the_bytes_of_the_revision),
		cmocka_unit_test(writes_the_bytes_it_would_read),
		cmocka_unit_test(refuses_to_write_an_order_its_reader_would_refuse),
		cmocka_unit_test(refuses_members_it_does_not_know),
		cmocka_unit_test(refuses_an_order_without_any_one_of_its_members),
		cmocka_unit_test(refuses_a_revision_without_any_one_of_its_members),
		cmocka_unit_test(refuses_members_out_of_their_bounds),
		cmocka_unit_test(refuses_a_revision_that_breaks_its_schema),
		cmocka_unit_test(refuses_duplicate_members_in_the_revision),
		cmocka_unit_test(refuses_choices_that_are_not_steps_in_order),
		cmocka_unit_test(refuses_a_chosen_manual_step),
		cmocka_unit_test(refuses_a_chosen_step_whose_requirement_is_not_chosen),
		cmocka_unit_test(lets_an_undo_choose_any_assisted_step_alone),
		cmocka_unit_test(refuses_an_order_over_the_limit),
		cmocka_unit_test(brings_every_ticket_back),
		cmocka_unit_test(refuses_a_ticket_that_breaks_its_schema),
		cmocka_unit_test(brings_a_key_certificate_back),
	};
	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
