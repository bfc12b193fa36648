/* A server that signs and a host that judges, in one process: real keys, a
 * real journal in a throw-away folder, no network and no host. */
#ifndef DL_TESTS_AGENT_EXECUTOR_WORLD_H
#define DL_TESTS_AGENT_EXECUTOR_WORLD_H

#include "agent/executor/admission.h"

struct world {
	char folder[64];
	int state;
	struct dl_signing_key *root, *server; /* the server's */
	json_t *cert;                         /* root's word for `server` */
	struct dl_identity *identity;         /* the host's */
	struct dl_journal *journal;
	struct dl_admission *admission;
	struct dl_order *order; /* to be varied by a test before it is signed */
};

int world_set_up(void **state);
int world_tear_down(void **state);

/* The host's executor ends and starts again; what was not journalled is lost. */
void world_restart(struct world *world);

/* New references. */
json_t *world_cert(const struct dl_signing_key *root, const struct dl_signing_key *key,
		   int64_t not_before, int64_t not_after);
json_t *world_sign_order(const struct world *world, const struct dl_signing_key *key);
json_t *world_answer(const struct world *world, const json_t *claim, enum dl_verdict verdict);
/* A ticket with what the test put into it. */
json_t *world_sign_ticket(const struct world *world, const struct dl_ticket *ticket);
/* What a claim says. */
void world_read_claim(const struct world *world, const json_t *claim, struct dl_ticket *ret);

/* The journal's word about the world's order; -1: it does not know the plan. */
int world_plan_state(const struct world *world);

#endif
