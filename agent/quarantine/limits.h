/* Limits of the quarantine, set by the host's root in DL_LIMITS_FILE:
 *
 *   [quarantine]
 *   max_mib = 1024           ; all of it together; more is refused with no_space
 *   purge_after_days = 0     ; 0 (as without the file): never by itself
 *
 * An unknown section or name is an error with its line: a setting that is not
 * understood must not look like one that is obeyed.
 */
#ifndef DL_AGENT_QUARANTINE_LIMITS_H
#define DL_AGENT_QUARANTINE_LIMITS_H

#include "agent/journal/journal.h"
#include "agent/platform/host.h"
#include "core/plan/plan.h"

#define DL_LIMITS_FILE "/etc/dislodge/agent.conf"
enum {
	DL_LIMITS_FILE_MAX_BYTES = 64 * 1024,
	DL_LIMITS_MIB_DEFAULT = 1024,
	DL_LIMITS_MIB_MAX = 1024 * 1024,
	DL_LIMITS_DAYS_MAX = 3650,
};

struct dl_limits {
	int64_t max_bytes;
	int64_t purge_after_days; /* 0: never */
};

int dl_limits_parse(const char *text, size_t size, struct dl_limits *ret, struct dl_error *err);
/* A missing file gives the defaults. */
int dl_limits_read(struct dl_host *host, struct dl_limits *ret, struct dl_error *err);

/* DL_E_NO_SPACE: what the chosen steps would take, by the sizes approved, goes
 * past the cap together with what lies there already. */
int dl_limits_allow(const struct dl_limits *limits, struct dl_journal *journal,
		    const struct dl_plan *plan, const bool *chosen, struct dl_error *err);

#endif
