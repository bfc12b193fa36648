/* People, sessions, enrolment keys. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "core/base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char TOKEN_HASH[] =
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void a_session_lives_until_it_is_ended(void **state)
{
	struct bench *bench = *state;
	int64_t soon = dl_time_now_ms() + 60000;
	dl_autojson *made = ASK(dl_store_session_create, bench->store, &bench->system,
				bench->analyst.id, TOKEN_HASH, soon);
	dl_autojson *got = ASK(dl_store_session_get, bench->store, &bench->system, TOKEN_HASH);
	assert_true(json_equal(made, got));
	assert_string_equal(text_of(json_object_get(got, "user"), "login"), "ann");
	assert_string_equal(json_string_value(json_array_get(json_object_get(got, "roles"), 0)),
			    "analyst");
	assert_int_equal(json_array_size(json_object_get(got, "organizations")), 1);
	json_decref(ASK(dl_store_session_delete, bench->store, &bench->system, TOKEN_HASH));
	FAILS(DL_E_NOT_FOUND, dl_store_session_get, bench->store, &bench->system, TOKEN_HASH);
}

static void an_expired_session_is_none(void **state)
{
	struct bench *bench = *state;
	json_decref(ASK(dl_store_session_create, bench->store, &bench->system, bench->analyst.id,
			TOKEN_HASH, dl_time_now_ms() - 1));
	FAILS(DL_E_NOT_FOUND, dl_store_session_get, bench->store, &bench->system, TOKEN_HASH);
}

static void credentials_are_for_the_server_alone(void **state)
{
	struct bench *bench = *state;
	dl_autojson *view = ASK(dl_store_credential_get, bench->store, &bench->system, "ann");
	assert_string_equal(text_of(view, "password_hash"), "$argon2id$");
	FAILS(DL_E_DENIED, dl_store_credential_get, bench->store, &bench->administrator, "ann");
	FAILS(DL_E_NOT_FOUND, dl_store_credential_get, bench->store, &bench->system, "nobody");
}

static void no_view_ever_shows_a_password_hash(void **state)
{
	struct bench *bench = *state;
	dl_autojson *list = ASK(dl_store_user_list, bench->store, &bench->administrator,
				(struct dl_page){ 0 });
	dl_autofree char *text = dl_json_text(list);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 4);
	assert_null(strstr(text, "argon2"));
}

static void a_login_is_taken_once(void **state)
{
	struct bench *bench = *state;
	dl_autojson *roles = json_pack("[{s:I,s:s}]", "organization",
				       (json_int_t)bench->organization, "role", "reader");
	struct dl_user_add_request request = { "ann", "Ann", "hash", roles };
	FAILS(DL_E_EXISTS, dl_store_user_add, bench->store, &bench->administrator, &request);
}

static void a_refused_role_leaves_no_user_behind(void **state)
{
	struct bench *bench = *state;
	dl_autojson *roles = json_pack("[{s:I,s:s},{s:I,s:s}]", "organization",
				       (json_int_t)bench->organization, "role", "reader",
				       "organization", (json_int_t)bench->other_organization, "role",
				       "reader");
	struct dl_user_add_request request = { "new", "New", "hash", roles };
	FAILS(DL_E_NOT_FOUND, dl_store_user_add, bench->store, &bench->administrator, &request);
	FAILS(DL_E_NOT_FOUND, dl_store_credential_get, bench->store, &bench->system, "new");
}

static void an_administrator_of_one_cannot_make_one_of_all(void **state)
{
	struct bench *bench = *state;
	FAILS(DL_E_DENIED, dl_store_membership_add, bench->store, &bench->administrator,
	      bench->analyst.id, 0, "administrator");
	FAILS(DL_E_DENIED, dl_store_organization_add, bench->store, &bench->administrator, "Third");
	FAILS(DL_E_DENIED, dl_store_audit_verify, bench->store, &bench->administrator);
}

static void a_password_is_not_set_by_who_administers_only_a_part(void **state)
{
	struct bench *bench = *state;
	json_decref(ASK(dl_store_membership_add, bench->store, &bench->system, bench->analyst.id,
			bench->other_organization, "analyst"));
	struct dl_password_request analyst = { .user = bench->analyst.id, .password_hash = "hash" };
	struct dl_password_request technician = { .user = bench->technician.id,
						  .password_hash = "hash" };
	FAILS(DL_E_DENIED, dl_store_user_set_password, bench->store, &bench->administrator, &analyst);
	json_decref(ASK(dl_store_user_set_password, bench->store, &bench->administrator,
			&technician));
}

/* A session of the user; its token's hash is `digit` 64 times. Owned. */
static char *session_of(struct bench *bench, int64_t user, char digit)
{
	char *hash = dl_alloc(DL_SHA256_TEXT_SIZE, 1);
	memset(hash, digit, DL_SHA256_TEXT_SIZE - 1);
	json_decref(ASK(dl_store_session_create, bench->store, &bench->system, user, hash,
			dl_time_now_ms() + 60000));
	return hash;
}

static void ones_own_password_is_changed_by_who_proves_the_present_one(void **state)
{
	struct bench *bench = *state;
	struct dl_password_request request = { .user = bench->analyst.id, .password_hash = "new" };
	FAILS(DL_E_DENIED, dl_store_user_set_password, bench->store, &bench->analyst, &request);
	request.proven_hash = "an older one";
	FAILS(DL_E_DENIED, dl_store_user_set_password, bench->store, &bench->analyst, &request);
	request.proven_hash = "$argon2id$";
	json_decref(ASK(dl_store_user_set_password, bench->store, &bench->analyst, &request));
	dl_autojson *credential = ASK(dl_store_credential_get, bench->store, &bench->system, "ann");
	assert_string_equal(text_of(credential, "password_hash"), "new");
}

static void a_new_password_ends_the_other_sessions(void **state)
{
	struct bench *bench = *state;
	dl_autofree char *here = session_of(bench, bench->analyst.id, '1');
	dl_autofree char *elsewhere = session_of(bench, bench->analyst.id, '2');
	dl_autofree char *others = session_of(bench, bench->technician.id, '3');
	struct dl_password_request request = { bench->analyst.id, "new", "$argon2id$", here };
	json_decref(ASK(dl_store_user_set_password, bench->store, &bench->analyst, &request));
	json_decref(ASK(dl_store_session_get, bench->store, &bench->system, here));
	json_decref(ASK(dl_store_session_get, bench->store, &bench->system, others));
	FAILS(DL_E_NOT_FOUND, dl_store_session_get, bench->store, &bench->system, elsewhere);
}

static void a_password_set_by_an_administrator_ends_every_session(void **state)
{
	struct bench *bench = *state;
	dl_autofree char *session = session_of(bench, bench->analyst.id, '1');
	struct dl_password_request request = { .user = bench->analyst.id, .password_hash = "new",
					       .keep_session = session };
	json_decref(ASK(dl_store_user_set_password, bench->store, &bench->administrator, &request));
	FAILS(DL_E_NOT_FOUND, dl_store_session_get, bench->store, &bench->system, session);
}

static void text_that_is_no_utf8_is_refused(void **state)
{
	struct bench *bench = *state;
	FAILS(DL_E_INVALID, dl_store_organization_add, bench->store, &bench->system, "bad \xff");
	FAILS(DL_E_INVALID, dl_store_organization_add, bench->store, &bench->system, "  ");
}

/* ---- enrolment ---- */

static void an_enrolment_key_admits_as_many_hosts_as_it_says(void **state)
{
	struct bench *bench = *state;
	dl_autojson *keys = ASK(dl_store_enrol_key_list, bench->store, &bench->administrator,
				bench->organization);
	const json_t *used = json_array_get(json_object_get(keys, "items"), 0);
	assert_int_equal(int_of(used, "hosts_used"), 1);
	assert_null(json_object_get(used, "secret"));
	dl_autojson *body = json_pack("{s:s,s:s,s:{}}", "key_id", text_of(used, "id"), "proof",
				      TOKEN_HASH, "statement");
	FAILS(DL_E_INVALID, dl_store_enrol, bench->store, &bench->system, body);
}

static void a_wrong_proof_uses_up_no_place_of_the_key(void **state)
{
	struct bench *bench = *state;
	struct dl_enrol_key_request wish = { bench->organization, "k", 1,
					     dl_time_now_ms() + 60000 };
	dl_autojson *key = ASK(dl_store_enrol_key_create, bench->store, &bench->administrator, &wish);
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	dl_signing_key_public(bench->host.key, public_key);
	dl_autojson *statement = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "version", 1,
					   "public_key", public_key, "machine_hash", TOKEN_HASH,
					   "hostname", "h", "os", "o", "agent_version", "1",
					   "nonce", "n");
	dl_autofree char *text = dl_json_text(statement);
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(bench->host.key, DL_TYPE_ENROL, text, &envelope, NULL), 0);
	dl_autojson *body = json_pack("{s:s,s:s,s:o}", "key_id", text_of(key, "id"), "proof",
				      TOKEN_HASH, "statement", envelope);
	FAILS(DL_E_DENIED, dl_store_enrol, bench->store, &bench->system, body);
	dl_autojson *keys = ASK(dl_store_enrol_key_list, bench->store, &bench->administrator,
				bench->organization);
	assert_int_equal(int_of(json_array_get(json_object_get(keys, "items"), 0), "hosts_used"), 0);
}

/* ---- audit ---- */

static void the_audit_chain_holds_and_names_its_head(void **state)
{
	struct bench *bench = *state;
	json_decref(ASK(dl_store_login_refused, bench->store, &bench->system, "ann"));
	dl_autojson *view = ASK(dl_store_audit_verify, bench->store, &bench->system);
	assert_true(json_is_true(json_object_get(view, "ok")));
	dl_autojson *list = ASK(dl_store_audit_list, bench->store, &bench->system,
				&(struct dl_audit_filter){ 0 }, (struct dl_page){ .limit = 1 });
	const json_t *newest = json_array_get(json_object_get(list, "items"), 0);
	assert_string_equal(text_of(newest, "action"), "login.refused");
	assert_string_equal(text_of(newest, "hash"),
			    text_of(json_object_get(view, "head"), "hash"));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_session_lives_until_it_is_ended),
		STORE_TEST(an_expired_session_is_none),
		STORE_TEST(credentials_are_for_the_server_alone),
		STORE_TEST(no_view_ever_shows_a_password_hash),
		STORE_TEST(a_login_is_taken_once),
		STORE_TEST(a_refused_role_leaves_no_user_behind),
		STORE_TEST(an_administrator_of_one_cannot_make_one_of_all),
		STORE_TEST(a_password_is_not_set_by_who_administers_only_a_part),
		STORE_TEST(ones_own_password_is_changed_by_who_proves_the_present_one),
		STORE_TEST(a_new_password_ends_the_other_sessions),
		STORE_TEST(a_password_set_by_an_administrator_ends_every_session),
		STORE_TEST(text_that_is_no_utf8_is_refused),
		STORE_TEST(an_enrolment_key_admits_as_many_hosts_as_it_says),
		STORE_TEST(a_wrong_proof_uses_up_no_place_of_the_key),
		STORE_TEST(the_audit_chain_holds_and_names_its_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
