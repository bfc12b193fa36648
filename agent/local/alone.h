/* Alone: the agent's state opened by a command, where no executor runs.
 *
 * Whoever has it open holds the journal's lock, so that a command and an
 * executor never work at the same time. What an earlier life left half done
 * is recovered first, as by the executor.
 */
#ifndef DL_AGENT_LOCAL_ALONE_H
#define DL_AGENT_LOCAL_ALONE_H

#include "agent/local/act.h"

struct dl_alone;

/* DL_E_BUSY: an executor that is starting or ending, or another command. */
int dl_alone_open(const char *state_folder, struct dl_alone **ret_alone, struct dl_error *err);
void dl_alone_free(struct dl_alone *alone);
DL_DEFINE_AUTO(dl_alone, dl_alone_free)

/* Borrowed. */
const struct dl_local *dl_alone_local(const struct dl_alone *alone);

#endif
