/* Asking systemd, org.freedesktop.systemd1(5). Addresses are fixed: an
 * environment variable must not lead the agent to somebody else's bus. */
#include "agent/platform/linux/disk.h"

#include "core/base/buf.h"
#include "core/base/time.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

enum { ANSWER_MAX_US = 10 * 1000 * 1000, TEXT_MAX = 4096 };

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

static void message_release(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}
#define dl_automessage __attribute__((cleanup(message_release))) sd_bus_message

static void bus_release(sd_bus **bus)
{
	sd_bus_close_unref(*bus);
}

void dl_bus_close(struct dl_disk *disk)
{
	bus_release(&disk->bus);
	disk->bus = NULL;
}

/* Whoever answers on the socket must be root. */
static bool peer_is_root(sd_bus *bus)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = sd_bus_get_fd(bus);
	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == 0;
}

/* The handshake's own patience is 90 seconds; ours is that of an answer. */
static int await_ready(sd_bus *bus)
{
	int64_t deadline = dl_time_monotonic_ms() + ANSWER_MAX_US / 1000;
	for (;;) {
		int r = sd_bus_is_ready(bus);
		int64_t left = deadline - dl_time_monotonic_ms();
		if (r != 0)
			return r < 0 ? r : 0;
		if (left <= 0)
			return -ETIMEDOUT;
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, (uint64_t)left * 1000);
		if (r < 0)
			return r;
	}
}

static int connect_to(const char *address, bool is_bus, sd_bus **ret_bus)
{
	__attribute__((cleanup(bus_release))) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, is_bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, ANSWER_MAX_US);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = await_ready(bus);
	/* A message bus runs as its own user; only PID 1's private socket is root's. */
	if (r >= 0 && !is_bus && !peer_is_root(bus))
		r = -EPERM;
	if (r >= 0)
		*ret_bus = DL_TAKE(bus);
	return r;
}

static int connect_once(struct dl_disk *disk, struct dl_error *err)
{
	if (disk->bus)
		return 0;
	if (sd_booted() <= 0)
		return dl_error_set(err, DL_E_UNSUPPORTED, "no systemd here");
	int r = connect_to("unix:path=/run/systemd/private", false, &disk->bus);
	if (r < 0)
		r = connect_to("unix:path=/run/dbus/system_bus_socket", true, &disk->bus);
	if (r < 0)
		return dl_error_set(err, DL_E_UNAVAILABLE, "systemd does not answer: %s",
				    strerror(-r));
	return 0;
}

static int bus_error(struct dl_error *err, int r, const char *what, const char *unit)
{
	int code = r == -ETIMEDOUT ? DL_E_TIMEOUT : DL_E_UNAVAILABLE;
	return dl_error_set(err, code, "%s of '%.256s': %s", what, unit, strerror(-r));
}

static char *bounded(const char *text)
{
	return dl_strndup(text ? text : "", TEXT_MAX);
}

/* A unit file that systemd does not know has no state: "". */
static char *ask_file_state(sd_bus *bus, const char *unit)
{
	dl_automessage *reply = NULL;
	const char *state = NULL;
	int r = sd_bus_call_method(bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE,
				   "GetUnitFileState", NULL, &reply, "s", unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &state);
	return bounded(r < 0 ? NULL : state);
}

static int ask_text(sd_bus *bus, const char *path, const char *property, char **ret)
{
	dl_autofree char *text = NULL;
	int r = sd_bus_get_property_string(bus, MANAGER_NAME, path, UNIT_INTERFACE, property, NULL,
					   &text);
	if (r >= 0)
		*ret = bounded(text);
	return r;
}

static int ask_flag(sd_bus *bus, const char *path, const char *property, bool *ret)
{
	int flag = 0;
	int r = sd_bus_get_property_trivial(bus, MANAGER_NAME, path, UNIT_INTERFACE, property, NULL,
					    'b', &flag);
	*ret = flag;
	return r;
}

static void strv_release(char ***list)
{
	for (char **at = *list; at && *at; at++)
		free(*at);
	free(*list);
}

static int ask_list(sd_bus *bus, const char *path, const char *property, char **ret)
{
	__attribute__((cleanup(strv_release))) char **list = NULL;
	dl_autobuf words = DL_BUF_INIT;
	int r = sd_bus_get_property_strv(bus, MANAGER_NAME, path, UNIT_INTERFACE, property, NULL,
					 &list);
	for (char **at = list; r >= 0 && at && *at && words.size < TEXT_MAX; at++)
		dl_buf_printf(&words, "%s%s", words.size ? " " : "", *at);
	if (r >= 0)
		*ret = dl_buf_take(&words);
	return r;
}

static int ask_properties(sd_bus *bus, const char *path, struct dl_host_unit *unit)
{
	int r = ask_text(bus, path, "LoadState", &unit->load_state);
	if (r >= 0)
		r = ask_text(bus, path, "ActiveState", &unit->active_state);
	if (r >= 0)
		r = ask_text(bus, path, "SubState", &unit->sub_state);
	if (r >= 0)
		r = ask_text(bus, path, "FragmentPath", &unit->fragment_path);
	if (r >= 0)
		r = ask_list(bus, path, "TriggeredBy", &unit->triggered_by);
	if (r >= 0)
		r = ask_flag(bus, path, "NeedDaemonReload", &unit->need_reload);
	if (r >= 0)
		r = ask_flag(bus, path, "Transient", &unit->transient);
	return r;
}

static int64_t ask_main_pid(sd_bus *bus, const char *path)
{
	uint32_t pid = 0;
	int r = sd_bus_get_property_trivial(bus, MANAGER_NAME, path, SERVICE_INTERFACE, "MainPID",
					    NULL, 'u', &pid);
	return r < 0 ? 0 : pid;
}

/* LoadUnit rather than GetUnit: it answers for every name, "not-found" included, and runs
 * nothing. */
int dl_bus_unit_ask(void *self, const char *name, struct dl_host_unit *ret_unit,
		    struct dl_error *err)
{
	struct dl_disk *disk = self;
	dl_autounit unit = { 0 };
	dl_automessage *reply = NULL;
	const char *path;
	int r = connect_once(disk, err);
	if (r < 0)
		return r;
	r = sd_bus_call_method(disk->bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "LoadUnit",
			       NULL, &reply, "s", name);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = ask_properties(disk->bus, path, &unit);
	if (r < 0)
		return bus_error(err, r, "asking for the state", name);
	unit.unit_file_state = ask_file_state(disk->bus, name);
	size_t length = strlen(name);
	if (length > 8 && strcmp(name + length - 8, ".service") == 0)
		unit.main_pid = ask_main_pid(disk->bus, path);
	*ret_unit = unit;
	unit = (struct dl_host_unit){ 0 };
	return 0;
}

int dl_folder_unit_ask(void *self, const char *name, struct dl_host_unit *ret_unit,
		       struct dl_error *err)
{
	(void)self, (void)name, (void)ret_unit;
	return dl_error_set(err, DL_E_UNSUPPORTED, "a folder has no running systemd");
}
