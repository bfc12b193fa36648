/* Agent: what the cases about a host's agent share. Internal to the store. */
#ifndef DL_SERVER_STORE_AGENT_H
#define DL_SERVER_STORE_AGENT_H

#include "core/crypto/sha256.h"
#include "server/store/tx.h"

struct dl_agent {
	int64_t id, organization;
	char *public_key, *key_id, *hostname, *machine_hash; /* owned */
	int64_t last_seq, last_contact, survey_requested, survey_delivered; /* 0: none */
	int64_t intake_since, intake_bytes; /* intake.h */
	bool revoked, forked, unconfirmed;
};

/* For `__attribute__((cleanup(dl_agent_clear)))`. */
void dl_agent_clear(struct dl_agent *agent);

int dl_agent_load(struct dl_tx *tx, int64_t id, struct dl_agent *ret_agent, struct dl_error *err);
/* The agent that asks; DENIED for anybody else and for a revoked one. */
int dl_agent_load_actor(struct dl_tx *tx, struct dl_agent *ret_agent, struct dl_error *err);

/* ---- one machine, one agent (case_machine.c) ---- */

/* Settles what a new agent is to those that its machine had before. `statement`
 * is the exact body that it enrolled with. Signed by an earlier agent too, as
 * the envelope `earlier` (may be NULL): takes that one's place, and it is over.
 * Else the earlier ones stay what they are and the new one is unconfirmed: a
 * machine's hash is no secret, so whoever knows it must not be able to end the
 * agent that is there. */
int dl_machine_settle(struct dl_tx *tx, const struct dl_agent *agent, const char *statement,
		      const json_t *earlier, struct dl_error *err);

int dl_audit_agent(struct dl_tx *tx, const char *action, int64_t organization, int64_t agent,
		   struct dl_error *err);

#endif
