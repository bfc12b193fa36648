#include "core/json/json.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>

/* jansson has no switch against floats or deep nesting below its own 2048. */
static int check_value(json_t *value, int depth, struct dl_error *err)
{
	if (json_is_real(value))
		return dl_error_set(err, DL_E_INVALID, "JSON holds a number that is not an integer");
	if (depth > DL_JSON_DEPTH_MAX)
		return dl_error_set(err, DL_E_LIMIT, "JSON is nested deeper than %d",
				    DL_JSON_DEPTH_MAX);
	size_t index;
	const char *name;
	json_t *member;
	int r = 0;
	json_array_foreach(value, index, member) {
		r = check_value(member, depth + 1, err);
		if (r < 0)
			return r;
	}
	json_object_foreach(value, name, member) {
		r = check_value(member, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every value but the first stands behind one of `{ [ ,`; a member's name and
 * value share one. What is not JSON may be miscounted, but only behind the
 * place where the parser gives up: until there both agree what is a string. */
static bool has_too_many_values(const char *text, size_t size)
{
	size_t count = 0;
	bool in_string = false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += text[i] == '\\';
		else if (text[i] == '{' || text[i] == '[' || text[i] == ',')
			count++;
	}
	return count > DL_JSON_VALUES_MAX;
}

int dl_json_parse(const char *text, size_t size, size_t limit, json_t **ret_value,
		  struct dl_error *err)
{
	if (size > limit)
		return dl_error_set(err, DL_E_LIMIT, "JSON of %zu bytes exceeds %zu", size, limit);
	if (has_too_many_values(text, size))
		return dl_error_set(err, DL_E_LIMIT, "JSON holds more than %d values",
				    DL_JSON_VALUES_MAX);
	json_error_t why;
	dl_autojson *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!value) {
		/* The parser quotes foreign bytes. */
		dl_autofree char *words = dl_bytes_encode_str(why.text);
		return dl_error_set(err, DL_E_INVALID, "not JSON at byte %d: %s", why.position,
				    words);
	}
	int r = check_value(value, 1, err);
	if (r < 0)
		return r;
	*ret_value = DL_TAKE(value);
	return 0;
}

static int append_text(const char *data, size_t size, void *buf)
{
	dl_buf_append(buf, data, size);
	return 0;
}

char *dl_json_text(const json_t *value)
{
	struct dl_buf text = DL_BUF_INIT;
	if (json_dump_callback(value, append_text, &text, JSON_COMPACT) < 0) {
		fputs("dislodge: a JSON value cannot be written\n", stderr);
		abort();
	}
	return dl_buf_take(&text);
}

/* NULL for an absent or null member. */
static json_t *member_of(const json_t *object, const char *name)
{
	json_t *member = json_object_get(object, name);
	return json_is_null(member) ? NULL : member;
}

static int missing(const char *name, struct dl_error *err)
{
	return dl_error_set(err, DL_E_INVALID, "'%s' is missing", name);
}

int dl_json_str_opt(const json_t *object, const char *name, size_t max_bytes, const char **ret,
		    struct dl_error *err)
{
	const json_t *member = member_of(object, name);
	if (!member)
		return 0;
	if (!json_is_string(member))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a text", name);
	size_t size = json_string_length(member);
	if (size > max_bytes)
		return dl_error_set(err, DL_E_LIMIT, "'%s' is longer than %zu bytes", name,
				    max_bytes);
	if (strlen(json_string_value(member)) != size)
		return dl_error_set(err, DL_E_INVALID, "'%s' holds a NUL byte", name);
	*ret = json_string_value(member);
	return 0;
}

int dl_json_str(const json_t *object, const char *name, size_t max_bytes, const char **ret,
		struct dl_error *err)
{
	if (!member_of(object, name))
		return missing(name, err);
	return dl_json_str_opt(object, name, max_bytes, ret, err);
}

int dl_json_words_opt(const json_t *object, const char *name, size_t max_bytes, char **ret,
		      struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_str_opt(object, name, max_bytes, &text, err);
	if (r < 0)
		return r;
	if (text)
		*ret = dl_strdup(text);
	return 0;
}

int dl_json_bytes_opt(const json_t *object, const char *name, size_t max_bytes, char **ret,
		      struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_str_opt(object, name, max_bytes, &text, err);
	if (r < 0 || !text)
		return r;
	dl_autofree char *bytes = NULL;
	r = dl_bytes_decode_str(text, &bytes, err);
	if (r < 0)
		return dl_error_prefix(err, r, "'%s'", name);
	*ret = dl_strdup(text);
	return 0;
}

int dl_json_int_opt(const json_t *object, const char *name, int64_t min, int64_t max,
		    int64_t *ret, struct dl_error *err)
{
	const json_t *member = member_of(object, name);
	if (!member)
		return 0;
	if (!json_is_integer(member))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not an integer", name);
	int64_t value = json_integer_value(member);
	if (value < min || value > max)
		return dl_error_set(err, DL_E_INVALID, "'%s' is out of range", name);
	*ret = value;
	return 0;
}

int dl_json_int(const json_t *object, const char *name, int64_t min, int64_t max, int64_t *ret,
		struct dl_error *err)
{
	if (!member_of(object, name))
		return missing(name, err);
	return dl_json_int_opt(object, name, min, max, ret, err);
}

int dl_json_bool_opt(const json_t *object, const char *name, bool *ret, struct dl_error *err)
{
	const json_t *member = member_of(object, name);
	if (!member)
		return 0;
	if (!json_is_boolean(member))
		return dl_error_set(err, DL_E_INVALID, "'%s' is neither true nor false", name);
	*ret = json_is_true(member);
	return 0;
}

int dl_json_object(const json_t *object, const char *name, json_t **ret, struct dl_error *err)
{
	json_t *member = member_of(object, name);
	if (!member)
		return missing(name, err);
	if (!json_is_object(member))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not an object", name);
	*ret = member;
	return 0;
}

int dl_json_array_opt(const json_t *object, const char *name, size_t max_items, json_t **ret,
		      struct dl_error *err)
{
	json_t *member = member_of(object, name);
	if (!member)
		return 0;
	if (!json_is_array(member))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a list", name);
	if (json_array_size(member) > max_items)
		return dl_error_set(err, DL_E_LIMIT, "'%s' has more than %zu entries", name,
				    max_items);
	*ret = member;
	return 0;
}

int dl_json_array(const json_t *object, const char *name, size_t max_items, json_t **ret,
		  struct dl_error *err)
{
	if (!member_of(object, name))
		return missing(name, err);
	return dl_json_array_opt(object, name, max_items, ret, err);
}

int dl_json_hex(const json_t *object, const char *name, size_t bytes, const char **ret,
		struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_str(object, name, 2 * bytes, &text, err);
	if (r < 0)
		return r;
	dl_autofree unsigned char *data = dl_alloc(bytes, 1);
	r = dl_hex_decode(text, data, bytes, err);
	if (r < 0)
		return dl_error_prefix(err, r, "'%s'", name);
	*ret = text;
	return 0;
}

static bool is_named(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int dl_json_only(const json_t *object, const char *const *names, struct dl_error *err)
{
	if (!json_is_object(object))
		return dl_error_set(err, DL_E_INVALID, "not an object");
	const char *name;
	json_t *member;
	json_object_foreach((json_t *)object, name, member) {
		if (is_named(names, name))
			continue;
		dl_autofree char *words = dl_bytes_encode_str(name);
		return dl_error_set(err, DL_E_INVALID, "unknown member '%.100s'", words);
	}
	return 0;
}

void dl_json_put(json_t *object, const char *name, json_t *value)
{
	if (value && json_object_set_new(object, name, value) == 0)
		return;
	fprintf(stderr, "dislodge: JSON member '%s' cannot be made\n", name);
	abort();
}

void dl_json_put_str(json_t *object, const char *name, const char *text)
{
	if (!text)
		return;
	json_t *value = json_string(text);
	if (!value) {
		dl_autofree char *spelled = dl_bytes_encode_str(text);
		value = json_string(spelled);
	}
	dl_json_put(object, name, value);
}

void dl_json_put_int(json_t *object, const char *name, int64_t value)
{
	dl_json_put(object, name, json_integer(value));
}

void dl_json_put_bool(json_t *object, const char *name, bool value)
{
	dl_json_put(object, name, json_boolean(value));
}
