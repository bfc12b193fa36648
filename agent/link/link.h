/* Link: the half of the agent that has the network and nothing else.
 *
 * Holds a long poll open at the server and carries what comes: orders to the
 * executor, its claims to the server, tickets back, and the records of its
 * outbox out. It understands none of them, keeps nothing over a restart, and
 * neither end believes it more than the bytes' signatures show.
 */
#ifndef DL_AGENT_LINK_LINK_H
#define DL_AGENT_LINK_LINK_H

#include "agent/link/settings.h"

#define DL_LINK_STATE_FOLDER "/var/lib/dislodge-link"

struct dl_link_options {
	const struct dl_link_settings *settings; /* borrowed */
	const char *socket_path;                 /* the executor's */
	int64_t backoff_max_ms;                  /* 0: the usual one */
	int stop; /* readable when it is time to end */
	void (*say)(const char *words); /* a line for the log */
};

/* Runs until told to stop. */
int dl_link_run(const struct dl_link_options *options, struct dl_error *err);

#endif
