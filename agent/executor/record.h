/* Records: what this agent tells the server, each numbered and signed, kept
 * in the outbox until the server has it. */
#ifndef DL_AGENT_EXECUTOR_RECORD_H
#define DL_AGENT_EXECUTOR_RECORD_H

#include "agent/executor/identity.h"

/* Content forms: docs/protocol.md. All return once the record is on the disk. */

int dl_record_survey(struct dl_journal *journal, const struct dl_identity *identity,
		     const json_t *content, struct dl_error *err);

/* The plan named in the result is over (`to`: FINISHED or REFUSED) exactly
 * when its result is kept. */
int dl_record_result(struct dl_journal *journal, const struct dl_identity *identity,
		     const json_t *content, enum dl_journal_plan_state to, struct dl_error *err);

/* What root of this host did without the server; the plan named in it is FINISHED
 * exactly when the record is kept. */
int dl_record_local(struct dl_journal *journal, const struct dl_identity *identity,
		    const json_t *content, struct dl_error *err);

#endif
