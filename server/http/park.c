/* Requests that wait: parked ones (long polls) and those a handler left open. */
#include "server/http/exchange.h"

static void request_set_timer(struct dl_request *request, int64_t ms, event_callback_fn call)
{
	struct timeval time = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (request->timer)
		event_free(request->timer);
	request->timer = evtimer_new(request->listener->http->base, call, request);
	evtimer_add(request->timer, &time);
}

static void request_call_wake(struct dl_request *request, enum dl_wake why)
{
	dl_wake_fn wake = DL_TAKE(request->wake);
	uint64_t id = request->id;
	struct dl_http *http = request->listener->http;

	wake(request, why, request->wake_arg);
	if (dl_request_find(http, id))
		dl_request_left_open(request);
}

static void request_on_park_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	/* dl_request_wake activates the same event with EV_SIGNAL as a mark. */
	request_call_wake(arg, what & EV_SIGNAL ? DL_WAKE_CALLED : DL_WAKE_TIMEOUT);
}

static void request_on_patience_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dl_reply_error(arg, 503, "timeout", "the server took too long; please try again");
}

void dl_request_park(struct dl_request *request, int64_t timeout_ms, dl_wake_fn wake, void *arg)
{
	request->wake = wake;
	request->wake_arg = arg;
	request_set_timer(request, timeout_ms, request_on_park_timer);
}

void dl_request_left_open(struct dl_request *request)
{
	if (!request->wake)
		request_set_timer(request, DL_HTTP_OPEN_SECONDS * 1000, request_on_patience_end);
	dl_connection_watch(request->connection);
}

void dl_request_wake(struct dl_http *http, uint64_t id)
{
	struct dl_request *request = dl_request_find(http, id);

	if (request && request->wake)
		event_active(request->timer, EV_SIGNAL, 0);
}

void dl_request_shutdown(struct dl_http *http)
{
	for (size_t i = 0; i < http->slot_count; i++)
		if (http->slots[i].request && http->slots[i].request->wake)
			request_call_wake(http->slots[i].request, DL_WAKE_SHUTDOWN);
}
