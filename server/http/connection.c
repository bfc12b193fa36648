/* One connection: a filter between the socket (or TLS) and evhttp.
 *
 * Bytes are held back until a whole request is here, checked and within its
 * limits; only then evhttp sees it. What is refused reaches evhttp as a
 * stand-in request, so that the refusal is answered like everything else.
 * While a request is being answered nothing more is let through: evhttp ends
 * the process when it reads in that state. And an answer counts as sent only
 * when the kernel has it: evhttp closes right after that, whatever is left.
 */
#include "server/http/loop.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	INPUT_ROOM = 32 * 1024,               /* read ahead of what is being collected */
	SWALLOW_MAX_BYTES = 16 * 1024 * 1024, /* of a refused body, so that the refusal is read */
};

static const char stand_in[] = "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

enum connection_state {
	READING_HEAD,
	READING_BODY,
	SWALLOWING, /* the body of a refused request */
	BUSY,       /* evhttp has a whole request */
	OVER,       /* refused; the connection closes after the answer */
};

struct dl_connection {
	struct dl_listener *listener;
	struct bufferevent *filter, *socket;
	enum connection_state state;
	int fd;
	size_t scanned; /* of the head: bytes known not to end it */
	size_t wanted;  /* bytes of the request, or left to swallow */
	size_t counted; /* of them in http->collected */
	bool answering; /* an answer is on its way to the kernel */
	struct event *deadline, *resume, *departure;
	struct dl_refusal refusal;
	char refused_path[DL_HTTP_WORDS_SIZE]; /* picks the form of the answer */
	struct dl_request *request;
};

static void connection_arm(struct dl_connection *connection, int seconds)
{
	struct timeval time = { .tv_sec = seconds };
	evtimer_add(connection->deadline, &time);
}

/* evhttp takes its callbacks off when it frees the buffer, whose memory lives
 * until the loop comes round: an event that was due just then must not touch it. */
static bool connection_is_alive(struct dl_connection *connection)
{
	bufferevent_event_cb callback;

	bufferevent_getcb(connection->filter, NULL, NULL, &callback, NULL);
	return callback;
}

static void connection_refuse(struct dl_connection *connection, int status, const char *words)
{
	connection->refusal.status = status;
	snprintf(connection->refusal.words, sizeof(connection->refusal.words), "%.*s",
		 DL_HTTP_WORDS_SIZE - 1, words);
}

static void connection_give_refusal(struct dl_connection *connection, struct evbuffer *to)
{
	connection->state = OVER;
	evtimer_del(connection->deadline);
	evbuffer_add(to, stand_in, sizeof(stand_in) - 1);
}

/* Bytes that came with a body and were not answered yet, in what all
 * connections hold together. */
static void connection_count(struct dl_connection *connection, size_t bytes)
{
	struct dl_http *http = connection->listener->http;

	http->collected += bytes - connection->counted;
	connection->counted = bytes;
}

/* Those who send little go on when many large bodies fill what they may. */
static bool connection_may_hold(const struct dl_connection *connection, size_t bytes)
{
	const struct dl_http *http = connection->listener->http;
	size_t most = connection->wanted > DL_HTTP_HEAD_MAX_BYTES + DL_ROUTE_SMALL_BODY_BYTES ?
			      DL_HTTP_LARGE_COLLECTED_MAX_BYTES : DL_HTTP_COLLECTED_MAX_BYTES;

	return http->collected - connection->counted + bytes <= most;
}

/* The end of the head: an LF with an empty line behind it, in any spelling
 * (the check refuses all but one). 0: not here yet. */
static size_t find_head_end(const char *data, size_t size, size_t from)
{
	for (size_t i = from; i < size; i++) {
		if (data[i] != '\n')
			continue;
		if (i + 1 < size && data[i + 1] == '\n')
			return i + 2;
		if (i + 2 < size && data[i + 1] == '\r' && data[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

static void note_path(struct dl_connection *connection, const struct dl_precheck *check)
{
	if (check->path && check->path_size < sizeof(connection->refused_path))
		memcpy(connection->refused_path, check->path, check->path_size);
}

/* Reads no further than the request needs: a flood stays in the peer's kernel. */
static void connection_set_room(struct dl_connection *connection, size_t bytes)
{
	bufferevent_setwatermark(connection->socket, EV_READ, 0,
				 bytes > INPUT_ROOM ? bytes : INPUT_ROOM);
}

/* After the head: either collect the body, or throw a refused one away. */
static void connection_expect_body(struct dl_connection *connection, size_t head_size,
				   const struct dl_precheck *check)
{
	size_t length = (size_t)check->content_length;
	size_t limit = dl_router_body_limit(connection->listener->router, check->method,
					    check->path, check->path_size);

	connection_arm(connection, DL_HTTP_BODY_SECONDS);
	if (length > limit) {
		connection_refuse(connection, 413, "the body is larger than this route takes");
		note_path(connection, check);
		connection->state = SWALLOWING;
		connection->wanted = head_size + length;
		if (check->expects_continue || length > SWALLOW_MAX_BYTES)
			connection->wanted = 0;
		return;
	}
	connection->state = READING_BODY;
	connection->wanted = head_size + length;
	connection_set_room(connection, connection->wanted);
	if (check->expects_continue)
		bufferevent_write(connection->socket, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static void connection_read_head(struct dl_connection *connection, struct evbuffer *from)
{
	struct dl_precheck check;
	struct dl_error err;
	size_t size = evbuffer_get_length(from);

	if (size > DL_HTTP_HEAD_MAX_BYTES)
		size = DL_HTTP_HEAD_MAX_BYTES;
	if (!evtimer_pending(connection->deadline, NULL))
		connection_arm(connection, DL_HTTP_HEAD_SECONDS);
	const char *head = (const char *)evbuffer_pullup(from, (ev_ssize_t)size);
	size_t end = find_head_end(head, size, connection->scanned);
	if (!end && size == DL_HTTP_HEAD_MAX_BYTES) {
		connection_refuse(connection, 431, "the head is larger than 16 KiB");
		return;
	}
	if (!end) {
		connection->scanned = size > 2 ? size - 2 : 0;
		return;
	}
	connection->scanned = 0;
	int status = dl_precheck_head(head, end, &check, &err);
	if (!status) {
		connection_expect_body(connection, end, &check);
		return;
	}
	connection_refuse(connection, status, err.text);
	note_path(connection, &check);
}

static enum bufferevent_filter_result connection_swallow(struct dl_connection *connection,
							  struct evbuffer *from,
							  struct evbuffer *to)
{
	size_t here = evbuffer_get_length(from);
	size_t now = here < connection->wanted ? here : connection->wanted;

	evbuffer_drain(from, now);
	connection->wanted -= now;
	if (connection->wanted)
		return BEV_NEED_MORE;
	connection_give_refusal(connection, to);
	return BEV_OK;
}

static enum bufferevent_filter_result connection_pass(struct dl_connection *connection,
						       struct evbuffer *from, struct evbuffer *to)
{
	size_t here = evbuffer_get_length(from);
	size_t now = here < connection->wanted ? here : connection->wanted;

	if (!connection_may_hold(connection, now)) {
		connection_count(connection, 0);
		connection_refuse(connection, 503, "too many large requests at once; try again soon");
		connection->state = SWALLOWING;
		return connection_swallow(connection, from, to);
	}
	connection_count(connection, now);
	if (here < connection->wanted)
		return BEV_NEED_MORE;
	evbuffer_remove_buffer(from, to, connection->wanted);
	connection->state = BUSY;
	connection_set_room(connection, 0);
	evtimer_del(connection->deadline);
	return BEV_OK;
}

/* evhttp hands out no pointer of ours with a request, but the socket. */
static void connection_register(struct dl_connection *connection)
{
	struct dl_http *http = connection->listener->http;
	int fd = bufferevent_getfd(connection->socket);

	if (fd < 0)
		return;
	while ((size_t)fd >= http->by_fd_count) {
		size_t more = http->by_fd_count ? 2 * http->by_fd_count : 256;
		http->by_fd = dl_realloc(http->by_fd, more, sizeof(*http->by_fd));
		memset(http->by_fd + http->by_fd_count, 0,
		       (more - http->by_fd_count) * sizeof(*http->by_fd));
		http->by_fd_count = more;
	}
	connection->fd = fd;
	http->by_fd[fd] = connection;
}

/* The input filter. evhttp's buffer calls it whenever bytes came. */
static enum bufferevent_filter_result connection_filter(struct evbuffer *from, struct evbuffer *to,
							 ev_ssize_t limit,
							 enum bufferevent_flush_mode mode,
							 void *arg)
{
	struct dl_connection *connection = arg;

	(void)limit;
	(void)mode;
	if (connection->fd < 0)
		connection_register(connection);
	if (connection->state == READING_HEAD && evbuffer_get_length(from))
		connection_read_head(connection, from);
	switch (connection->state) {
	case READING_HEAD:
		if (!connection->refusal.status)
			return BEV_NEED_MORE;
		connection_give_refusal(connection, to);
		return BEV_OK;
	case READING_BODY:
		return connection_pass(connection, from, to);
	case SWALLOWING:
		return connection_swallow(connection, from, to);
	case OVER:
		evbuffer_drain(from, evbuffer_get_length(from));
		return BEV_NEED_MORE;
	case BUSY:
		break;
	}
	return BEV_NEED_MORE;
}

/* The output filter: everything goes on at once, but "need more" keeps the
 * library from saying that it is written; connection_on_output does. */
static enum bufferevent_filter_result connection_pass_on(struct evbuffer *from,
							  struct evbuffer *to, ev_ssize_t limit,
							  enum bufferevent_flush_mode mode,
							  void *arg)
{
	(void)limit;
	(void)mode;
	(void)arg;
	evbuffer_add_buffer(to, from);
	return BEV_NEED_MORE;
}

static void connection_on_output(struct evbuffer *output, const struct evbuffer_cb_info *info,
				 void *arg)
{
	struct dl_connection *connection = arg;

	if (!connection->answering || !info->n_deleted || evbuffer_get_length(output))
		return;
	connection->answering = false;
	bufferevent_trigger(connection->filter, EV_WRITE,
			    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* evhttp put an answer into the filter while writing was off: the filter does
 * not look at it by itself. */
void dl_connection_flush(struct dl_connection *connection)
{
	connection->answering = true;
	bufferevent_flush(connection->filter, EV_WRITE, BEV_NORMAL);
}

/* The client was too slow. One that has sent nothing at all is just cut off. */
static void connection_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct dl_connection *connection = arg;

	(void)fd;
	(void)what;
	if (!connection_is_alive(connection))
		return;
	if (connection->state == READING_HEAD &&
	    !evbuffer_get_length(bufferevent_get_input(connection->socket))) {
		bufferevent_trigger_event(connection->filter, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
		return;
	}
	if (!connection->refusal.status)
		connection_refuse(connection, 408, "the request did not arrive in 20 seconds");
	connection_give_refusal(connection, bufferevent_get_input(connection->filter));
	bufferevent_trigger(connection->filter, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
}

/* The answer is out: look at what came meanwhile. */
static void connection_on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct dl_connection *connection = arg;

	(void)fd;
	(void)what;
	if (connection_is_alive(connection) &&
	    bufferevent_flush(connection->filter, EV_READ, BEV_FLUSH) > 0)
		bufferevent_trigger(connection->filter, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
}

/* The client left, or sent something before it had its answer: pipelining is
 * not offered, and TLS says goodbye in bytes too. */
static void connection_on_departure(evutil_socket_t fd, short what, void *arg)
{
	struct dl_connection *connection = arg;
	struct evhttp_connection *evcon;
	bufferevent_event_cb callback;
	char byte;

	(void)what;
	if (!connection_is_alive(connection))
		return;
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(connection->departure, NULL);
		return;
	}
	bufferevent_getcb(connection->filter, NULL, NULL, &callback, (void **)&evcon);
	evhttp_connection_free(evcon);
}

static void connection_on_close(struct evhttp_connection *evcon, void *arg)
{
	struct dl_connection *connection = arg;

	(void)evcon;
	if (connection->departure)
		event_del(connection->departure);
	if (connection->request)
		dl_request_lost(DL_TAKE(connection->request));
}

static void connection_free(void *arg)
{
	struct dl_connection *connection = arg;
	struct dl_http *http = connection->listener->http;

	connection_count(connection, 0);
	if (connection->fd >= 0 && http->by_fd[connection->fd] == connection)
		http->by_fd[connection->fd] = NULL;
	/* The socket's buffer is let go a little later than this. */
	evbuffer_remove_cb(bufferevent_get_output(connection->socket), connection_on_output,
			   connection);
	event_free(connection->deadline);
	event_free(connection->resume);
	if (connection->departure)
		event_free(connection->departure);
	if (http->connections-- == http->connections_max)
		dl_http_accept(http, true);
	free(connection);
}

static struct bufferevent *connection_open_socket(struct dl_listener *listener,
						  struct event_base *base)
{
	struct bufferevent *socket;

	if (!listener->tls)
		return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	socket = bufferevent_openssl_socket_new(base, -1, SSL_new(listener->tls),
						BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (socket)
		bufferevent_openssl_set_allow_dirty_shutdown(socket, 1);
	return socket;
}

struct bufferevent *dl_connection_new(struct event_base *base, void *arg)
{
	struct dl_listener *listener = arg;
	struct dl_connection *connection = DL_NEW(struct dl_connection);

	connection->listener = listener;
	connection->fd = -1;
	connection->socket = connection_open_socket(listener, base);
	connection->deadline = evtimer_new(base, connection_on_deadline, connection);
	connection->resume = event_new(base, -1, 0, connection_on_resume, connection);
	connection->filter = bufferevent_filter_new(connection->socket, connection_filter,
						    connection_pass_on, BEV_OPT_CLOSE_ON_FREE,
						    connection_free, connection);
	if (!connection->filter)
		abort(); /* only memory can be missing: see core/base/mem.h */
	evbuffer_add_cb(bufferevent_get_output(connection->socket), connection_on_output,
			connection);
	connection_set_room(connection, 0);
	connection_arm(connection, DL_HTTP_HEAD_SECONDS);
	if (++listener->http->connections == listener->http->connections_max)
		dl_http_accept(listener->http, false);
	return connection->filter;
}

void dl_connection_release(struct dl_connection *connection)
{
	connection->request = NULL;
	connection_count(connection, 0);
	if (connection->departure)
		event_del(connection->departure);
}

/* The whole answer was handed to the socket. */
static void connection_on_complete(struct evhttp_request *evhttp_request, void *arg)
{
	struct dl_connection *connection = arg;

	(void)evhttp_request;
	if (connection->state != BUSY)
		return;
	connection->state = READING_HEAD;
	event_active(connection->resume, EV_TIMEOUT, 0);
}

void dl_connection_watch(struct dl_connection *connection)
{
	bufferevent_disable(connection->filter, EV_READ);
	if (!connection->departure)
		connection->departure = event_new(connection->listener->http->base, connection->fd,
						  EV_READ | EV_CLOSED, connection_on_departure,
						  connection);
	event_add(connection->departure, NULL);
}

static struct dl_connection *connection_of(struct dl_listener *listener,
					   struct evhttp_connection *evcon)
{
	struct dl_http *http = listener->http;
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));

	return fd >= 0 && (size_t)fd < http->by_fd_count ? http->by_fd[fd] : NULL;
}

void dl_connection_dispatch(struct evhttp_request *evhttp_request, void *arg)
{
	struct dl_listener *listener = arg;
	struct evhttp_connection *evcon = evhttp_request_get_connection(evhttp_request);
	struct dl_connection *connection = connection_of(listener, evcon);

	evhttp_connection_set_closecb(evcon, connection_on_close, connection);
	evhttp_request_set_on_complete_cb(evhttp_request, connection_on_complete, connection);
	struct dl_request *request = dl_request_new(listener, connection, evhttp_request);
	uint64_t id = dl_request_id(request);
	connection->request = request;
	if (connection->refusal.status)
		dl_router_refuse(request, &connection->refusal, connection->refused_path);
	else
		dl_router_dispatch(request);
	if (dl_request_find(listener->http, id))
		dl_request_left_open(request);
}
