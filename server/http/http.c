#include "server/http/loop.h"

#include <event2/listener.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DRAIN_STEP_MS = 50, DRAIN_STEPS = 40, FILES_RESERVED = 128 };

static void http_on_signal(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	dl_http_stop(arg);
}

static void http_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct dl_http *http = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&http->posted_lock);
	struct dl_post *posts = DL_TAKE(http->posted);
	http->posted_tail = &http->posted;
	pthread_mutex_unlock(&http->posted_lock);
	while (posts) {
		struct dl_post *post = posts;
		posts = post->next;
		post->call(post->arg);
		free(post);
	}
}

/* As many connections as the system lets this process hold, beside what the
 * store and the rest need. */
static size_t connections_allowed(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return FILES_RESERVED;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur >= DL_HTTP_CONNECTIONS_MAX + FILES_RESERVED)
		return DL_HTTP_CONNECTIONS_MAX;
	return files.rlim_cur > 2 * FILES_RESERVED ? files.rlim_cur - FILES_RESERVED : FILES_RESERVED;
}

void dl_http_accept(struct dl_http *http, bool accept)
{
	for (size_t i = 0; i < http->listener_count; i++) {
		if (accept && !http->stopping)
			evconnlistener_enable(http->listeners[i].socket);
		else if (!accept)
			evconnlistener_disable(http->listeners[i].socket);
	}
}

int dl_http_new(struct dl_http **ret_http, struct dl_error *err)
{
	dl_auto(dl_http) http = DL_NEW(struct dl_http);

	http->posted_tail = &http->posted;
	pthread_mutex_init(&http->posted_lock, NULL);
	signal(SIGPIPE, SIG_IGN);
	http->connections_max = connections_allowed();
	http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	http->base = event_base_new();
	if (http->wake_fd < 0 || !http->base)
		return dl_error_set(err, DL_E_IO, "the event loop could not be made");
	http->wake = event_new(http->base, http->wake_fd, EV_READ | EV_PERSIST, http_on_wake, http);
	event_add(http->wake, NULL);
	http->signals[0] = evsignal_new(http->base, SIGTERM, http_on_signal, http);
	http->signals[1] = evsignal_new(http->base, SIGINT, http_on_signal, http);
	event_add(http->signals[0], NULL);
	event_add(http->signals[1], NULL);
	*ret_http = DL_TAKE(http);
	return 0;
}

static void listener_clear(struct dl_listener *listener)
{
	evhttp_free(listener->evhttp); /* with its connections and their requests */
	SSL_CTX_free(listener->tls);
}

void dl_http_free(struct dl_http *http)
{
	if (!http)
		return;
	http->stopping = true;
	for (size_t i = 0; i < http->listener_count; i++)
		listener_clear(&http->listeners[i]);
	if (http->wake)
		http_on_wake(http->wake_fd, 0, http);
	for (size_t i = 0; i < http->timer_count; i++)
		event_free(http->timers[i].event);
	for (size_t i = 0; i < DL_COUNT(http->signals); i++)
		if (http->signals[i])
			event_free(http->signals[i]);
	if (http->wake)
		event_free(http->wake);
	if (http->base) {
		/* Freed buffers let go of their connections in the loop's next round. */
		event_base_loop(http->base, EVLOOP_NONBLOCK);
		event_base_free(http->base);
	}
	if (http->wake_fd >= 0)
		close(http->wake_fd);
	pthread_mutex_destroy(&http->posted_lock);
	free(http->by_fd);
	free(http->slots);
	free(http);
}

static void http_on_stop(void *arg)
{
	struct dl_http *http = arg;

	if (http->stopping)
		return;
	http->stopping = true;
	dl_http_accept(http, false);
	dl_request_shutdown(http);
	event_base_loopbreak(http->base);
}

bool dl_http_is_stopping(const struct dl_http *http)
{
	return http->stopping;
}

void dl_http_stop(struct dl_http *http)
{
	dl_http_post(http, http_on_stop, http);
}

/* Open requests get their answer, and answers a moment to leave. */
static void http_drain(struct dl_http *http)
{
	struct timeval step = { .tv_usec = DRAIN_STEP_MS * 1000 };

	for (int i = 0; i < DRAIN_STEPS; i++) {
		bool idle = !http->open_count;
		event_base_loopexit(http->base, &step);
		event_base_dispatch(http->base);
		if (idle)
			return;
	}
}

int dl_http_run(struct dl_http *http, struct dl_error *err)
{
	if (event_base_dispatch(http->base) < 0)
		return dl_error_set(err, DL_E_IO, "the event loop failed");
	http_drain(http);
	return 0;
}

void dl_http_post(struct dl_http *http, void (*call)(void *arg), void *arg)
{
	struct dl_post *post = DL_NEW(struct dl_post);
	uint64_t one = 1;

	post->call = call;
	post->arg = arg;
	pthread_mutex_lock(&http->posted_lock);
	*http->posted_tail = post;
	http->posted_tail = &post->next;
	pthread_mutex_unlock(&http->posted_lock);
	/* Fails only when the counter is full, and then the loop is awake anyway. */
	ssize_t ignored = write(http->wake_fd, &one, sizeof(one));
	(void)ignored;
}

static void http_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dl_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->call(timer->arg);
}

void dl_http_every(struct dl_http *http, int64_t period_ms, void (*call)(void *arg), void *arg)
{
	struct timeval period = { .tv_sec = period_ms / 1000, .tv_usec = period_ms % 1000 * 1000 };

	if (http->timer_count == DL_HTTP_TIMERS_MAX)
		abort(); /* the timers are compiled in */
	struct dl_timer *timer = &http->timers[http->timer_count++];
	timer->call = call;
	timer->arg = arg;
	timer->event = event_new(http->base, -1, EV_PERSIST, http_on_timer, timer);
	event_add(timer->event, &period);
}
