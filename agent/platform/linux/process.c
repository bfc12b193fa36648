#include "agent/platform/process.h"

#include "core/base/buf.h"
#include "core/base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_READ_CHUNK = 16 * 1024, STATUS_CANNOT_START = 71 };

struct dl_child {
	pid_t pid;
	int pidfd;
	int channel; /* a socket, so that one side can end what it says */
	bool reaped;
};

void dl_handle_close(int *handle)
{
	if (*handle >= 0)
		close(*handle);
}

bool dl_process_is_root(void)
{
	return geteuid() == 0;
}

int dl_process_become(const struct dl_account *account, struct dl_error *err)
{
	uid_t uid = (uid_t)account->uid;
	gid_t gid = (gid_t)account->gid;
	if (uid == 0 || gid == 0)
		return dl_error_set(err, DL_E_INVALID, "root is not fewer rights");
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return dl_error_errno(err, errno, "giving up root");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return dl_error_errno(err, errno, "locking the process in");
	if (setuid(0) == 0)
		return dl_error_set(err, DL_E_DENIED, "root came back after it was given up");
	return 0;
}

static void unblock_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Whatever the parent has open by now, a journal or a key, is nothing for a child to have. */
static void close_all_but(int kept)
{
	if (kept > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)kept - 1, 0);
	close_range((unsigned int)kept + 1, UINT_MAX, 0);
}

/* Giving up rights clears the parent-death signal, so it is set afterwards. */
static _Noreturn void be_child(const struct dl_account *account, pid_t parent, dl_child_body body,
			       void *context, int channel)
{
	struct dl_error error = { 0 };
	close_all_but(channel);
	unblock_signals();
	if (account && dl_process_become(account, &error) < 0) {
		fprintf(stderr, "dislodge-agent: %s\n", error.text);
		_exit(STATUS_CANNOT_START);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(STATUS_CANNOT_START);
	int status = body(context, channel);
	fflush(NULL);
	_exit(status);
}

static int adopt_child(pid_t pid, int channel, struct dl_child **ret, struct dl_error *err)
{
	struct dl_child *child = DL_NEW(struct dl_child);
	child->pid = pid;
	child->channel = channel;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->pidfd < 0) {
		int r = dl_error_errno(err, errno, "watching the child process");
		dl_child_free(child);
		return r;
	}
	fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
	*ret = child;
	return 0;
}

int dl_child_start(const struct dl_account *account, dl_child_body body, void *context,
		   struct dl_child **ret, struct dl_error *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return dl_error_errno(err, errno, "making a channel");
	fflush(NULL);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		be_child(account, parent, body, context, ends[1]);
	int failure = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return dl_error_errno(err, failure, "starting a child process");
	}
	return adopt_child(pid, ends[0], ret, err);
}

static int wait_readable(int fd, const char *peer, int64_t deadline, struct dl_error *err)
{
	int64_t left = deadline - dl_time_monotonic_ms();
	struct pollfd asked = { .fd = fd, .events = POLLIN };
	int n = left > 0 ? poll(&asked, 1, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
	if (n < 0 && errno != EINTR)
		return dl_error_errno(err, errno, "waiting for %s", peer);
	return n == 0 ? dl_error_set(err, DL_E_TIMEOUT, "%s said nothing in time", peer) : 0;
}

static int read_to_end(int channel, const char *peer, size_t limit, int64_t timeout_ms,
		       char **ret_text, size_t *ret_size, struct dl_error *err)
{
	dl_autobuf text = DL_BUF_INIT;
	int64_t deadline = dl_time_monotonic_ms() + timeout_ms;
	for (;;) {
		int r = wait_readable(channel, peer, deadline, err);
		if (r < 0)
			return r;
		char chunk[CHILD_READ_CHUNK];
		ssize_t n = read(channel, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dl_error_errno(err, errno, "reading from %s", peer);
		if (n == 0)
			break;
		if (text.size + (size_t)n > limit)
			return dl_error_set(err, DL_E_LIMIT, "%s said too much", peer);
		dl_buf_append(&text, chunk, (size_t)n);
	}
	*ret_size = text.size;
	*ret_text = dl_buf_take(&text);
	return 0;
}

int dl_child_read(struct dl_child *child, size_t limit, int64_t timeout_ms, char **ret_text,
		  size_t *ret_size, struct dl_error *err)
{
	return read_to_end(child->channel, "the child process", limit, timeout_ms, ret_text,
			   ret_size, err);
}

int dl_parent_read(int channel, size_t limit, int64_t timeout_ms, char **ret_text,
		   size_t *ret_size, struct dl_error *err)
{
	return read_to_end(channel, "the parent process", limit, timeout_ms, ret_text, ret_size,
			   err);
}

int dl_child_descriptor(const struct dl_child *child)
{
	return child->pidfd;
}

int dl_child_wait(struct dl_child *child, int *ret_status, struct dl_error *err)
{
	int status;
	pid_t pid;
	do
		pid = waitpid(child->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return dl_error_errno(err, errno, "waiting for the child process");
	child->reaped = true;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

void dl_child_stop(struct dl_child *child)
{
	if (!child->reaped)
		kill(child->pid, SIGTERM);
}

void dl_child_free(struct dl_child *child)
{
	if (!child)
		return;
	if (!child->reaped) {
		int status;
		kill(child->pid, SIGKILL);
		dl_child_wait(child, &status, NULL);
	}
	close(child->channel);
	if (child->pidfd >= 0)
		close(child->pidfd);
	free(child);
}

/* A peer that is gone is an error, not a signal that ends us. */
static int send_all(int channel, const void *data, size_t size, struct dl_error *err)
{
	const char *at = data;
	while (size > 0) {
		ssize_t n = send(channel, at, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dl_error_errno(err, errno, "writing");
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int dl_child_tell(struct dl_child *child, const void *data, size_t size, struct dl_error *err)
{
	int r = send_all(child->channel, data, size, err);
	if (r < 0)
		return r;
	if (shutdown(child->channel, SHUT_WR) < 0)
		return dl_error_errno(err, errno, "writing");
	return 0;
}

int dl_parent_write(int channel, const void *data, size_t size, struct dl_error *err)
{
	return send_all(channel, data, size, err);
}

int dl_stop_watch(int *ret_descriptor, struct dl_error *err)
{
	sigset_t stops;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	if (sigprocmask(SIG_BLOCK, &stops, NULL) < 0)
		return dl_error_errno(err, errno, "blocking signals");
	int fd = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return dl_error_errno(err, errno, "watching for signals");
	*ret_descriptor = fd;
	return 0;
}
