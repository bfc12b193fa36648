/* Record: one signed report of a host while it is taken in. Internal to the
 * store. A handler that refuses (INVALID, LIMIT, NOT_FOUND, STATE) leaves no
 * trace but its words. */
#ifndef DL_SERVER_STORE_RECORD_H
#define DL_SERVER_STORE_RECORD_H

#include "server/store/agent.h"

struct dl_record {
	json_t *fields;    /* owned by the case */
	const char *body;  /* exact bytes; borrowed, like all below */
	const char *type;
	json_t *content;
	int64_t seq, time;
};

int dl_record_survey(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err);
int dl_record_result(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err);
int dl_record_local(struct dl_tx *tx, const struct dl_agent *agent,
		    const struct dl_record *record, struct dl_error *err);

#endif
