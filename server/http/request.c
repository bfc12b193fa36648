#include "server/http/exchange.h"

#include <event2/buffer.h>
#include <string.h>

uint64_t dl_request_id(const struct dl_request *request)
{
	return request->id;
}

struct dl_http *dl_request_http(const struct dl_request *request)
{
	return request->listener->http;
}

struct dl_request *dl_request_find(struct dl_http *http, uint64_t id)
{
	size_t place = (uint32_t)id;

	if (place >= http->slot_count || http->slots[place].generation != id >> 32)
		return NULL;
	return http->slots[place].request;
}

static void slots_grow(struct dl_http *http)
{
	size_t more = http->slot_count ? 2 * http->slot_count : 64;

	http->slots = dl_realloc(http->slots, more, sizeof(*http->slots));
	memset(http->slots + http->slot_count, 0,
	       (more - http->slot_count) * sizeof(*http->slots));
	http->slot_count = more;
}

/* A place is looked for from where the last one was found, and there are
 * always twice as many as open requests: a few looks on average. */
static uint64_t slot_take(struct dl_http *http, struct dl_request *request)
{
	if (2 * http->open_count >= http->slot_count)
		slots_grow(http);
	size_t place = http->slot_next;
	while (http->slots[place % http->slot_count].request)
		place++;
	place %= http->slot_count;
	http->slot_next = place + 1;
	http->slots[place].request = request;
	http->slots[place].generation++;
	http->open_count++;
	return (uint64_t)http->slots[place].generation << 32 | place;
}

struct dl_request *dl_request_new(struct dl_listener *listener, struct dl_connection *connection,
				  struct evhttp_request *evhttp_request)
{
	struct dl_request *request = DL_NEW(struct dl_request);
	uint16_t port;
	const char *uri = evhttp_request_get_uri(evhttp_request);

	request->listener = listener;
	request->connection = connection;
	request->evhttp_request = evhttp_request;
	request->id = slot_take(listener->http, request);
	request->raw_path = dl_strndup(uri, strcspn(uri, "?"));
	request->path = evhttp_uridecode(request->raw_path, 0, NULL);
	evhttp_connection_get_peer(evhttp_request_get_connection(evhttp_request), &request->peer,
				   &port);
	return request;
}

void dl_request_free(struct dl_request *request)
{
	struct dl_http *http = request->listener->http;

	http->slots[(uint32_t)request->id].request = NULL;
	http->open_count--;
	if (request->release)
		request->release(request->attached);
	if (request->timer)
		event_free(request->timer);
	for (size_t i = 0; i < request->param_count; i++) {
		free(request->params[i].name);
		free(request->params[i].value);
	}
	dl_fields_free(request->query);
	dl_fields_free(request->form);
	free(request->cookie);
	free(request->raw_path);
	free(request->path);
	free(request);
}

void dl_request_lost(struct dl_request *request)
{
	dl_wake_fn wake = DL_TAKE(request->wake);

	/* evhttp lets go of a request whose connection failed: it is ours then. */
	struct evhttp_request *orphan = request->evhttp_request;
	bool ours = !evhttp_request_get_connection(orphan);

	request->connection = NULL;
	if (wake)
		wake(request, DL_WAKE_DISCONNECT, request->wake_arg);
	dl_request_free(request);
	if (ours)
		evhttp_request_free(orphan);
}

const char *dl_request_method(const struct dl_request *request)
{
	switch (evhttp_request_get_command(request->evhttp_request)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	default:
		return "";
	}
}

const char *dl_request_path(const struct dl_request *request)
{
	return request->path;
}

const char *dl_request_raw_path(const struct dl_request *request)
{
	return request->raw_path;
}

const char *dl_request_target(const struct dl_request *request)
{
	return evhttp_request_get_uri(request->evhttp_request);
}

const char *dl_request_peer(const struct dl_request *request)
{
	return request->peer;
}

bool dl_request_is_tls(const struct dl_request *request)
{
	return request->listener->tls;
}

const char *dl_request_header(const struct dl_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->evhttp_request), name);
}

/* RFC 6265, section 4.2.1: name=value pairs with "; " between. */
const char *dl_request_cookie(const struct dl_request *request, const char *name)
{
	struct dl_request *owner = (struct dl_request *)request;
	const char *header = dl_request_header(request, "Cookie");
	size_t name_size = strlen(name);

	while (header && *header) {
		size_t size = strcspn(header, ";");
		if (size > name_size && header[name_size] == '=' && !strncmp(header, name, name_size)) {
			free(owner->cookie);
			return owner->cookie = dl_strndup(header + name_size + 1,
							  size - name_size - 1);
		}
		header += size;
		header += strspn(header, "; ");
	}
	return NULL;
}

static int read_form(struct dl_request *request, struct dl_error *err)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = dl_request_header(request, "Content-Type");
	size_t size;

	if (!type || strncasecmp(type, form, sizeof(form) - 1))
		return 0;
	const char *body = dl_request_body(request, &size);
	if (strlen(body) != size)
		return dl_error_set(err, DL_E_INVALID, "the form holds a NUL byte");
	return dl_fields_parse(body, &request->form, err);
}

int dl_request_read_fields(struct dl_request *request, struct dl_error *err)
{
	const char *query = strchr(dl_request_target(request), '?');
	int r = query ? dl_fields_parse(query + 1, &request->query, err) : 0;

	return r < 0 ? r : read_form(request, err);
}

const char *dl_request_query(const struct dl_request *request, const char *name)
{
	return dl_fields_nth(request->query, name, 0);
}

const char *dl_request_form_nth(const struct dl_request *request, const char *name, size_t n)
{
	return dl_fields_nth(request->form, name, n);
}

const char *dl_request_form(const struct dl_request *request, const char *name)
{
	return dl_request_form_nth(request, name, 0);
}

const char *dl_request_body(struct dl_request *request, size_t *ret_size)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request->evhttp_request);

	if (!request->body_ended)
		evbuffer_add(body, "", 1);
	request->body_ended = true;
	*ret_size = evbuffer_get_length(body) - 1;
	return (const char *)evbuffer_pullup(body, -1);
}

const char *dl_request_param(const struct dl_request *request, const char *name)
{
	for (size_t i = 0; i < request->param_count; i++)
		if (!strcmp(request->params[i].name, name))
			return request->params[i].value;
	return NULL;
}

int dl_request_param_id(const struct dl_request *request, const char *name, int64_t *ret_id,
			struct dl_error *err)
{
	const char *text = dl_request_param(request, name);
	int64_t id = 0;

	if (!text || *text < '1' || *text > '9' || strlen(text) > 18)
		return dl_error_set(err, DL_E_NOT_FOUND, "there is no such thing");
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return dl_error_set(err, DL_E_NOT_FOUND, "there is no such thing");
		id = id * 10 + (*text - '0');
	}
	*ret_id = id;
	return 0;
}

void dl_request_set_param(struct dl_request *request, size_t n, const char *name,
			  size_t name_size, const char *raw, size_t raw_size)
{
	dl_autofree char *encoded = dl_strndup(raw, raw_size);

	request->params[n].name = dl_strndup(name, name_size);
	request->params[n].value = evhttp_uridecode(encoded, 0, NULL);
	request->param_count = n + 1;
}

const struct dl_route *dl_request_route(const struct dl_request *request)
{
	return request->route;
}

const struct dl_route_table *dl_request_table(const struct dl_request *request)
{
	return request->table;
}

const struct dl_router *dl_request_router(const struct dl_request *request)
{
	return request->listener->router;
}

void dl_request_set_route(struct dl_request *request, const struct dl_route *route,
			  const struct dl_route_table *table)
{
	request->route = route;
	request->table = table;
}

void dl_request_attach(struct dl_request *request, void *value, void (*release)(void *value))
{
	if (request->release)
		request->release(request->attached);
	request->attached = value;
	request->release = release;
}

void *dl_request_attached(const struct dl_request *request)
{
	return request->attached;
}
