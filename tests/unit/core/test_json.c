#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 4096 };

static int parse(const char *text, json_t **ret)
{
	struct dl_error err;
	return dl_json_parse(text, strlen(text), LIMIT, ret, &err);
}

static json_t *must_parse(const char *text)
{
	json_t *value = NULL;
	assert_int_equal(parse(text, &value), 0);
	assert_non_null(value);
	return value;
}

static void refuses_what_is_not_one_strict_value(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",		     "{",		"{} x",		 "{}{}",	"[1,]",
		"{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"\\u0000\":1}", "\"text\"", "1",
		"true",		     "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "{'a':1}",
		"{\"a\":0x10}",	     "{\"a\":01}",	"{\"a\":NaN}",	 "{a:1}",	"[1] // x",
		"{\"a\":99999999999999999999}",
	};
	for (size_t i = 0; i < DL_COUNT(wrong); i++) {
		json_t *value = NULL;
		assert_int_equal(parse(wrong[i], &value), DL_E_INVALID);
		assert_null(value);
	}
}

static void refuses_a_nul_byte_after_the_value(void **state)
{
	(void)state;
	json_t *value = NULL;
	assert_int_equal(dl_json_parse("{}\0", 3, LIMIT, &value, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_parse("{\"a\":\"\0\"}", 9, LIMIT, &value, NULL), DL_E_INVALID);
}

static void refuses_floats_wherever_they_stand(void **state)
{
	(void)state;
	json_t *value = NULL;
	assert_int_equal(parse("{\"a\":1.5}", &value), DL_E_INVALID);
	assert_int_equal(parse("{\"a\":[{\"b\":1e3}]}", &value), DL_E_INVALID);
	assert_int_equal(parse("[0.0]", &value), DL_E_INVALID);
	assert_null(value);
}

static void refuses_more_bytes_than_allowed_before_parsing(void **state)
{
	(void)state;
	json_t *value = NULL;
	assert_int_equal(dl_json_parse("{}    ", 6, 5, &value, NULL), DL_E_LIMIT);
	assert_int_equal(dl_json_parse("((((((", 6, 5, &value, NULL), DL_E_LIMIT);
	assert_int_equal(dl_json_parse("{}   ", 5, 5, &value, NULL), 0);
	json_decref(value);
}

static int parse_nested(int depth, char open, char close)
{
	dl_autobuf text = DL_BUF_INIT;
	dl_autojson *value = NULL;
	for (int i = 0; i < depth; i++)
		dl_buf_append(&text, &open, 1);
	for (int i = 0; i < depth; i++)
		dl_buf_append(&text, &close, 1);
	return dl_json_parse(text.data, text.size, 100000, &value, NULL);
}

static void refuses_nesting_deeper_than_the_limit(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(DL_JSON_DEPTH_MAX, '[', ']'), 0);
	assert_int_equal(parse_nested(DL_JSON_DEPTH_MAX + 1, '[', ']'), DL_E_LIMIT);
	assert_true(parse_nested(30000, '[', ']') < 0);
}

/* "[" PIECE,PIECE,… "]" with `count` pieces. */
static int parse_repeated(const char *piece, int count)
{
	dl_autobuf text = DL_BUF_INIT;
	dl_autojson *value = NULL;
	for (int i = 0; i < count; i++) {
		dl_buf_puts(&text, i ? "," : "[");
		dl_buf_puts(&text, piece);
	}
	dl_buf_puts(&text, "]");
	return dl_json_parse(text.data, text.size, text.size, &value, NULL);
}

static void refuses_more_values_than_memory_allows(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("1", DL_JSON_VALUES_MAX), 0);
	assert_int_equal(parse_repeated("1", DL_JSON_VALUES_MAX + 1), DL_E_LIMIT);
	assert_int_equal(parse_repeated("[]", DL_JSON_VALUES_MAX / 2 + 1), DL_E_LIMIT);
	assert_int_equal(parse_repeated("{\"a\":{}}", DL_JSON_VALUES_MAX / 3 + 1), DL_E_LIMIT);
	assert_int_equal(parse_repeated("\"\\\\\",1", DL_JSON_VALUES_MAX / 2 + 1), DL_E_LIMIT);
}

static void does_not_take_the_words_of_a_text_for_values(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("\",,,,\\\"[[[[{{{{\"", DL_JSON_VALUES_MAX / 10), 0);
}

static void writes_members_in_the_order_they_came(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{ \"z\": 1, \"a\" : [true, null, \"ä\"] }");
	dl_autofree char *text = dl_json_text(value);
	assert_string_equal(text, "{\"z\":1,\"a\":[true,null,\"ä\"]}");
}

static void reads_members_of_the_expected_type(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"s\":\"abc\",\"i\":-3,\"b\":true,\"o\":{},\"a\":[1]}");
	const char *text = NULL;
	int64_t number = 0;
	bool truth = false;
	json_t *member = NULL;
	assert_int_equal(dl_json_str(value, "s", 3, &text, NULL), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(dl_json_int(value, "i", -3, 0, &number, NULL), 0);
	assert_int_equal(number, -3);
	assert_int_equal(dl_json_bool_opt(value, "b", &truth, NULL), 0);
	assert_true(truth);
	assert_int_equal(dl_json_object(value, "o", &member, NULL), 0);
	assert_int_equal(dl_json_array(value, "a", 1, &member, NULL), 0);
	assert_int_equal(json_array_size(member), 1);
}

static void names_the_member_that_breaks_its_bounds(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"s\":\"abc\",\"i\":7,\"a\":[1,2]}");
	const char *text = NULL;
	int64_t number = 0;
	json_t *member = NULL;
	struct dl_error err;
	assert_int_equal(dl_json_str(value, "s", 2, &text, &err), DL_E_LIMIT);
	assert_non_null(strstr(err.text, "'s'"));
	assert_int_equal(dl_json_int(value, "i", 0, 6, &number, &err), DL_E_INVALID);
	assert_non_null(strstr(err.text, "'i'"));
	assert_int_equal(dl_json_int(value, "i", 8, 9, &number, &err), DL_E_INVALID);
	assert_int_equal(dl_json_array(value, "a", 1, &member, &err), DL_E_LIMIT);
	assert_int_equal(dl_json_str(value, "absent", 2, &text, &err), DL_E_INVALID);
	assert_non_null(strstr(err.text, "'absent'"));
	assert_null(text);
	assert_null(member);
}

static void refuses_members_of_another_type(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"s\":\"1\",\"i\":1,\"n\":null,\"t\":true}");
	const char *text = NULL;
	int64_t number = 5;
	bool truth = true;
	json_t *member = NULL;
	assert_int_equal(dl_json_int(value, "s", 0, 9, &number, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_int(value, "t", 0, 9, &number, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_str(value, "i", 9, &text, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_bool_opt(value, "i", &truth, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_object(value, "s", &member, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_array(value, "s", 9, &member, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_str(value, "n", 9, &text, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_object(value, "n", &member, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_array(value, "n", 9, &member, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_int(value, "n", 0, 9, &number, NULL), DL_E_INVALID);
	assert_int_equal(number, 5);
}

static void leaves_the_default_for_absent_and_null_members(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"n\":null}");
	const char *text = "default";
	int64_t number = 5;
	bool truth = true;
	json_t *member = NULL;
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "n" : "absent";
		assert_int_equal(dl_json_str_opt(value, name, 9, &text, NULL), 0);
		assert_int_equal(dl_json_int_opt(value, name, 0, 9, &number, NULL), 0);
		assert_int_equal(dl_json_bool_opt(value, name, &truth, NULL), 0);
		assert_int_equal(dl_json_array_opt(value, name, 9, &member, NULL), 0);
	}
	assert_string_equal(text, "default");
	assert_int_equal(number, 5);
	assert_true(truth);
	assert_null(member);
}

static void reads_hexadecimal_of_the_exact_size(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"h\":\"00ff\",\"u\":\"00FF\"}");
	const char *text = NULL;
	assert_int_equal(dl_json_hex(value, "h", 2, &text, NULL), 0);
	assert_string_equal(text, "00ff");
	assert_int_equal(dl_json_hex(value, "h", 1, &text, NULL), DL_E_LIMIT);
	assert_int_equal(dl_json_hex(value, "h", 3, &text, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_hex(value, "u", 2, &text, NULL), DL_E_INVALID);
}

static void reads_byte_strings_only_in_their_one_spelling(void **state)
{
	(void)state;
	dl_autojson *value = must_parse("{\"good\":\"/a%0Ab\",\"bad\":\"/%41\",\"nul\":\"%00\"}");
	dl_autofree char *text = NULL;
	assert_int_equal(dl_json_bytes_opt(value, "good", 99, &text, NULL), 0);
	assert_string_equal(text, "/a%0Ab");
	char *none = NULL;
	assert_int_equal(dl_json_bytes_opt(value, "bad", 99, &none, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_bytes_opt(value, "nul", 99, &none, NULL), DL_E_INVALID);
	assert_int_equal(dl_json_bytes_opt(value, "good", 3, &none, NULL), DL_E_LIMIT);
	assert_int_equal(dl_json_bytes_opt(value, "absent", 99, &none, NULL), 0);
	assert_null(none);
}

static void refuses_members_nobody_expects(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", NULL };
	dl_autojson *good = must_parse("{\"b\":1}");
	dl_autojson *bad = must_parse("{\"a\":1,\"B\":2}");
	dl_autojson *array = must_parse("[]");
	struct dl_error err;
	assert_int_equal(dl_json_only(good, names, &err), 0);
	assert_int_equal(dl_json_only(bad, names, &err), DL_E_INVALID);
	assert_non_null(strstr(err.text, "'B'"));
	assert_int_equal(dl_json_only(array, names, &err), DL_E_INVALID);
}

static void writes_hostile_bytes_instead_of_dropping_them(void **state)
{
	(void)state;
	dl_autojson *object = json_object();
	dl_json_put_str(object, "name", "a\xff");
	dl_json_put_str(object, "none", NULL);
	dl_json_put_int(object, "number", INT64_MIN);
	dl_json_put_bool(object, "truth", false);
	dl_autofree char *text = dl_json_text(object);
	assert_string_equal(
		text, "{\"name\":\"a%FF\",\"number\":-9223372036854775808,\"truth\":false}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_one_strict_value),
		cmocka_unit_test(refuses_a_nul_byte_after_the_value),
		cmocka_unit_test(refuses_floats_wherever_they_stand),
		cmocka_unit_test(refuses_more_bytes_than_allowed_before_parsing),
		cmocka_unit_test(refuses_nesting_deeper_than_the_limit),
		cmocka_unit_test(refuses_more_values_than_memory_allows),
		cmocka_unit_test(does_not_take_the_words_of_a_text_for_values),
		cmocka_unit_test(writes_members_in_the_order_they_came),
		cmocka_unit_test(reads_members_of_the_expected_type),
		cmocka_unit_test(names_the_member_that_breaks_its_bounds),
		cmocka_unit_test(refuses_members_of_another_type),
		cmocka_unit_test(leaves_the_default_for_absent_and_null_members),
		cmocka_unit_test(reads_hexadecimal_of_the_exact_size),
		cmocka_unit_test(reads_byte_strings_only_in_their_one_spelling),
		cmocka_unit_test(refuses_members_nobody_expects),
		cmocka_unit_test(writes_hostile_bytes_instead_of_dropping_them),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
