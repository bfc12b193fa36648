/* Facts as JSON, for the journal; private to agent/quarantine. */
#ifndef DL_AGENT_QUARANTINE_FACTS_H
#define DL_AGENT_QUARANTINE_FACTS_H

#include "agent/platform/change.h"

json_t *facts_to_json(const struct dl_facts *facts);
/* *ret_facts is cleared by the caller. */
int facts_from_json(const json_t *json, struct dl_facts *ret_facts, struct dl_error *err);

/* *ret_facts is cleared by the caller. */
void facts_copy(const struct dl_facts *facts, struct dl_facts *ret_facts);

/* Whether `now` is the object whose facts these are: DL_E_STALE with the first
 * difference in words. `exact` compares times and attributes too (undo);
 * without it only what an approval names: type, owner, mode, size, content. */
int facts_compare(const struct dl_facts *now, const struct dl_facts *then, bool exact,
		  struct dl_error *err);
/* The same against the object of an approved step. */
int facts_compare_approved(const struct dl_facts *now, const struct dl_object *approved,
			   struct dl_error *err);

#endif
