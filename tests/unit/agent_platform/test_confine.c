/* A network client that is locked in: each attempt runs in a child of its own, since nothing
 * lifts the fences again. The same attempt without them is the control: it must succeed, or its
 * refusal would show nothing. */
#include "agent/platform/confine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*attempt)(void); /* 0, or the errno */

enum { NOT_CONFINED = 254 };

static char secret[] = "/tmp/dislodge-secret.XXXXXX", draft[64];

static int run(attempt deed, bool confined)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		char missing[DL_CONFINE_WORDS_MAX];
		if (confined && dl_confine_to_network(missing, NULL) < 0)
			_exit(NOT_CONFINED);
		_exit(deed());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void refused(attempt deed, int with)
{
	assert_int_equal(run(deed, false), 0);
	assert_int_equal(run(deed, true), with);
}

static void allowed(attempt deed)
{
	assert_int_equal(run(deed, true), 0);
}

static int error_of(int r)
{
	return r < 0 ? errno : 0;
}

/* ---- what it must not do ---- */

static int read_secret(void) { return error_of(open(secret, O_RDONLY)); }
static int list_root(void) { return error_of(open("/", O_RDONLY | O_DIRECTORY)); }
static int make_file(void) { return error_of(open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600)); }
static int remove_file(void) { return error_of(unlink(secret)); }
static int signal_parent(void) { return error_of(kill(getppid(), 0)); }
static int trace_me(void) { return error_of((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

static int start_program(void)
{
	char *const arguments[] = { "true", NULL };
	execv("/bin/true", arguments);
	return errno;
}

static int start_process(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return error_of(child);
}

/* Unbound: the kernel would choose a port. */
static int listen_for_others(void)
{
	return error_of(listen(socket(AF_INET, SOCK_STREAM, 0), 1));
}

static void reads_no_file_outside_its_list(void **state)
{
	(void)state;
	refused(read_secret, EACCES);
	refused(list_root, EACCES);
}

static void writes_no_file(void **state)
{
	(void)state;
	refused(make_file, EACCES);
	unlink(draft);
}

/* After make_file: the control attempt of this one really removes. */
static void removes_no_file(void **state)
{
	(void)state;
	assert_int_equal(run(remove_file, true), EPERM);
	assert_int_equal(access(secret, F_OK), 0);
	assert_int_equal(run(remove_file, false), 0);
	assert_int_equal(access(secret, F_OK), -1);
}

static void starts_no_program(void **state)
{
	(void)state;
	refused(start_program, EPERM);
	refused(start_process, EPERM);
}

static void signals_and_traces_nobody(void **state)
{
	(void)state;
	refused(signal_parent, EPERM);
	refused(trace_me, EPERM);
}

static void listens_on_no_port(void **state)
{
	(void)state;
	refused(listen_for_others, EPERM); /* listen(2) is not on the list */
}

/* ---- what it must still be able to do ---- */

static int resolve_localhost(void)
{
	struct addrinfo *found = NULL;
	int r = getaddrinfo("localhost", "443", NULL, &found);
	if (r == 0)
		freeaddrinfo(found);
	return r == 0 ? 0 : 1;
}

static void *nothing(void *argument)
{
	return argument;
}

static int start_thread(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, nothing, NULL);
	return r ? r : pthread_join(thread, NULL);
}

static int reach_a_listener(void)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = error_of(connect(fd, (struct sockaddr *)&there, sizeof(there)));
	return r == ECONNREFUSED ? 0 : r; /* the kernel let us ask */
}

static void resolves_names_starts_threads_and_connects(void **state)
{
	(void)state;
	allowed(resolve_localhost);
	allowed(start_thread);
	allowed(reach_a_listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_no_file_outside_its_list),
		cmocka_unit_test(writes_no_file),
		cmocka_unit_test(removes_no_file),
		cmocka_unit_test(starts_no_program),
		cmocka_unit_test(signals_and_traces_nobody),
		cmocka_unit_test(listens_on_no_port),
		cmocka_unit_test(resolves_names_starts_threads_and_connects),
	};
	int fd = mkstemp(secret);
	if (fd < 0)
		return 1;
	close(fd);
	snprintf(draft, sizeof(draft), "%s.draft", secret);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(secret);
	return failures;
}
