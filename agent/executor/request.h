/* Requests: everything link, and root on this host, may ask of the executor, in
 * one closed table.
 *
 * A request that is not in the table, or has a member it should not have, is
 * hostile (DL_E_INVALID): the caller closes the connection. Forms:
 * docs/protocol.md.
 */
#ifndef DL_AGENT_EXECUTOR_REQUEST_H
#define DL_AGENT_EXECUTOR_REQUEST_H

#include "agent/executor/work.h"
#include "agent/local/act.h"

/* What the executor does between requests, in the order asked for. */
struct dl_agenda {
	struct dl_permit permits[DL_ADMISSION_PLANS_MAX]; /* claimed or forbidden, to be ended */
	size_t permit_count;
	bool survey;
};
void dl_agenda_clear(struct dl_agenda *agenda);

struct dl_desk {
	struct dl_work work;
	struct dl_local local;
	struct dl_agenda *agenda; /* borrowed */
	const char *boot_id;      /* borrowed */
};

/* Answers one request (a new reference). `by_root`: the kernel says that the
 * peer is root; to anybody else a request that needs it is an unknown one. */
int dl_request_answer(struct dl_desk *desk, bool by_root, const json_t *request,
		      json_t **ret_answer, struct dl_error *err);

#endif
