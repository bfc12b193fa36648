/* Executor: the half of the agent that has root and no network.
 *
 * Holds the signing key, the journal and the remedy; takes requests from link
 * over a local socket, verifies every order itself, acts only on a fresh `go`,
 * and leaves results and surveys in the outbox for link to carry.
 */
#ifndef DL_AGENT_EXECUTOR_EXECUTOR_H
#define DL_AGENT_EXECUTOR_EXECUTOR_H

#include "agent/platform/process.h"

#define DL_STATE_FOLDER "/var/lib/dislodge"
#define DL_EXECUTOR_SOCKET "/run/dislodge/executor.sock"
enum {
	DL_SURVEY_INTERVAL_S = 900,
	DL_SURVEY_INTERVAL_MIN_S = 1,
	DL_SURVEY_INTERVAL_MAX_S = 7 * 24 * 3600,
};

struct dl_executor_options {
	const char *state_folder;
	const char *socket_path;
	struct dl_account link; /* who besides root may connect */
	int64_t survey_interval_ms;
	int stop; /* readable when it is time to end */
	void (*say)(const char *words); /* a line for the log */
};

/* Runs until told to stop (0), or until it cannot go on. DL_E_NOT_FOUND: this
 * host is not enrolled; DL_E_BUSY: another executor has the journal. */
int dl_executor_run(const struct dl_executor_options *options, struct dl_error *err);

#endif
