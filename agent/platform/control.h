/* Control: the write face over systemd (sd-bus, org.freedesktop.systemd1(5)).
 *
 * Talks to PID 1 over its private socket, by an explicit address, so that it
 * works with D-Bus down and cannot be led elsewhere by an environment. Only
 * the calls below exist: KillUnit is left out on purpose (it runs
 * ExecStopPost and Restart= revives the service).
 */
#ifndef DL_AGENT_PLATFORM_CONTROL_H
#define DL_AGENT_PLATFORM_CONTROL_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct dl_control;

enum {
	DL_CONTROL_STOP_MS = 30 * 1000,   /* how long a unit may take to stop or start */
	DL_CONTROL_RELOAD_MS = 90 * 1000, /* how long a reload may take */
};

/* DL_E_UNSUPPORTED: this machine was not booted by systemd; DL_E_UNAVAILABLE: it does not
 * answer. */
int dl_control_open(struct dl_control **ret_control, struct dl_error *err);
void dl_control_free(struct dl_control *control);
DL_DEFINE_AUTO(dl_control, dl_control_free)

/* daemon-reload; returns after the reload is complete. Generators run. */
int dl_control_reload(struct dl_control *control, struct dl_error *err);

/* StopUnit and StartUnit, "replace"; waits for the job. DL_E_TIMEOUT: it still
 * runs; DL_E_NOT_FOUND: systemd does not know the unit (nothing to stop). */
int dl_control_stop(struct dl_control *control, const char *unit, struct dl_error *err);
int dl_control_start(struct dl_control *control, const char *unit, struct dl_error *err);
/* ResetFailedUnit; a unit that is not loaded is no error. */
int dl_control_reset_failed(struct dl_control *control, const char *unit, struct dl_error *err);

/* What is left of a unit. Texts are static sizes, "" where there is none. */
struct dl_unit_state {
	char load[32];   /* loaded, not-found, masked … */
	char active[32]; /* active, inactive, failed … */
	char sub[32];
	char control_group[512]; /* path below the cgroup root */
	int64_t processes;       /* living in that cgroup; -1 if it cannot be told */
};
int dl_control_state(struct dl_control *control, const char *unit, struct dl_unit_state *ret_state,
		     struct dl_error *err);

#endif
