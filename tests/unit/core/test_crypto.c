#include "core/base/bytes.h"
#include "core/crypto/random.h"
#include "core/crypto/sha256.h"
#include "core/crypto/sign.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 6979, A.2.5: key, message "sample" and its signature with SHA-256. */
#define RFC_SCALAR "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define RFC_X "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define RFC_Y "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define RFC_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define RFC_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
/* The order of the group, and one more than the largest signature number. */
#define GROUP_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static void gives_the_published_digests(void **state)
{
	(void)state;
	char text[DL_SHA256_TEXT_SIZE];
	dl_sha256_text("", 0, text);
	assert_string_equal(text,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	dl_sha256_text("abc", 3, text);
	assert_string_equal(text,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hashes_parts_like_the_whole(void **state)
{
	(void)state;
	uint8_t parts[DL_SHA256_SIZE], whole[DL_SHA256_SIZE];
	dl_auto(dl_sha256) hash = dl_sha256_new();
	dl_sha256_add(hash, "dis", 3);
	dl_sha256_add(hash, "", 0);
	dl_sha256_add(hash, "lodge", 5);
	dl_sha256_finish(hash, parts);
	dl_sha256_of("dislodge", 8, whole);
	assert_memory_equal(parts, whole, sizeof(whole));
}

static void gives_ids_and_tokens_of_their_size_that_differ(void **state)
{
	(void)state;
	char first[DL_ID_TEXT_SIZE], second[DL_ID_TEXT_SIZE], token[DL_TOKEN_TEXT_SIZE];
	dl_random_id(first);
	dl_random_id(second);
	dl_random_token(token);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strlen(token), 64);
	assert_string_not_equal(first, second);
	for (size_t i = 0; token[i]; i++)
		assert_true(isdigit((unsigned char)token[i]) || (token[i] >= 'a' && token[i] <= 'f'));
}

static void fills_all_random_bytes(void **state)
{
	(void)state;
	uint8_t bytes[64] = { 0 }, seen[64] = { 0 };
	for (int round = 0; round < 20; round++) {
		dl_random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
}

static void verifies_the_published_signature(void **state)
{
	(void)state;
	assert_int_equal(dl_verify("04" RFC_X RFC_Y, "sample", 6, RFC_R RFC_S, NULL), 0);
	assert_int_equal(dl_verify("04" RFC_X RFC_Y, "simple", 6, RFC_R RFC_S, NULL), DL_E_DENIED);
}

static void signs_what_only_its_own_public_key_verifies(void **state)
{
	(void)state;
	dl_auto(dl_signing_key) key = NULL;
	dl_auto(dl_signing_key) other = NULL;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE], other_key[DL_PUBLIC_KEY_TEXT_SIZE];
	char signature[DL_SIGNATURE_TEXT_SIZE];
	assert_int_equal(dl_signing_key_generate(&key, NULL), 0);
	assert_int_equal(dl_signing_key_generate(&other, NULL), 0);
	dl_signing_key_public(key, public_key);
	dl_signing_key_public(other, other_key);
	assert_int_equal(dl_sign(key, "data", 4, signature, NULL), 0);
	assert_int_equal(strlen(signature), 2 * DL_SIGNATURE_SIZE);
	assert_int_equal(dl_verify(public_key, "data", 4, signature, NULL), 0);
	assert_int_equal(dl_verify(public_key, "datb", 4, signature, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(public_key, "data", 3, signature, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(other_key, "data", 4, signature, NULL), DL_E_DENIED);
}

static void refuses_every_flipped_bit_of_a_signature(void **state)
{
	(void)state;
	uint8_t raw[DL_SIGNATURE_SIZE];
	char text[DL_SIGNATURE_TEXT_SIZE];
	assert_int_equal(dl_hex_decode(RFC_R RFC_S, raw, sizeof(raw), NULL), 0);
	for (size_t bit = 0; bit < 8 * sizeof(raw); bit++) {
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
		dl_hex_encode(raw, sizeof(raw), text);
		assert_int_equal(dl_verify("04" RFC_X RFC_Y, "sample", 6, text, NULL),
				 DL_E_DENIED);
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void refuses_signature_numbers_out_of_range(void **state)
{
	(void)state;
	const char *key = "04" RFC_X RFC_Y;
	assert_int_equal(dl_verify(key, "sample", 6, ZERO RFC_S, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(key, "sample", 6, RFC_R ZERO, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(key, "sample", 6, ZERO ZERO, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(key, "sample", 6, GROUP_ORDER RFC_S, NULL), DL_E_DENIED);
	assert_int_equal(dl_verify(key, "sample", 6, RFC_R GROUP_ORDER, NULL), DL_E_DENIED);
}

static void refuses_malformed_keys_and_signatures(void **state)
{
	(void)state;
	const char *good = "04" RFC_X RFC_Y, *signature = RFC_R RFC_S;
	assert_int_equal(dl_verify("", "x", 1, signature, NULL), DL_E_INVALID);
	assert_int_equal(dl_verify("03" RFC_X RFC_Y, "x", 1, signature, NULL), DL_E_INVALID);
	assert_int_equal(dl_verify("04" RFC_X, "x", 1, signature, NULL), DL_E_INVALID);
	assert_int_equal(dl_verify(good, "x", 1, RFC_R, NULL), DL_E_INVALID);
	assert_int_equal(dl_verify(good, "x", 1, RFC_R RFC_S "00", NULL), DL_E_INVALID);
	assert_int_equal(dl_verify(good, "x", 1, "", NULL), DL_E_INVALID);
}

static void refuses_points_that_are_not_on_the_curve(void **state)
{
	(void)state;
	static const char *const points[] = { "04" RFC_X RFC_X, "04" ZERO ZERO,
					      "04" GROUP_ORDER RFC_Y };
	for (size_t i = 0; i < DL_COUNT(points); i++) {
		int r = dl_verify(points[i], "sample", 6, RFC_R RFC_S, NULL);
		assert_true(r == DL_E_INVALID || r == DL_E_DENIED);
	}
}

static void brings_a_private_key_back_from_its_text(void **state)
{
	(void)state;
	dl_auto(dl_signing_key) key = NULL;
	dl_auto(dl_signing_key) again = NULL;
	char text[DL_PRIVATE_KEY_TEXT_SIZE], public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	char again_public[DL_PUBLIC_KEY_TEXT_SIZE], signature[DL_SIGNATURE_TEXT_SIZE];
	assert_int_equal(dl_signing_key_generate(&key, NULL), 0);
	assert_int_equal(dl_signing_key_export(key, text, NULL), 0);
	assert_int_equal(strlen(text), DL_PRIVATE_KEY_TEXT_SIZE - 1);
	assert_int_equal(dl_signing_key_import(text, &again, NULL), 0);
	dl_signing_key_public(key, public_key);
	dl_signing_key_public(again, again_public);
	assert_string_equal(public_key, again_public);
	assert_int_equal(dl_sign(again, "x", 1, signature, NULL), 0);
	assert_int_equal(dl_verify(public_key, "x", 1, signature, NULL), 0);
}

static void exports_what_it_imported(void **state)
{
	(void)state;
	dl_auto(dl_signing_key) key = NULL;
	char text[DL_PRIVATE_KEY_TEXT_SIZE], public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	assert_int_equal(dl_signing_key_import(RFC_SCALAR RFC_X RFC_Y, &key, NULL), 0);
	assert_int_equal(dl_signing_key_export(key, text, NULL), 0);
	assert_string_equal(text, RFC_SCALAR RFC_X RFC_Y);
	dl_signing_key_public(key, public_key);
	assert_string_equal(public_key, "04" RFC_X RFC_Y);
}

static void refuses_private_keys_that_are_no_pair(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		RFC_SCALAR,
		ZERO RFC_X RFC_Y,
		GROUP_ORDER RFC_X RFC_Y,
		RFC_R RFC_X RFC_Y, /* another scalar */
		RFC_SCALAR RFC_X RFC_X,
		RFC_SCALAR RFC_X RFC_Y "00",
	};
	for (size_t i = 0; i < DL_COUNT(wrong); i++) {
		struct dl_signing_key *key = NULL;
		assert_int_equal(dl_signing_key_import(wrong[i], &key, NULL), DL_E_INVALID);
		assert_null(key);
	}
}

static void names_a_key_by_the_hash_of_its_point(void **state)
{
	(void)state;
	char id[DL_KEY_ID_TEXT_SIZE], expected[DL_SHA256_TEXT_SIZE];
	uint8_t point[DL_PUBLIC_KEY_SIZE];
	assert_int_equal(dl_key_id("04" RFC_X RFC_Y, id, NULL), 0);
	assert_int_equal(dl_hex_decode("04" RFC_X RFC_Y, point, sizeof(point), NULL), 0);
	dl_sha256_text(point, sizeof(point), expected);
	assert_string_equal(id, expected);
	assert_int_equal(dl_key_id("02" RFC_X RFC_Y, id, NULL), DL_E_INVALID);
	assert_int_equal(dl_key_id("xx", id, NULL), DL_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_published_digests),
		cmocka_unit_test(hashes_parts_like_the_whole),
		cmocka_unit_test(gives_ids_and_tokens_of_their_size_that_differ),
		cmocka_unit_test(fills_all_random_bytes),
		cmocka_unit_test(verifies_the_published_signature),
		cmocka_unit_test(signs_what_only_its_own_public_key_verifies),
		cmocka_unit_test(refuses_every_flipped_bit_of_a_signature),
		cmocka_unit_test(refuses_signature_numbers_out_of_range),
		cmocka_unit_test(refuses_malformed_keys_and_signatures),
		cmocka_unit_test(refuses_points_that_are_not_on_the_curve),
		cmocka_unit_test(brings_a_private_key_back_from_its_text),
		cmocka_unit_test(exports_what_it_imported),
		cmocka_unit_test(refuses_private_keys_that_are_no_pair),
		cmocka_unit_test(names_a_key_by_the_hash_of_its_point),
	};
	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
