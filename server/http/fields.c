#include "server/http/fields.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct field {
	const char *name, *value; /* borrowed from `decoded` */
	size_t place;             /* as sent */
};

struct dl_fields {
	struct evkeyvalq decoded;
	struct field *sorted; /* by name, then by place */
	size_t count;
};

static int field_compare(const void *left, const void *right)
{
	const struct field *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->place < b->place ? -1 : a->place > b->place;
}

static size_t count_pairs(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '&';
	return count;
}

/* A browser sends each line's end as CR LF (HTML, section 4.10.22.4). Texts are
 * kept with LF, as the API's clients send them. */
static void unify_line_ends(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++)
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	*to = '\0';
}

static void fields_sort(struct dl_fields *fields, size_t room)
{
	const struct evkeyval *one;

	fields->sorted = dl_alloc(room, sizeof(*fields->sorted));
	TAILQ_FOREACH(one, &fields->decoded, next) {
		unify_line_ends(one->value);
		fields->sorted[fields->count] =
			(struct field){ one->key, one->value, fields->count };
		fields->count++;
	}
	qsort(fields->sorted, fields->count, sizeof(*fields->sorted), field_compare);
}

int dl_fields_parse(const char *text, struct dl_fields **ret_fields, struct dl_error *err)
{
	size_t pairs = count_pairs(text);
	dl_auto(dl_fields) fields = DL_NEW(struct dl_fields);

	TAILQ_INIT(&fields->decoded);
	if (pairs > DL_FIELDS_MAX)
		return dl_error_set(err, DL_E_INVALID, "%zu fields were sent; %d are allowed", pairs,
				    DL_FIELDS_MAX);
	if (strstr(text, "%00"))
		return dl_error_set(err, DL_E_INVALID, "a field holds a NUL byte");
	if (*text && evhttp_parse_query_str(text, &fields->decoded) < 0)
		return dl_error_set(err, DL_E_INVALID, "the fields are not name=value pairs");
	fields_sort(fields, pairs);
	*ret_fields = DL_TAKE(fields);
	return 0;
}

void dl_fields_free(struct dl_fields *fields)
{
	if (!fields)
		return;
	evhttp_clear_headers(&fields->decoded);
	free(fields->sorted);
	free(fields);
}

const char *dl_fields_nth(const struct dl_fields *fields, const char *name, size_t n)
{
	size_t low = 0, high = fields ? fields->count : 0;

	while (low < high) { /* the first that is not before `name` */
		size_t middle = low + (high - low) / 2;
		if (strcmp(fields->sorted[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!fields || n >= fields->count - low || strcmp(fields->sorted[low + n].name, name))
		return NULL;
	return fields->sorted[low + n].value;
}
