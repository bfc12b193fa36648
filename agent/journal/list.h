/* Lists of what the journal keeps for ever, for people who look at one host. */
#ifndef DL_AGENT_JOURNAL_LIST_H
#define DL_AGENT_JOURNAL_LIST_H

#include "agent/journal/journal.h"

/* Plans, newest first: [{"plan_id","state":"received"|"claimed"|"finished"|
 * "refused","received":ms}], a new reference; at most `limit`. */
int dl_journal_plans(struct dl_journal *journal, size_t limit, json_t **ret_plans,
		     struct dl_error *err);

/* Moves that took something which nobody gave back yet (DONE), oldest first,
 * at most `limit`; *ret_more: there are others. Cleared by the caller. */
int dl_journal_moves_done(struct dl_journal *journal, size_t limit, struct dl_moves *ret_moves,
			  bool *ret_more, struct dl_error *err);

#endif
