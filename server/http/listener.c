#include "server/http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024, ERROR_PAUSE_NS = 10 * 1000 * 1000 };

static bool address_is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static int listener_open_socket(const struct sockaddr_storage *address, int size,
				const char *text, int *ret_fd, struct dl_error *err)
{
	int one = 1;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return dl_error_errno(err, errno, "opening a socket for %s", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Accepted sockets inherit it. Without, answers over TLS wait 40 ms for an
	 * acknowledgement that the client delays. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)address, (socklen_t)size) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0) {
		int saved = errno;
		close(fd);
		return dl_error_errno(err, saved, "listening on %s", text);
	}
	*ret_fd = fd;
	return 0;
}

static int socket_port(int fd)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
		return 0;
	return ntohs(bound.ss_family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port :
						  ((struct sockaddr_in6 *)&bound)->sin6_port);
}

/* The process keeps below its own limit of files (dl_http_new), so this is the
 * system's: a short pause of everything is better than spinning. */
static void listener_on_error(struct evconnlistener *socket, void *arg)
{
	struct timespec pause = { .tv_nsec = ERROR_PAUSE_NS };

	(void)socket;
	(void)arg;
	nanosleep(&pause, NULL);
}

static struct evhttp *listener_make_evhttp(struct dl_listener *listener)
{
	struct evhttp *evhttp = evhttp_new(listener->http->base);

	evhttp_set_allowed_methods(evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
	evhttp_set_max_headers_size(evhttp, 2 * DL_HTTP_HEAD_MAX_BYTES);
	evhttp_set_max_body_size(evhttp, DL_HTTP_BODY_MAX_BYTES);
	evhttp_set_timeout(evhttp, DL_HTTP_IDLE_SECONDS);
	evhttp_set_default_content_type(evhttp, NULL);
	evhttp_set_bevcb(evhttp, dl_connection_new, listener);
	evhttp_set_gencb(evhttp, dl_connection_dispatch, listener);
	return evhttp;
}

/* "HOST:PORT" with a numeric host, in brackets when it is IPv6. */
static int address_parse(const char *text, struct sockaddr_storage *ret, int *ret_size,
			 struct dl_error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[INET6_ADDRSTRLEN + 2];
	const char *port = strrchr(text, ':');
	size_t size = port ? (size_t)(port - text) : sizeof(host);
	bool bracketed = size > 2 && text[0] == '[' && text[size - 1] == ']';

	if (size < sizeof(host)) {
		snprintf(host, sizeof(host), "%.*s", (int)(bracketed ? size - 2 : size),
			 text + bracketed);
		if (*host && (bracketed || !strchr(host, ':')))
			getaddrinfo(host, port + 1, &hints, &found);
	}
	if (!found)
		return dl_error_set(err, DL_E_INVALID,
				    "'%s' is not an address such as 127.0.0.1:8080", text);
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_size = (int)found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int listen_parse_address(const struct dl_listen *listen, struct sockaddr_storage *ret,
				int *ret_size, struct dl_error *err)
{
	int r = address_parse(listen->address, ret, ret_size, err);
	if (r < 0)
		return r;
	if (!listen->certificate && !address_is_loopback(ret))
		return dl_error_set(err, DL_E_DENIED,
				    "plain HTTP is served on loopback only, and '%s' is not: "
				    "use TLS there",
				    listen->address);
	return 0;
}

int dl_http_listen(struct dl_http *http, const struct dl_listen *listen, int *ret_port,
		   struct dl_error *err)
{
	struct sockaddr_storage address;
	int size, fd;

	if (http->listener_count == DL_HTTP_LISTENERS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "there are too many addresses to listen on");
	struct dl_listener *listener = &http->listeners[http->listener_count];
	int r = listen_parse_address(listen, &address, &size, err);
	if (r >= 0 && listen->certificate)
		r = dl_tls_context_new(listen->certificate, listen->private_key, &listener->tls, err);
	if (r < 0)
		return r;
	r = listener_open_socket(&address, size, listen->address, &fd, err);
	if (r < 0) {
		SSL_CTX_free(DL_TAKE(listener->tls));
		return r;
	}
	http->listener_count++;
	listener->http = http;
	listener->router = listen->router;
	listener->evhttp = listener_make_evhttp(listener);
	listener->socket = evconnlistener_new(http->base, NULL, NULL,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	evconnlistener_set_error_cb(listener->socket, listener_on_error);
	evhttp_bind_listener(listener->evhttp, listener->socket);
	if (ret_port)
		*ret_port = socket_port(fd);
	return 0;
}
