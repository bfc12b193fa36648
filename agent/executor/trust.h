/* Trust: what an envelope from the server must show before a byte of it is
 * parsed. The root vouches for a signing key, the signing key for the body. */
#ifndef DL_AGENT_EXECUTOR_TRUST_H
#define DL_AGENT_EXECUTOR_TRUST_H

#include "agent/executor/identity.h"
#include "core/wire/order.h"

enum { DL_TICKET_MAX_BYTES = 4096 };

/* How far a host's clock may lag before a key counts as not yet valid. */
#define DL_TRUST_LAG_MS (INT64_C(24) * 3600 * 1000)

/* Verifies `key` by the root and `envelope` by that key. *ret_body is borrowed
 * from the envelope. DL_E_DENIED: not signed so, or the key's time is over at
 * `now`; DL_E_INVALID: malformed. */
int dl_trust_open(const struct dl_identity *identity, const json_t *key, const json_t *envelope,
		  const char *type, size_t body_limit, int64_t now, const char **ret_body,
		  struct dl_error *err);

/* The latest time this agent has reason to believe in: its own clock, or the
 * highest server time a ticket told. A clock set back revives no expired key. */
int dl_trust_now(struct dl_journal *journal, int64_t *ret_now, struct dl_error *err);

/* Remembers a server time that a verified ticket told. */
int dl_trust_saw(struct dl_journal *journal, int64_t server_time, struct dl_error *err);

#endif
