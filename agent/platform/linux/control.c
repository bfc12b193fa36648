/* systemd's own interface, org.freedesktop.systemd1(5), over its private socket. */
#include "agent/platform/control.h"

#include "agent/platform/linux/root.h"
#include "core/base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define CONTROL_ADDRESS "unix:path=/run/systemd/private"
#define CONTROL_SERVICE "org.freedesktop.systemd1"
#define CONTROL_OBJECT  "/org/freedesktop/systemd1"
#define CONTROL_MANAGER "org.freedesktop.systemd1.Manager"
#define CONTROL_UNIT    "org.freedesktop.systemd1.Unit"
#define US_PER_MS       1000

enum {
	CONTROL_POLL_MS = 20,
	CONTROL_CALL_MS = 10 * 1000,
	CONTROL_PATH_SIZE = 1024,
	CONTROL_LIST_MAX = 64 * 1024,
};

struct dl_control {
	sd_bus *bus;
};

struct control_failure {
	sd_bus_error bus;
};

static void control_failure_free(struct control_failure *failure)
{
	sd_bus_error_free(&failure->bus);
}
#define dl_autofailure __attribute__((cleanup(control_failure_free))) struct control_failure

static void control_unref(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}
#define dl_automessage __attribute__((cleanup(control_unref))) sd_bus_message

static int control_connect(struct dl_control *control, struct dl_error *err)
{
	int r;

	sd_bus_close_unref(control->bus);
	control->bus = NULL;
	r = sd_bus_new(&control->bus);
	if (r >= 0)
		r = sd_bus_set_address(control->bus, CONTROL_ADDRESS);
	if (r >= 0)
		r = sd_bus_start(control->bus);
	if (r < 0)
		return dl_error_set(err, DL_E_UNAVAILABLE, "systemd does not answer: %s",
				    strerror(-r));
	return 0;
}

int dl_control_open(struct dl_control **ret_control, struct dl_error *err)
{
	dl_auto(dl_control) control = NULL;
	struct stat facts;
	int r;

	/* sd_booted(3): this folder exists exactly when systemd is PID 1. */
	if (lstat("/run/systemd/system/", &facts) < 0)
		return dl_error_set(err, DL_E_UNSUPPORTED, "no systemd runs here");
	control = DL_NEW(struct dl_control);
	r = control_connect(control, err);
	if (r < 0)
		return r;
	*ret_control = DL_TAKE(control);
	return 0;
}

void dl_control_free(struct dl_control *control)
{
	if (!control)
		return;
	sd_bus_close_unref(control->bus);
	free(control);
}

static int control_words(int r, const sd_bus_error *failure, const char *what, const char *unit,
			 struct dl_error *err)
{
	int code = DL_E_IO;

	if (sd_bus_error_has_name(failure, CONTROL_SERVICE ".NoSuchUnit"))
		code = DL_E_NOT_FOUND;
	else if (r == -ETIMEDOUT)
		code = DL_E_TIMEOUT;
	else if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
		code = DL_E_UNAVAILABLE;
	return dl_error_set(err, code, "systemd: %s %s: %s", what, unit,
			    failure->message ? failure->message : strerror(-r));
}

/* A manager's method with at most two text arguments. */
static int control_call(struct dl_control *control, const char *method, int timeout_ms,
			const char *unit, const char *mode, sd_bus_message **ret_reply,
			struct dl_error *err)
{
	dl_autofailure failure = { SD_BUS_ERROR_NULL };
	dl_automessage *call = NULL;
	int r = sd_bus_message_new_method_call(control->bus, &call, CONTROL_SERVICE,
					       CONTROL_OBJECT, CONTROL_MANAGER, method);

	if (r >= 0 && unit)
		r = sd_bus_message_append(call, "s", unit);
	if (r >= 0 && mode)
		r = sd_bus_message_append(call, "s", mode);
	if (r >= 0)
		r = sd_bus_call(control->bus, call, (uint64_t)timeout_ms * US_PER_MS, &failure.bus,
				ret_reply);
	return r < 0 ? control_words(r, &failure.bus, method, unit ? unit : "", err) : 0;
}

int dl_control_reload(struct dl_control *control, struct dl_error *err)
{
	dl_automessage *reply = NULL;
	int r = control_call(control, "Reload", DL_CONTROL_RELOAD_MS, NULL, NULL, &reply, err);

	/* systemd may drop its private connections while it reloads. */
	return r < 0 ? r : control_connect(control, err);
}

int dl_control_reset_failed(struct dl_control *control, const char *unit, struct dl_error *err)
{
	dl_automessage *reply = NULL;
	int r = control_call(control, "ResetFailedUnit", CONTROL_CALL_MS, unit, NULL, &reply, err);

	return r == DL_E_NOT_FOUND ? 0 : r;
}

/* LoadUnit answers for every name; a name nobody knows gets LoadState=not-found. */
static int control_unit_path(struct dl_control *control, const char *unit,
			     char out[CONTROL_PATH_SIZE], struct dl_error *err)
{
	dl_automessage *reply = NULL;
	const char *path = NULL;
	int r = control_call(control, "LoadUnit", CONTROL_CALL_MS, unit, NULL, &reply, err);

	if (r < 0)
		return r;
	if (sd_bus_message_read(reply, "o", &path) < 0)
		return dl_error_set(err, DL_E_INVALID, "systemd: LoadUnit: unexpected answer");
	snprintf(out, CONTROL_PATH_SIZE, "%s", path);
	return 0;
}

static int control_text(struct dl_control *control, const char *path, const char *interface,
			const char *name, char *out, size_t size, struct dl_error *err)
{
	dl_autofailure failure = { SD_BUS_ERROR_NULL };
	dl_autofree char *value = NULL;
	int r = sd_bus_get_property_string(control->bus, CONTROL_SERVICE, path, interface, name,
					   &failure.bus, &value);

	if (r < 0)
		return control_words(r, &failure.bus, name, "", err);
	snprintf(out, size, "%s", value);
	return 0;
}

/* Processes directly in a cgroup and in those below it, from cgroup.procs. The
 * unified tree may be mounted beside the old one. */
static int64_t control_count_processes(const char *control_group)
{
	static const char *const trees[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup/systemd" };
	char path[CONTROL_PATH_SIZE];

	for (size_t i = 0; i < DL_COUNT(trees); i++) {
		FILE *list;
		int64_t count = 0;
		int c;

		snprintf(path, sizeof(path), "%s%s/cgroup.procs", trees[i], control_group);
		list = fopen(path, "re");
		if (!list)
			continue;
		while ((c = getc(list)) != EOF && count < CONTROL_LIST_MAX)
			count += c == '\n';
		fclose(list);
		return count;
	}
	/* A unit's group is removed with its last process. */
	return access("/sys/fs/cgroup", R_OK) == 0 ? 0 : -1;
}

static bool control_has_group(const char *unit, const char **ret_interface)
{
	static const struct { const char *ending, *interface; } kinds[] = {
		{ ".service", CONTROL_SERVICE ".Service" },
		{ ".socket", CONTROL_SERVICE ".Socket" },
		{ ".mount", CONTROL_SERVICE ".Mount" },
	};
	const char *dot = strrchr(unit, '.');

	for (size_t i = 0; dot && i < DL_COUNT(kinds); i++)
		if (strcmp(dot, kinds[i].ending) == 0) {
			*ret_interface = kinds[i].interface;
			return true;
		}
	return false;
}

int dl_control_state(struct dl_control *control, const char *unit, struct dl_unit_state *ret_state,
		     struct dl_error *err)
{
	struct dl_unit_state state = { 0 };
	char path[CONTROL_PATH_SIZE];
	const char *interface = NULL;
	int r = control_unit_path(control, unit, path, err);

	if (r == 0)
		r = control_text(control, path, CONTROL_UNIT, "LoadState", state.load,
				 sizeof(state.load), err);
	if (r == 0)
		r = control_text(control, path, CONTROL_UNIT, "ActiveState", state.active,
				 sizeof(state.active), err);
	if (r == 0)
		r = control_text(control, path, CONTROL_UNIT, "SubState", state.sub,
				 sizeof(state.sub), err);
	if (r == 0 && control_has_group(unit, &interface))
		r = control_text(control, path, interface, "ControlGroup", state.control_group,
				 sizeof(state.control_group), err);
	if (r < 0)
		return r;
	if (state.control_group[0])
		state.processes = control_count_processes(state.control_group);
	*ret_state = state;
	return 0;
}

static void control_pause(void)
{
	struct timespec pause = { .tv_nsec = CONTROL_POLL_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/* A job's object is gone when the job is over. Asked again and again: signals
 * would have to be subscribed to and can be lost over a reload. */
static int control_wait(struct dl_control *control, const char *job, const char *unit,
			struct dl_error *err)
{
	int64_t until = dl_time_monotonic_ms() + DL_CONTROL_STOP_MS;

	while (dl_time_monotonic_ms() < until) {
		dl_autofailure failure = { SD_BUS_ERROR_NULL };
		dl_autofree char *state = NULL;
		int r = sd_bus_get_property_string(control->bus, CONTROL_SERVICE, job,
						   CONTROL_SERVICE ".Job", "State", &failure.bus,
						   &state);

		if (r < 0 && sd_bus_error_is_set(&failure.bus))
			return 0;
		if (r < 0)
			return control_words(r, &failure.bus, "waiting for", unit, err);
		control_pause();
	}
	return dl_error_set(err, DL_E_TIMEOUT, "systemd: %s was not done in %d s", unit,
			    DL_CONTROL_STOP_MS / 1000);
}

static int control_job(struct dl_control *control, const char *method, const char *unit,
		       struct dl_error *err)
{
	dl_automessage *reply = NULL;
	const char *job = NULL;
	int r = control_call(control, method, CONTROL_CALL_MS, unit, "replace", &reply, err);

	if (r < 0)
		return r;
	if (sd_bus_message_read(reply, "o", &job) < 0)
		return dl_error_set(err, DL_E_INVALID, "systemd: %s: unexpected answer", method);
	return control_wait(control, job, unit, err);
}

int dl_control_stop(struct dl_control *control, const char *unit, struct dl_error *err)
{
	return control_job(control, "StopUnit", unit, err);
}

int dl_control_start(struct dl_control *control, const char *unit, struct dl_error *err)
{
	return control_job(control, "StartUnit", unit, err);
}
