/* Survey: finds the footholds of a host, kind by kind.
 *
 * A foothold that a package owns and nobody changed is counted, not listed,
 * unless asked for. Reading only: nothing on the host changes.
 */
#ifndef DL_AGENT_SURVEY_SURVEY_H
#define DL_AGENT_SURVEY_SURVEY_H

#include "agent/platform/host.h"
#include "core/plan/survey.h"

struct dl_survey_options {
	bool all; /* list package-owned, unmodified footholds too */
	/* When this host's memory first saw a foothold, in ms; `now` for a new one. May be NULL. */
	int64_t (*first_seen)(void *memory, const char *key, int64_t now);
	void *memory;
};

/* What could not be read makes a kind's coverage partial and is no failure;
 * DL_E_* only when the host cannot be read at all. */
int dl_survey_make(struct dl_host *host, const struct dl_survey_options *options,
		   struct dl_survey **ret_survey, struct dl_error *err);

#endif
