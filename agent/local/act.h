/* Local acts: what root of this host asks of the agent without a server.
 *
 * The one place that carries such an ask out, whoever holds the journal: the
 * running executor for a caller on its socket, or the command itself where no
 * executor runs (agent/local/ask.h). Being root is the approval; who asked is
 * journalled before anything changes (I1), and told to the server with the
 * next records if this host has one. Forms: docs/protocol.md.
 */
#ifndef DL_AGENT_LOCAL_ACT_H
#define DL_AGENT_LOCAL_ACT_H

#include "agent/executor/identity.h"
#include "agent/quarantine/limits.h"
#include "agent/quarantine/quarantine.h"
#include "agent/remedy/remedy.h"

/* Marks the plans of local acts in the journal, where others have a key. */
#define DL_LOCAL_KEY "local"

enum { DL_LOCAL_PURGE_MAX = 1000, DL_LOCAL_PLANS_MAX = 1000, DL_LOCAL_LOGIN_MAX = 256 };

struct dl_local {
	struct dl_journal *journal; /* all borrowed */
	struct dl_remedy *remedy;
	struct dl_quarantine *quarantine;
	const struct dl_identity *identity; /* NULL: no server */
};

/* Answers one ask (a new reference). *ret_changed: the host may be another one
 * now, a survey is due. A plan whose steps failed is an answer, no failure. */
int dl_local_answer(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		    bool *ret_changed, struct dl_error *err);

/* After a start, when the moves were recovered: steps that had begun are
 * finished, the others end as cancelled, for whoever approved them is gone. */
int dl_local_recover(const struct dl_local *local, struct dl_error *err);

/* Destroys what lies in quarantine longer than the setting allows; nothing
 * without one. Journalled as an act of the setting. */
int dl_local_retain(const struct dl_local *local, struct dl_error *err);

#endif
