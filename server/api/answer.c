#include "server/api/answer.h"

#include <string.h>
#include <strings.h>

struct later {
	struct dl_http *http;
	uint64_t request;
};

bool dl_answer_failed(struct dl_request *request, int result, const struct dl_error *err)
{
	if (result < 0)
		dl_reply_failure(request, result, err);
	return result < 0;
}

static int check_content_type(const struct dl_request *request, struct dl_error *err)
{
	static const char json[] = "application/json";
	const char *type = dl_request_header(request, "Content-Type");

	if (type && !strncasecmp(type, json, sizeof(json) - 1) &&
	    strchr("; ", type[sizeof(json) - 1]))
		return 0;
	return dl_error_set(err, DL_E_INVALID, "the body must be application/json");
}

int dl_answer_body(struct dl_request *request, const char *const *names, json_t **ret_body,
		   struct dl_error *err)
{
	size_t size;
	const char *text = dl_request_body(request, &size);
	dl_autojson *body = NULL;

	if (!size) {
		*ret_body = json_object();
		return 0;
	}
	int r = check_content_type(request, err);
	if (r < 0)
		return r;
	r = dl_json_parse(text, size, dl_request_route(request)->body_limit, &body, err);
	if (r < 0)
		return r;
	if (!json_is_object(body))
		return dl_error_set(err, DL_E_INVALID, "the body must be an object");
	r = dl_json_only(body, names, err);
	if (r < 0)
		return r;
	*ret_body = DL_TAKE(body);
	return 0;
}

int dl_answer_query_number(struct dl_request *request, const char *name, int64_t max,
			   int64_t *ret, struct dl_error *err)
{
	const char *text = dl_request_query(request, name);
	int64_t number = 0;

	if (!text)
		return 0;
	if (!*text || strlen(text) > 18 || text[strspn(text, "0123456789")])
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a number", name);
	for (; *text; text++)
		number = number * 10 + (*text - '0');
	if (number > max)
		return dl_error_set(err, DL_E_LIMIT, "'%s' is larger than %lld", name,
				    (long long)max);
	*ret = number;
	return 0;
}

int dl_answer_page(struct dl_request *request, struct dl_page *ret, struct dl_error *err)
{
	struct dl_page page = { 0 };

	int r = dl_answer_query_number(request, "cursor", INT64_MAX, &page.cursor, err);
	if (r >= 0)
		r = dl_answer_query_number(request, "limit", DL_STORE_PAGE_MAX, &page.limit, err);
	if (r < 0)
		return r;
	*ret = page;
	return 0;
}

const struct dl_actor *dl_answer_actor(const struct dl_request *request)
{
	return &dl_caller_of(request)->actor;
}

void dl_answer_json(struct dl_request *request, int status, const json_t *json)
{
	dl_autofree char *text = dl_json_text(json);

	dl_reply_text(request, status, "application/json", text);
}

void *dl_answer_later(struct dl_request *request)
{
	struct later *later = DL_NEW(struct later);

	later->http = dl_request_http(request);
	later->request = dl_request_id(request);
	return later;
}

static struct dl_request *later_request(void *arg)
{
	struct later *later = arg;
	struct dl_request *request = dl_request_find(later->http, later->request);

	free(later);
	return request;
}

void dl_answer_view(void *later, int result, json_t *view, const struct dl_error *err)
{
	struct dl_request *request = later_request(later);

	if (request && !dl_answer_failed(request, result, err))
		dl_answer_json(request, 200, view);
}

void dl_answer_nothing(void *later, int result, json_t *view, const struct dl_error *err)
{
	struct dl_request *request = later_request(later);

	(void)view;
	if (request && !dl_answer_failed(request, result, err))
		dl_reply_text(request, 200, "application/json", "{}");
}
