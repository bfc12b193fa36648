/* Caller: who makes a request, as the guard found out. It rides on the
 * request and lives as long as it does. */
#ifndef DL_SERVER_AUTH_CALLER_H
#define DL_SERVER_AUTH_CALLER_H

#include "core/crypto/sha256.h"
#include "server/http/router.h"
#include "server/store/store.h"

struct dl_caller {
	struct dl_actor actor;                 /* for every call of the store */
	unsigned roles;                        /* DL_MAY_* held in any organization; 0 for an agent */
	json_t *session;                       /* session view of docs/api.md; NULL for an agent */
	char token_hash[DL_SHA256_TEXT_SIZE];  /* of the session's or the agent's token */
	char csrf[DL_SHA256_TEXT_SIZE];        /* what a form of this session must carry */
};

/* NULL on routes that ask for no proof. */
const struct dl_caller *dl_caller_of(const struct dl_request *request);

#endif
