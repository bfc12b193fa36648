#include "agent/survey/scan.h"

#include "core/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dl_scan_partial(struct dl_scan *scan, const char *format, ...)
{
	if (scan->survey->coverage[scan->kind] == DL_COVERAGE_PARTIAL)
		return;
	char why[DL_ERROR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	dl_autofree char *text = dl_bytes_encode_str(why);
	dl_survey_cover(scan->survey, scan->kind, DL_COVERAGE_PARTIAL, text);
}

bool dl_scan_is_full(struct dl_scan *scan)
{
	if (scan->survey->foothold_count < scan->room &&
	    scan->survey->foothold_bytes < scan->room_bytes)
		return false;
	dl_scan_partial(scan, "there are more footholds of this kind than a survey holds");
	return true;
}

void dl_scan_add(struct dl_scan *scan, struct dl_foothold *foothold)
{
	const struct dl_survey_options *options = scan->options;
	dl_foothold_seal(foothold);
	if (options->first_seen)
		foothold->first_seen = options->first_seen(options->memory, foothold->key,
							   scan->survey->started);
	dl_survey_add(scan->survey, foothold);
}

struct dl_object *dl_scan_object(struct dl_scan *scan, struct dl_foothold *foothold,
				 const char *path, enum dl_object_role role)
{
	struct dl_error err = { 0 };
	struct dl_object object = { 0 };
	if (dl_host_object(scan->host, path, role, &object, &err) < 0) {
		dl_scan_partial(scan, "%.256s: %s", path, err.text);
		return NULL;
	}
	struct dl_object *slot = dl_foothold_add_object(foothold);
	if (slot)
		*slot = object;
	else
		dl_object_clear(&object);
	return slot;
}

int64_t dl_scan_looks_max(const struct dl_scan *scan)
{
	int64_t looks_max = dl_host_looks(scan->host) + DL_SCAN_FOOTHOLD_LOOKS;
	return looks_max < scan->looks_max ? looks_max : scan->looks_max;
}

/* One raw byte may need three in the spelling of bytes. */
char *dl_scan_text(const char *raw, size_t limit)
{
	if (!raw)
		return NULL;
	return dl_bytes_encode(raw, strnlen(raw, limit / 3));
}

bool dl_object_is_shipped(const struct dl_object *object)
{
	return object->package && object->baseline == DL_BASELINE_SAME;
}
