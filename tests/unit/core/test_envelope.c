#include "core/wire/envelope.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 1024 };
static const char body_text[] = "{\"version\":1,\"words\":\"grün\"}";

struct signer {
	struct dl_signing_key *key;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	json_t *envelope;
};

static int set_up(void **state)
{
	struct signer *signer = DL_NEW(struct signer);
	*state = signer;
	assert_int_equal(dl_signing_key_generate(&signer->key, NULL), 0);
	dl_signing_key_public(signer->key, signer->public_key);
	return dl_envelope_sign(signer->key, DL_TYPE_ORDER, body_text, &signer->envelope, NULL);
}

static int tear_down(void **state)
{
	struct signer *signer = *state;
	dl_signing_key_free(signer->key);
	json_decref(signer->envelope);
	free(signer);
	return 0;
}

static int verify(const struct signer *signer)
{
	const char *body = NULL;
	struct dl_error err;
	int r = dl_envelope_verify(signer->envelope, DL_TYPE_ORDER, signer->public_key, LIMIT,
				   &body, &err);
	if (r == 0)
		assert_string_equal(body, json_string_value(
						  json_object_get(signer->envelope, "body")));
	else
		assert_null(body);
	return r;
}

static void gives_the_body_of_what_it_signed(void **state)
{
	const struct signer *signer = *state;
	const char *body = NULL;
	assert_int_equal(dl_envelope_verify(signer->envelope, DL_TYPE_ORDER, signer->public_key,
					    LIMIT, &body, NULL),
			 0);
	assert_string_equal(body, body_text);
}

static void signs_the_encoding_that_dsse_prescribes(void **state)
{
	const struct signer *signer = *state;
	const char *signature = json_string_value(json_object_get(signer->envelope, "sig"));
	char encoded[256];
	int size = snprintf(encoded, sizeof(encoded), "DSSEv1 %d %s %d %s",
			    (int)strlen(DL_TYPE_ORDER), DL_TYPE_ORDER, (int)strlen(body_text),
			    body_text);
	assert_int_equal(
		dl_verify(signer->public_key, encoded, (size_t)size, signature, NULL), 0);
}

static void refuses_every_flipped_bit_of_the_body(void **state)
{
	struct signer *signer = *state;
	for (size_t bit = 0; bit < 8 * (sizeof(body_text) - 1); bit++) {
		char changed[sizeof(body_text)];
		memcpy(changed, body_text, sizeof(changed));
		changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
		json_t *text = json_string(changed);
		if (!text) /* not UTF-8 any more: it cannot even be written */
			continue;
		json_object_set_new(signer->envelope, "body", text);
		assert_int_equal(verify(signer), DL_E_DENIED);
	}
}

static void refuses_a_signature_made_for_another_type(void **state)
{
	const struct signer *signer = *state;
	static const char *const types[] = { DL_TYPE_KEY, DL_TYPE_CLAIM, DL_TYPE_TICKET,
					     DL_TYPE_RECORD, DL_TYPE_ENROL };
	for (size_t i = 0; i < DL_COUNT(types); i++) {
		const char *body = NULL;
		assert_int_equal(dl_envelope_verify(signer->envelope, types[i],
						    signer->public_key, LIMIT, &body, NULL),
				 DL_E_DENIED);
		assert_null(body);
	}
}

static void refuses_another_key(void **state)
{
	const struct signer *signer = *state;
	dl_auto(dl_signing_key) other = NULL;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	const char *body = NULL;
	assert_int_equal(dl_signing_key_generate(&other, NULL), 0);
	dl_signing_key_public(other, public_key);
	assert_int_equal(dl_envelope_verify(signer->envelope, DL_TYPE_ORDER, public_key, LIMIT,
					    &body, NULL),
			 DL_E_DENIED);
}

static void refuses_a_key_id_that_is_not_the_signers(void **state)
{
	struct signer *signer = *state;
	dl_auto(dl_signing_key) other = NULL;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE], id[DL_KEY_ID_TEXT_SIZE];
	assert_int_equal(dl_signing_key_generate(&other, NULL), 0);
	dl_signing_key_public(other, public_key);
	assert_int_equal(dl_key_id(public_key, id, NULL), 0);
	dl_json_put_str(signer->envelope, "keyid", id);
	assert_int_equal(verify(signer), DL_E_DENIED);
}

static void refuses_a_signature_by_another_key_under_this_key_id(void **state)
{
	struct signer *signer = *state;
	dl_auto(dl_signing_key) other = NULL;
	dl_autojson *forged = NULL;
	assert_int_equal(dl_signing_key_generate(&other, NULL), 0);
	assert_int_equal(dl_envelope_sign(other, DL_TYPE_ORDER, body_text, &forged, NULL), 0);
	json_object_set(signer->envelope, "sig", json_object_get(forged, "sig"));
	assert_int_equal(verify(signer), DL_E_DENIED);
}

static void refuses_unknown_missing_and_malformed_members(void **state)
{
	struct signer *signer = *state;
	static const char *const names[] = { "keyid", "sig", "body" };
	dl_json_put_str(signer->envelope, "alg", "none");
	assert_int_equal(verify(signer), DL_E_INVALID);
	json_object_del(signer->envelope, "alg");
	assert_int_equal(verify(signer), 0);
	for (size_t i = 0; i < DL_COUNT(names); i++) {
		dl_autojson *kept = json_incref(json_object_get(signer->envelope, names[i]));
		json_object_del(signer->envelope, names[i]);
		assert_int_equal(verify(signer), DL_E_INVALID);
		json_object_set_new(signer->envelope, names[i], json_integer(1));
		assert_int_equal(verify(signer), DL_E_INVALID);
		json_object_set(signer->envelope, names[i], kept);
	}
	dl_json_put_str(signer->envelope, "sig", "00");
	assert_int_equal(verify(signer), DL_E_INVALID);
}

static void refuses_a_body_over_the_limit(void **state)
{
	const struct signer *signer = *state;
	const char *body = NULL;
	assert_int_equal(dl_envelope_verify(signer->envelope, DL_TYPE_ORDER, signer->public_key,
					    sizeof(body_text) - 2, &body, NULL),
			 DL_E_LIMIT);
	assert_int_equal(dl_envelope_verify(signer->envelope, DL_TYPE_ORDER, signer->public_key,
					    sizeof(body_text) - 1, &body, NULL),
			 0);
}

static void refuses_to_sign_a_body_that_json_cannot_carry(void **state)
{
	const struct signer *signer = *state;
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(signer->key, DL_TYPE_ORDER, "\xff", &envelope, NULL),
			 DL_E_INVALID);
	assert_null(envelope);
}

static void survives_being_written_and_parsed(void **state)
{
	struct signer *signer = *state;
	dl_autofree char *text = dl_json_text(signer->envelope);
	json_decref(DL_TAKE(signer->envelope));
	assert_int_equal(dl_json_parse(text, strlen(text), 4096, &signer->envelope, NULL), 0);
	assert_int_equal(verify(signer), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_the_body_of_what_it_signed),
		TEST(signs_the_encoding_that_dsse_prescribes),
		TEST(refuses_every_flipped_bit_of_the_body),
		TEST(refuses_a_signature_made_for_another_type),
		TEST(refuses_another_key),
		TEST(refuses_a_key_id_that_is_not_the_signers),
		TEST(refuses_a_signature_by_another_key_under_this_key_id),
		TEST(refuses_unknown_missing_and_malformed_members),
		TEST(refuses_a_body_over_the_limit),
		TEST(refuses_to_sign_a_body_that_json_cannot_carry),
		TEST(survives_being_written_and_parsed),
	};
	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
