#include "core/base/bytes.h"
#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_spelling(const char *bytes, size_t size, const char *spelling)
{
	dl_autofree char *text = dl_bytes_encode(bytes, size);
	assert_string_equal(text, spelling);
	dl_autofree char *back = NULL;
	size_t back_size = 0;
	assert_int_equal(dl_bytes_decode(text, &back, &back_size, NULL), 0);
	assert_int_equal(back_size, size);
	assert_memory_equal(back, bytes, size);
	assert_int_equal(back[back_size], '\0');
}

#define EXPECT_SPELLING(bytes, spelling) expect_spelling(bytes, sizeof(bytes) - 1, spelling)

static void leaves_plain_text_as_it_is(void **state)
{
	(void)state;
	EXPECT_SPELLING("", "");
	EXPECT_SPELLING("/etc/systemd/system/x.service", "/etc/systemd/system/x.service");
	EXPECT_SPELLING("äöü €", "äöü €");
	EXPECT_SPELLING("\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9");
}

static void escapes_percent_controls_and_nul(void **state)
{
	(void)state;
	EXPECT_SPELLING("100%", "100%25");
	EXPECT_SPELLING("%41", "%2541");
	EXPECT_SPELLING("a\nb\tc\r", "a%0Ab%09c%0D");
	EXPECT_SPELLING("a\0b", "a%00b");
	EXPECT_SPELLING("\x1b[31m", "%1B[31m");
	EXPECT_SPELLING("\x7f", "%7F");
	EXPECT_SPELLING("\xc2\x85", "%C2%85");
}

static void escapes_what_is_not_valid_utf8(void **state)
{
	(void)state;
	EXPECT_SPELLING("\xff\xfe", "%FF%FE");
	EXPECT_SPELLING("\xc0\xaf", "%C0%AF");                 /* overlong '/' */
	EXPECT_SPELLING("\xe0\x80\xaf", "%E0%80%AF");          /* overlong, 3 bytes */
	EXPECT_SPELLING("\xf0\x80\x80\xaf", "%F0%80%80%AF");   /* overlong, 4 bytes */
	EXPECT_SPELLING("\xed\xa0\x80", "%ED%A0%80");          /* surrogate */
	EXPECT_SPELLING("\xf4\x90\x80\x80", "%F4%90%80%80");   /* past U+10FFFF */
	EXPECT_SPELLING("\xf8\x88\x80\x80\x80", "%F8%88%80%80%80");
	EXPECT_SPELLING("\x80", "%80");                        /* lone continuation */
	EXPECT_SPELLING("a\xc3", "a%C3");                      /* cut at the end */
	EXPECT_SPELLING("\xe2\x82(", "%E2%82(");               /* cut in the middle */
}

static void escapes_characters_that_deceive_a_reader(void **state)
{
	(void)state;
	EXPECT_SPELLING("gnp.\xe2\x80\xae" "exe", "gnp.%E2%80%AEexe"); /* U+202E */
	EXPECT_SPELLING("\xe2\x81\xa6", "%E2%81%A6");                 /* U+2066 */
	EXPECT_SPELLING("\xd8\x9c", "%D8%9C");                        /* U+061C */
	EXPECT_SPELLING("a\xe2\x80\x8b", "a%E2%80%8B");               /* U+200B */
	EXPECT_SPELLING("\xe2\x81\xa0", "%E2%81%A0");                 /* U+2060 */
	EXPECT_SPELLING("\xef\xbb\xbf", "%EF%BB%BF");                 /* U+FEFF */
	EXPECT_SPELLING("\xe2\x80\xa8\xe2\x80\xa9", "%E2%80%A8%E2%80%A9");
	EXPECT_SPELLING("\xef\xb7\x90", "%EF%B7%90");                 /* U+FDD0 */
	EXPECT_SPELLING("\xef\xbf\xbf", "%EF%BF%BF");                 /* U+FFFF */
	EXPECT_SPELLING("\xf0\x9f\xbf\xbe", "%F0%9F%BF%BE");          /* U+1FFFE */
}

static void brings_back_every_pair_of_bytes(void **state)
{
	(void)state;
	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		char bytes[2] = { (char)(pair >> 8), (char)(pair & 0xff) };
		dl_autofree char *text = dl_bytes_encode(bytes, 2);
		dl_autofree char *back = NULL;
		size_t size = 0;
		assert_int_equal(dl_bytes_decode(text, &back, &size, NULL), 0);
		assert_int_equal(size, 2);
		assert_memory_equal(back, bytes, 2);
	}
}

static void refuses_a_second_spelling_of_the_same_bytes(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"%41",		/* 'A' needs no escape */
		"%0a",		/* lower case */
		"%",	 "%0",	 "%0g", "a%zz",
		"a\nb",		/* raw control */
		"\xff",		/* raw invalid byte */
		"\xe2\x80\xae", /* raw bidirectional control */
		"%C3%A4",	/* 'ä' needs no escape */
	};
	for (size_t i = 0; i < DL_COUNT(wrong); i++) {
		char *data = NULL;
		size_t size = 0;
		struct dl_error err;
		assert_int_equal(dl_bytes_decode(wrong[i], &data, &size, &err), DL_E_INVALID);
		assert_null(data);
	}
}

static void refuses_nul_in_a_name(void **state)
{
	(void)state;
	char *text = NULL;
	assert_int_equal(dl_bytes_decode_str("a%00b", &text, NULL), DL_E_INVALID);
	assert_null(text);
	assert_int_equal(dl_bytes_decode_str("a%0Ab", &text, NULL), 0);
	assert_string_equal(text, "a\nb");
	free(text);
}

static void reads_only_lower_case_hexadecimal_of_the_exact_size(void **state)
{
	(void)state;
	unsigned char bytes[3] = { 0 };
	char text[7];
	assert_int_equal(dl_hex_decode("00afff", bytes, 3, NULL), 0);
	assert_memory_equal(bytes, "\x00\xaf\xff", 3);
	dl_hex_encode(bytes, 3, text);
	assert_string_equal(text, "00afff");
	assert_int_equal(dl_hex_decode("00AFFF", bytes, 3, NULL), DL_E_INVALID);
	assert_int_equal(dl_hex_decode("00aff", bytes, 3, NULL), DL_E_INVALID);
	assert_int_equal(dl_hex_decode("00afff0", bytes, 3, NULL), DL_E_INVALID);
	assert_int_equal(dl_hex_decode("00affg", bytes, 3, NULL), DL_E_INVALID);
	assert_int_equal(dl_hex_decode("0x0011", bytes, 3, NULL), DL_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_plain_text_as_it_is),
		cmocka_unit_test(escapes_percent_controls_and_nul),
		cmocka_unit_test(escapes_what_is_not_valid_utf8),
		cmocka_unit_test(escapes_characters_that_deceive_a_reader),
		cmocka_unit_test(brings_back_every_pair_of_bytes),
		cmocka_unit_test(refuses_a_second_spelling_of_the_same_bytes),
		cmocka_unit_test(refuses_nul_in_a_name),
		cmocka_unit_test(reads_only_lower_case_hexadecimal_of_the_exact_size),
	};
	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
