/* Identity: who this agent is and whom it obeys; made by enrolment, kept in
 * the journal's settings. */
#ifndef DL_AGENT_EXECUTOR_IDENTITY_H
#define DL_AGENT_EXECUTOR_IDENTITY_H

#include "agent/journal/journal.h"
#include "core/crypto/sign.h"

struct dl_identity {
	int64_t agent, organization;
	struct dl_signing_key *key; /* signs claims and records */
	char key_id[DL_KEY_ID_TEXT_SIZE];
	char root_key[DL_PUBLIC_KEY_TEXT_SIZE]; /* the only key whose word counts by itself */
};

/* DL_E_NOT_FOUND: this host is not enrolled. DL_E_DENIED: the root key is not
 * the one that enrolment pinned. */
int dl_identity_load(struct dl_journal *journal, struct dl_identity **ret, struct dl_error *err);
void dl_identity_free(struct dl_identity *identity);
DL_DEFINE_AUTO(dl_identity, dl_identity_free)

/* Replaces whatever identity there was, whole or not at all. What the earlier
 * one had been told and had not yet said goes with it: nobody would take it. */
int dl_identity_store(struct dl_journal *journal, const struct dl_identity *identity,
		      struct dl_error *err);

#endif
