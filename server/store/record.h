/* Record: one signed report of a host while it is taken in. Internal to the
 * store. A handler that refuses (INVALID, LIMIT, NOT_FOUND, STATE) leaves no
 * trace but its words. */
#ifndef DL_SERVER_STORE_RECORD_H
#define DL_SERVER_STORE_RECORD_H

#include "core/plan/survey.h"
#include "server/store/agent.h"

struct dl_record {
	json_t *fields;          /* owned by the case */
	struct dl_survey *survey; /* of a survey that is one; owned by the case */
	struct dl_error problem; /* why it is none; code 0: no problem */
	const char *body;        /* exact bytes; borrowed, like all below */
	const char *type;
	json_t *content;
	int64_t seq, time;
	char sha256[DL_SHA256_TEXT_SIZE]; /* of the body */
};

int dl_record_survey(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err);
int dl_record_result(struct dl_tx *tx, const struct dl_agent *agent,
		     const struct dl_record *record, struct dl_error *err);
int dl_record_local(struct dl_tx *tx, const struct dl_agent *agent,
		    const struct dl_record *record, struct dl_error *err);

#endif
