/* Stand-in for systemd on the scratch host: answers the calls of
 * agent/platform/control.h on /run/systemd/private, for one unit. It reads the
 * unit's file only when it is told to reload, like the real one. */
#ifndef DL_TESTS_CRASH_STANDIN_H
#define DL_TESTS_CRASH_STANDIN_H

#include <stdbool.h>
#include <sys/types.h>

/* What it knows, shared with the harness. */
struct standin {
	bool loaded, active;
	int reloads, starts, stops;
	pid_t process;
};

/* Once; the memory is shared with every process forked later. */
struct standin *standin_new(void);
/* Boots: loads `unit` of /etc/systemd/system and starts it if it is there. The scratch host is up. */
void standin_start(struct standin *standin, const char *unit);
void standin_stop(struct standin *standin);

#endif
