#include "agent/quarantine/limits.h"

#include "agent/quarantine/items.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <string.h>

#define MIB INT64_C(1048576)

struct reading {
	struct dl_limits limits;
	struct dl_error *err;
	int failure;
};

static int take_number(struct reading *reading, const char *name, const char *value, int64_t min,
		       int64_t max, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(value, &end, 10);
	if (errno || end == value || *end || *ret < min || *ret > max)
		return dl_error_set(reading->err, DL_E_INVALID,
				    "'%s' is not a number from %" PRId64 " to %" PRId64, name, min,
				    max);
	return 0;
}

static int take(struct reading *reading, const char *section, const char *name, const char *value)
{
	int64_t number = 0;
	int r;

	if (strcmp(section, "quarantine") != 0)
		return dl_error_set(reading->err, DL_E_INVALID, "there is no section '%s'", section);
	if (strcmp(name, "max_mib") == 0) {
		r = take_number(reading, name, value, 1, DL_LIMITS_MIB_MAX, &number);
		if (r == 0)
			reading->limits.max_bytes = number * MIB;
		return r;
	}
	if (strcmp(name, "purge_after_days") == 0)
		return take_number(reading, name, value, 0, DL_LIMITS_DAYS_MAX,
				   &reading->limits.purge_after_days);
	return dl_error_set(reading->err, DL_E_INVALID, "there is no setting '%s'", name);
}

/* inih's handler: 0 is failure. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;

	if (reading->failure == 0)
		reading->failure = take(reading, section, name, value);
	return reading->failure == 0;
}

int dl_limits_parse(const char *text, size_t size, struct dl_limits *ret, struct dl_error *err)
{
	struct reading reading = { .limits = { .max_bytes = DL_LIMITS_MIB_DEFAULT * MIB },
				   .err = err };
	int line;

	if (memchr(text, '\0', size))
		return dl_error_set(err, DL_E_INVALID, DL_LIMITS_FILE ": it holds a NUL");
	line = ini_parse_string(text, on_value, &reading);
	if (reading.failure == 0 && line != 0)
		reading.failure = dl_error_set(err, DL_E_INVALID, "it cannot be read");
	if (reading.failure < 0)
		return dl_error_prefix(err, reading.failure, DL_LIMITS_FILE ", line %d", line);
	*ret = reading.limits;
	return 0;
}

int dl_limits_read(struct dl_host *host, struct dl_limits *ret, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	size_t size = 0;
	int r = dl_host_read(host, DL_LIMITS_FILE, DL_LIMITS_FILE_MAX_BYTES, &text, &size, err);

	if (r == DL_E_NOT_FOUND)
		return dl_limits_parse("", 0, ret, err);
	return r < 0 ? r : dl_limits_parse(text, size, ret, err);
}

/* Sizes were read from a file or the wire; a sum that would overflow is past every cap. */
static int64_t bytes_of(const struct dl_plan *plan, const bool *chosen, int64_t most)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < plan->step_count; i++)
		for (size_t k = 0; chosen[i] && k < plan->steps[i].object_count; k++) {
			const struct dl_object *object = &plan->steps[i].objects[k];

			if (object->type != DL_TYPE_FILE || object->size <= 0)
				continue;
			if (object->size > most - bytes)
				return most;
			bytes += object->size;
		}
	return bytes;
}

int dl_limits_allow(const struct dl_limits *limits, struct dl_journal *journal,
		    const struct dl_plan *plan, const bool *chosen, struct dl_error *err)
{
	dl_autojson *list = NULL;
	int64_t wanted = bytes_of(plan, chosen, INT64_MAX), there;
	int r = dl_items_list(journal, &list, err);

	if (r < 0)
		return r;
	there = json_integer_value(json_object_get(list, "bytes"));
	if (there <= limits->max_bytes && wanted <= limits->max_bytes - there)
		return 0;
	return dl_error_set(err, DL_E_NO_SPACE,
			    "the quarantine holds %" PRId64 " bytes, this would add %" PRId64
			    ", and max_mib allows %" PRId64 ": purge what nobody needs",
			    there, wanted, limits->max_bytes);
}
