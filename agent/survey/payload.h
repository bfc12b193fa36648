/* Payload: the files that a command runs.
 *
 * Follows a command through wrappers (`sudo`, `nohup`, `timeout 5`), shells
 * (`sh -c "…"`) and interpreters (`python3 x.py`) to the files that exist, and
 * adds each as a payload object: programs, scripts, preloaded libraries. An
 * interpreter is listed too; being a package's own file no step will touch it.
 * A symlink that no package owns is listed beside the file it leads to.
 */
#ifndef DL_AGENT_SURVEY_PAYLOAD_H
#define DL_AGENT_SURVEY_PAYLOAD_H

#include "agent/platform/host.h"
#include "core/plan/foothold.h"

enum {
	DL_PAYLOADS_MAX = 16,     /* of one foothold; further files are passed over */
	DL_PAYLOAD_DEPTH_MAX = 6, /* sh -c "sh -c …" */
	DL_PAYLOAD_SEARCH_MAX = 32, /* folders of a search path */
};

/* Where the command runs; all borrowed. */
struct dl_payload_place {
	struct dl_host *host;
	const char *search; /* folders of bare names, as in PATH */
	const char *home;   /* of "~/" and "$HOME/"; NULL if not known */
	const char *folder; /* of relative names; NULL if not known */
	int64_t looks_max;  /* the search ends when dl_host_looks reaches it */
};

/* Add to the foothold what the text runs. Fails when the host could not be read (DL_E_DENIED,
 * DL_E_IO) or the search was cut short (DL_E_LIMIT: looks_max, or a name that is in none of the
 * first DL_PAYLOAD_SEARCH_MAX folders); what was found until then stays. */
int dl_payload_of_shell(const struct dl_payload_place *place, const char *text,
			struct dl_foothold *foothold, struct dl_error *err);
int dl_payload_of_exec(const struct dl_payload_place *place, const char *value,
		       struct dl_foothold *foothold, struct dl_error *err);

/* One file by its name, e.g. the SHELL of a crontab. */
int dl_payload_of_program(const struct dl_payload_place *place, const char *name,
			  struct dl_foothold *foothold, struct dl_error *err);

#endif
