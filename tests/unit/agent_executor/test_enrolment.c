/* Enrolment: what a key file may say and which answer makes an identity. */
#include "agent/executor/enrolment.h"

#include "core/wire/envelope.h"
#include "tests/fakes/fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

#define KEY_ID "0123456789abcdef0123456789abcdef"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define GOOD                                                                                       \
	"[enrolment]\nserver = https://server.example:8443\nkey_id = " KEY_ID "\nsecret = " HEX64  \
	"\nroot_key_id = " HEX64 "\ntls_pin = " PIN "\n"

static int parse(const char *text, struct dl_key_file *file)
{
	struct dl_error err = { 0 };
	int r = dl_key_file_parse(text, strlen(text), file, &err);
	assert_true(r == 0 || err.text[0] != '\0');
	return r;
}

static void expect_refused(const char *text)
{
	dl_autokeyfile file = { 0 };
	assert_true(parse(text, &file) < 0);
}

static void reads_a_key_file(void **state)
{
	(void)state;
	dl_autokeyfile file = { 0 };
	assert_int_equal(parse(GOOD, &file), 0);
	assert_string_equal(file.server, "https://server.example:8443");
	assert_string_equal(file.key_id, KEY_ID);
	assert_string_equal(file.secret, HEX64);
	assert_string_equal(file.root_key_id, HEX64);
	assert_string_equal(file.tls_pin, PIN);
}

static void reads_a_comment_behind_a_value(void **state)
{
	(void)state;
	dl_autokeyfile file = { 0 };
	assert_int_equal(parse("; made today\n[enrolment]\nserver = https://s ; here\nkey_id = " KEY_ID
			       "\nsecret = " HEX64 "\nroot_key_id = " HEX64 "\ntls_pin = " PIN
			       " ; of the certificate\n", &file), 0);
	assert_string_equal(file.tls_pin, PIN);
}

static void refuses_a_key_file_with_something_unknown_missing_or_twice(void **state)
{
	(void)state;
	expect_refused("");
	expect_refused("[enrolment]\nserver = https://x\n");
	expect_refused(GOOD "colour = red\n");
	expect_refused(GOOD "key_id = " KEY_ID "\n");
	expect_refused(GOOD "server = https://other\n");
	expect_refused(GOOD "[other]\nserver = x\n");
	expect_refused(GOOD "junk\n");
	expect_refused("server = https://x\n" GOOD);
}

static void refuses_a_secret_that_is_not_hexadecimal_of_its_length(void **state)
{
	(void)state;
	expect_refused("[enrolment]\nsecret = 00\n");
	expect_refused("[enrolment]\nsecret = " HEX64 "00\n");
	expect_refused("[enrolment]\nkey_id = 0123456789ABCDEF0123456789abcdef\n");
}

/* ---- the request ---- */

static json_t *request_of(const struct dl_signing_key *earlier)
{
	dl_autokeyfile file = { 0 };
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	dl_auto(dl_host) host = fake_host_open(fake);
	dl_auto(dl_signing_key) key = NULL;
	json_t *request = NULL;
	assert_int_equal(parse(GOOD, &file), 0);
	assert_int_equal(dl_enrolment_request(&file, host, earlier, &key, &request, NULL), 0);
	return request;
}

static void a_first_enrolment_has_nobody_to_vouch_for_it(void **state)
{
	(void)state;
	dl_autojson *request = request_of(NULL);
	assert_null(json_object_get(request, "earlier"));
}

static void the_earlier_key_vouches_for_the_same_statement(void **state)
{
	(void)state;
	dl_auto(dl_signing_key) earlier = NULL;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	const char *body = NULL;
	assert_int_equal(dl_signing_key_generate(&earlier, NULL), 0);
	dl_signing_key_public(earlier, public_key);
	dl_autojson *request = request_of(earlier);
	const json_t *statement = json_object_get(request, "statement");
	assert_int_equal(dl_envelope_verify(json_object_get(request, "earlier"), DL_TYPE_ENROL,
					    public_key, 4096, &body, NULL), 0);
	assert_string_equal(body, json_string_value(json_object_get(statement, "body")));
}

/* ---- the answer ---- */

struct answered {
	struct dl_key_file file;
	struct dl_signing_key *key;
	char root[DL_PUBLIC_KEY_TEXT_SIZE];
};

static void prepare(struct answered *answered)
{
	dl_auto(dl_signing_key) root = NULL;
	*answered = (struct answered){ 0 };
	assert_int_equal(dl_signing_key_generate(&root, NULL), 0);
	assert_int_equal(dl_signing_key_generate(&answered->key, NULL), 0);
	dl_signing_key_public(root, answered->root);
	assert_int_equal(dl_key_id(answered->root, answered->file.root_key_id, NULL), 0);
}

static json_t *answer_with(const char *root, json_int_t agent)
{
	return json_pack("{s:I, s:I, s:s, s:s, s:s}", "agent_id", agent, "organization_id",
			 (json_int_t)3, "organization", "Acme", "token", HEX64, "root_key", root);
}

static void takes_the_identity_a_pinned_server_gives(void **state)
{
	(void)state;
	struct answered answered;
	struct dl_enrolled enrolled;
	prepare(&answered);
	dl_autojson *answer = answer_with(answered.root, 9);
	assert_int_equal(dl_enrolment_accept(&answered.file, answer, &answered.key, &enrolled, NULL),
			 0);
	assert_null(answered.key);
	assert_int_equal(enrolled.identity->agent, 9);
	assert_string_equal(enrolled.token, HEX64);
	dl_identity_free(enrolled.identity);
}

static void refuses_a_server_whose_root_key_is_not_the_pinned_one(void **state)
{
	(void)state;
	struct answered answered, other;
	struct dl_enrolled enrolled;
	prepare(&answered);
	prepare(&other);
	dl_autojson *answer = answer_with(other.root, 9);
	assert_int_equal(dl_enrolment_accept(&answered.file, answer, &answered.key, &enrolled, NULL),
			 DL_E_DENIED);
	assert_non_null(answered.key);
	dl_signing_key_free(answered.key);
	dl_signing_key_free(other.key);
}

static void refuses_an_answer_that_lacks_an_identity(void **state)
{
	(void)state;
	struct answered answered;
	struct dl_enrolled enrolled;
	prepare(&answered);
	dl_autojson *answer = answer_with(answered.root, 0);
	assert_true(dl_enrolment_accept(&answered.file, answer, &answered.key, &enrolled, NULL) < 0);
	dl_signing_key_free(answered.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_key_file),
		cmocka_unit_test(reads_a_comment_behind_a_value),
		cmocka_unit_test(refuses_a_key_file_with_something_unknown_missing_or_twice),
		cmocka_unit_test(refuses_a_secret_that_is_not_hexadecimal_of_its_length),
		cmocka_unit_test(a_first_enrolment_has_nobody_to_vouch_for_it),
		cmocka_unit_test(the_earlier_key_vouches_for_the_same_statement),
		cmocka_unit_test(takes_the_identity_a_pinned_server_gives),
		cmocka_unit_test(refuses_a_server_whose_root_key_is_not_the_pinned_one),
		cmocka_unit_test(refuses_an_answer_that_lacks_an_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
