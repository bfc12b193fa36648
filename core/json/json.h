/* JSON: jansson under our limits.
 *
 * Text is parsed only after its size and the number of its values were
 * checked; duplicate keys, bad UTF-8, embedded NUL, trailing bytes and floats
 * are refused. Readers take members
 * out of an object with the type and bounds they expect and say the member's
 * name when it breaks them; dl_json_only refuses members nobody expects, which
 * makes a schema closed.
 */
#ifndef DL_CORE_JSON_JSON_H
#define DL_CORE_JSON_JSON_H

#include "core/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void dl_json_release(json_t **pointer)
{
	json_decref(*pointer);
}

/* `dl_autojson *object = …;` drops its reference at the scope's end. */
#define dl_autojson __attribute__((cleanup(dl_json_release))) json_t

enum {
	DL_JSON_DEPTH_MAX = 32, /* nesting */

	/* Values in one text, counted before parsing. Measured with jansson 2.14: a
	 * value costs up to 296 bytes of memory (objects of one member, nested) and
	 * as little as two bytes of text, so that 8 MiB would grow to a gigabyte;
	 * this many stay under 120 MB. The densest survey of DL_SURVEY_MAX_BYTES
	 * (core/plan) holds one in 12 bytes: 350,000. */
	DL_JSON_VALUES_MAX = 384 * 1024,
};

/* Parses one object or array of at most `limit` bytes. */
int dl_json_parse(const char *text, size_t size, size_t limit, json_t **ret_value,
		  struct dl_error *err);

/* Compact text with members in insertion order; owned by the caller. The
 * value is an object or array built by the program or by dl_json_parse. */
char *dl_json_text(const json_t *value);

/* Member readers. Absent or null members of the _opt forms leave *ret
 * untouched. Returned strings and values are borrowed from `object`. */
int dl_json_str(const json_t *object, const char *name, size_t max_bytes, const char **ret,
		struct dl_error *err);
int dl_json_str_opt(const json_t *object, const char *name, size_t max_bytes, const char **ret,
		    struct dl_error *err);
int dl_json_int(const json_t *object, const char *name, int64_t min, int64_t max, int64_t *ret,
		struct dl_error *err);
int dl_json_int_opt(const json_t *object, const char *name, int64_t min, int64_t max,
		    int64_t *ret, struct dl_error *err);
int dl_json_bool_opt(const json_t *object, const char *name, bool *ret, struct dl_error *err);
int dl_json_object(const json_t *object, const char *name, json_t **ret, struct dl_error *err);
int dl_json_array(const json_t *object, const char *name, size_t max_items, json_t **ret,
		  struct dl_error *err);
int dl_json_array_opt(const json_t *object, const char *name, size_t max_items, json_t **ret,
		      struct dl_error *err);

/* A byte string: text that must be in the one spelling of core/base/bytes.h
 * and without NUL; it keeps that spelling. *ret is owned by the caller, and
 * untouched when the member is absent. */
int dl_json_bytes_opt(const json_t *object, const char *name, size_t max_bytes, char **ret,
		      struct dl_error *err);

/* Any UTF-8 text without NUL; *ret is owned by the caller, untouched when absent. */
int dl_json_words_opt(const json_t *object, const char *name, size_t max_bytes, char **ret,
		      struct dl_error *err);

/* Exactly `2 * bytes` lower-case hexadecimal digits. */
int dl_json_hex(const json_t *object, const char *name, size_t bytes, const char **ret,
		struct dl_error *err);

/* Refuses members not in `names` (NULL-terminated). */
int dl_json_only(const json_t *object, const char *const *names, struct dl_error *err);

/* Writers. A NULL text is left out; text that is not UTF-8 is written in the
 * spelling of core/base/bytes.h, so that nothing disappears unseen. */
void dl_json_put_str(json_t *object, const char *name, const char *text);
void dl_json_put_int(json_t *object, const char *name, int64_t value);
void dl_json_put_bool(json_t *object, const char *name, bool value);
/* Takes the reference. */
void dl_json_put(json_t *object, const char *name, json_t *value);

#endif
