#include "standin.h"

#include "scratch.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#define MANAGER_SERVICE "org.freedesktop.systemd1"
#define JOB_PATH        "/org/freedesktop/systemd1/job/1"
#define UNIT_PATH       "/org/freedesktop/systemd1/unit/only"

enum { UNIT_PATH_SIZE = 256 };

struct answering {
	struct standin *standin;
	char file[UNIT_PATH_SIZE]; /* as the scratch host names it */
};

struct standin *standin_new(void)
{
	struct standin *standin = mmap(NULL, sizeof(*standin), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (standin == MAP_FAILED)
		err(EXIT_FAILURE, "shared memory");
	return standin;
}

/* ---- the calls ---- */

static int answer_property(const struct answering *answering, sd_bus_message *call)
{
	const struct standin *standin = answering->standin;
	const char *interface = NULL, *name = NULL, *value = "";

	if (sd_bus_message_read(call, "ss", &interface, &name) < 0)
		return -EINVAL;
	if (strcmp(sd_bus_message_get_path(call), JOB_PATH) == 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "over");
	if (strcmp(name, "LoadState") == 0)
		value = standin->loaded ? "loaded" : "not-found";
	else if (strcmp(name, "ActiveState") == 0)
		value = standin->active ? "active" : "inactive";
	else if (strcmp(name, "SubState") == 0)
		value = standin->active ? "running" : "dead";
	return sd_bus_reply_method_return(call, "v", "s", value);
}

static int answer_job(struct answering *answering, sd_bus_message *call, bool start)
{
	struct standin *standin = answering->standin;

	if (start && !standin->loaded)
		return sd_bus_reply_method_errorf(call, MANAGER_SERVICE ".NoSuchUnit", "no file");
	*(start ? &standin->starts : &standin->stops) += 1;
	standin->active = start;
	return sd_bus_reply_method_return(call, "o", JOB_PATH);
}

static int answer_reload(struct answering *answering, sd_bus_message *call)
{
	answering->standin->loaded = scratch_has(answering->file);
	answering->standin->reloads++;
	return sd_bus_reply_method_return(call, NULL);
}

static int answer(sd_bus_message *call, void *context, sd_bus_error *failure)
{
	struct answering *answering = context;
	const char *member = sd_bus_message_get_member(call);
	int r;

	(void)failure;
	if (!member || !sd_bus_message_is_method_call(call, NULL, NULL))
		return 0;
	if (strcmp(member, "Get") == 0)
		r = answer_property(answering, call);
	else if (strcmp(member, "LoadUnit") == 0)
		r = sd_bus_reply_method_return(call, "o", UNIT_PATH);
	else if (strcmp(member, "Reload") == 0)
		r = answer_reload(answering, call);
	else if (strcmp(member, "StopUnit") == 0 || strcmp(member, "StartUnit") == 0)
		r = answer_job(answering, call, strcmp(member, "StartUnit") == 0);
	else if (strcmp(member, "ResetFailedUnit") == 0)
		r = sd_bus_reply_method_return(call, NULL);
	else
		r = sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_METHOD, "%s", member);
	return r < 0 ? r : 1;
}

/* ---- the process ---- */

static void serve(struct answering *answering, int connection)
{
	sd_bus *bus = NULL;
	sd_id128_t id = SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 10, 11, 12, 13, 14, 15, 16, 17, 20);
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_fd(bus, connection, connection);
	if (r >= 0)
		r = sd_bus_set_server(bus, 1, id);
	if (r >= 0)
		r = sd_bus_add_filter(bus, NULL, answer, answering);
	if (r >= 0)
		r = sd_bus_start(bus);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_close_unref(bus);
}

/* The agent holds one connection at a time; when it dies the next one is taken. */
__attribute__((noreturn))
static void serve_all(struct answering *answering, int listener)
{
	int connection;

	while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve(answering, connection);
	_exit(EXIT_FAILURE);
}

static int listen_privately(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), SCRATCH_ROOT "/run/systemd/private");
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0)
		err(EXIT_FAILURE, "listening as systemd");
	return listener;
}

void standin_start(struct standin *standin, const char *unit)
{
	struct answering answering = { .standin = standin };
	int listener = listen_privately();
	pid_t process;

	snprintf(answering.file, sizeof(answering.file), "/etc/systemd/system/%s", unit);
	*standin = (struct standin){ .loaded = scratch_has(answering.file) };
	standin->active = standin->loaded;
	process = fork();
	if (process < 0)
		err(EXIT_FAILURE, "fork");
	if (process == 0)
		serve_all(&answering, listener);
	standin->process = process;
	close(listener);
}

void standin_stop(struct standin *standin)
{
	if (standin->process <= 0)
		return;
	kill(standin->process, SIGKILL);
	waitpid(standin->process, NULL, 0);
	standin->process = 0;
}
