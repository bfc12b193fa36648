#include "agent/platform/channel.h"

#include "agent/frame/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_CHUNK = 64 * 1024, BACKLOG = 8, WAIT_MAX = 16 };

struct dl_channel {
	int fd;
	int64_t peer;
	struct dl_frame_reader reader;
	struct dl_buf unsent;
	size_t sent; /* of `unsent` */
};

struct dl_listener {
	int fd;
	char *path;
};

static int fill_address(const char *path, struct sockaddr_un *address, struct dl_error *err)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return dl_error_set(err, DL_E_LIMIT, "'%s' is too long for a socket's name", path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

static int open_socket(struct dl_error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 ? fd : dl_error_errno(err, errno, "making a local socket");
}

static int adopt(int fd, struct dl_channel **ret, struct dl_error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		int r = dl_error_errno(err, errno, "asking who is at the other end");
		close(fd);
		return r;
	}
	struct dl_channel *channel = DL_NEW(struct dl_channel);
	channel->fd = fd;
	channel->peer = peer.uid;
	*ret = channel;
	return 0;
}

int dl_channel_connect(const char *path, struct dl_channel **ret, struct dl_error *err)
{
	struct sockaddr_un address;
	int r = fill_address(path, &address, err);
	if (r < 0)
		return r;
	int fd = open_socket(err);
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		dl_error_errno(err, errno, "connecting to the executor at '%s'", path);
		close(fd);
		return DL_E_UNAVAILABLE;
	}
	return adopt(fd, ret, err);
}

void dl_channel_free(struct dl_channel *channel)
{
	if (!channel)
		return;
	close(channel->fd);
	dl_frame_reader_clear(&channel->reader);
	dl_buf_free(&channel->unsent);
	free(channel);
}

int dl_channel_descriptor(const struct dl_channel *channel)
{
	return channel->fd;
}

bool dl_channel_has_unsent(const struct dl_channel *channel)
{
	return channel->unsent.size > channel->sent;
}

int64_t dl_channel_peer(const struct dl_channel *channel)
{
	return channel->peer;
}

int dl_channel_flush(struct dl_channel *channel, struct dl_error *err)
{
	while (dl_channel_has_unsent(channel)) {
		ssize_t n = send(channel->fd, channel->unsent.data + channel->sent,
				 channel->unsent.size - channel->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			dl_error_errno(err, errno, "sending to the local peer");
			return DL_E_UNAVAILABLE;
		}
		channel->sent += (size_t)n;
	}
	dl_buf_free(&channel->unsent);
	channel->sent = 0;
	return 0;
}

int dl_channel_send(struct dl_channel *channel, const json_t *message, struct dl_error *err)
{
	if (channel->unsent.size - channel->sent > DL_CHANNEL_UNSENT_MAX)
		return dl_error_set(err, DL_E_LIMIT, "the local peer does not read");
	int r = dl_frame_append(&channel->unsent, message, err);
	if (r < 0)
		return r;
	return dl_channel_flush(channel, err);
}

/* Reads no more than the frame at hand wants, so that one channel never holds two. */
static int read_some(struct dl_channel *channel, struct dl_error *err)
{
	char chunk[READ_CHUNK];
	size_t want = dl_frame_reader_wants(&channel->reader);
	ssize_t n;
	do
		n = recv(channel->fd, chunk, want < sizeof(chunk) ? want : sizeof(chunk), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return dl_error_set(err, DL_E_BUSY, "nothing has arrived");
	if (n < 0) {
		dl_error_errno(err, errno, "receiving from the local peer");
		return DL_E_UNAVAILABLE;
	}
	if (n == 0)
		return dl_error_set(err, DL_E_UNAVAILABLE, "the local peer closed");
	dl_frame_reader_feed(&channel->reader, chunk, (size_t)n);
	return 0;
}

int dl_channel_receive(struct dl_channel *channel, json_t **ret_message, struct dl_error *err)
{
	for (;;) {
		int r = dl_frame_reader_next(&channel->reader, ret_message, err);
		if (r != DL_E_BUSY)
			return r;
		r = read_some(channel, err);
		if (r < 0)
			return r;
	}
}

static int name_socket(int fd, const char *path, int64_t group, struct dl_error *err)
{
	struct sockaddr_un address;
	int r = fill_address(path, &address, err);
	if (r < 0)
		return r;
	unlink(path); /* a name without a listener; with one, it ends up nameless */
	mode_t before = umask(0177); /* nobody connects before owner and mode are right */
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (r < 0)
		return dl_error_errno(err, errno, "naming the socket '%s'", path);
	if (chown(path, (uid_t)-1, (gid_t)group) < 0 || chmod(path, 0660) < 0)
		return dl_error_errno(err, errno, "handing '%s' to its group", path);
	if (listen(fd, BACKLOG) < 0)
		return dl_error_errno(err, errno, "listening at '%s'", path);
	return 0;
}

static int make_folder_of(const char *path, struct dl_error *err)
{
	dl_autofree char *folder = dl_strdup(path);
	char *leaf = strrchr(folder, '/');
	if (!leaf || leaf == folder)
		return 0;
	*leaf = '\0';
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return dl_error_errno(err, errno, "making the folder '%s'", folder);
	return 0;
}

int dl_listener_open(const char *path, int64_t group, struct dl_listener **ret,
		     struct dl_error *err)
{
	int r = make_folder_of(path, err);
	if (r < 0)
		return r;
	int fd = open_socket(err);
	if (fd < 0)
		return fd;
	r = name_socket(fd, path, group, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	struct dl_listener *listener = DL_NEW(struct dl_listener);
	listener->fd = fd;
	listener->path = dl_strdup(path);
	*ret = listener;
	return 0;
}

void dl_listener_free(struct dl_listener *listener)
{
	if (!listener)
		return;
	unlink(listener->path);
	close(listener->fd);
	free(listener->path);
	free(listener);
}

int dl_listener_descriptor(const struct dl_listener *listener)
{
	return listener->fd;
}

int dl_listener_accept(struct dl_listener *listener, struct dl_channel **ret,
		       struct dl_error *err)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		return adopt(fd, ret, err);
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return dl_error_set(err, DL_E_BUSY, "nobody waits");
	return dl_error_errno(err, errno, "accepting a local connection");
}

int dl_wait(struct dl_wait *items, size_t count, int64_t timeout_ms, struct dl_error *err)
{
	struct pollfd asked[WAIT_MAX];
	if (count > WAIT_MAX)
		return dl_error_set(err, DL_E_LIMIT, "too many things to wait for");
	for (size_t i = 0; i < count; i++)
		asked[i] = (struct pollfd){
			.fd = items[i].descriptor,
			.events = items[i].want_write ? POLLIN | POLLOUT : POLLIN,
		};
	if (timeout_ms > INT32_MAX)
		timeout_ms = INT32_MAX;
	int n = poll(asked, count, timeout_ms < 0 ? -1 : (int)timeout_ms);
	if (n < 0 && errno != EINTR)
		return dl_error_errno(err, errno, "waiting");
	for (size_t i = 0; i < count; i++)
		items[i].ready = n > 0 && asked[i].revents != 0;
	return 0;
}
