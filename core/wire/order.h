/* Order: one approved, signed instance of a revision for one host.
 * JSON form and limits: docs/protocol.md. */
#ifndef DL_CORE_WIRE_ORDER_H
#define DL_CORE_WIRE_ORDER_H

#include "core/crypto/random.h"
#include "core/plan/plan.h"
#include "core/wire/envelope.h"

enum dl_order_kind { DL_ORDER_REMOVE, DL_ORDER_UNDO };
enum { DL_ORDER_MAX_BYTES = 256 * 1024, DL_ORDER_APPROVALS_MAX = 16 };

/* Limits of a revision's texts. */
enum { DL_SUBJECT_MAX_BYTES = 1024, DL_REVISION_TEXT_MAX_BYTES = 32 * 1024 };

/* A ticket that leaves the executor more time than this is refused. */
enum { DL_TICKET_START_WITHIN_MAX_MS = 60 * 60 * 1000 };

struct dl_order {
	char plan_id[DL_ID_TEXT_SIZE];
	enum dl_order_kind kind;
	char undo_of[DL_ID_TEXT_SIZE]; /* undo: plan whose steps are restored */
	int64_t organization, agent, incident;
	char agent_key_id[DL_KEY_ID_TEXT_SIZE];
	int64_t issued, not_after; /* ms */
	char *revision;            /* the revision's exact bytes, as approved */
	char revision_digest[DL_SHA256_TEXT_SIZE]; /* computed from them, never read */
	struct dl_plan *plan;      /* parsed from the revision's bytes */
	bool *chosen;              /* per step of the plan */
	json_t *approvals;         /* [{user, role, time, method}] */
};

void dl_order_free(struct dl_order *order);
DL_DEFINE_AUTO(dl_order, dl_order_free)

/* Order → exact body bytes to sign; owned by the caller. */
int dl_order_to_body(const struct dl_order *order, char **ret_body, struct dl_error *err);

/* Strict: closed schema, limits, at least one step chosen, every chosen step
 * assisted and (to remove) its requirements chosen; an undo may choose any
 * assisted step alone. The revision is about the order's incident. Call only after the envelope was verified. */
int dl_order_from_body(const char *body, struct dl_order **ret, struct dl_error *err);

enum dl_verdict { DL_VERDICT_GO, DL_VERDICT_CANCELLED, DL_VERDICT_EXPIRED };

struct dl_ticket {
	char plan_id[DL_ID_TEXT_SIZE];
	char order_sha256[DL_SHA256_TEXT_SIZE];
	char nonce[DL_ID_TEXT_SIZE];
	int64_t server_time, start_within_ms;
	enum dl_verdict verdict;
};

char *dl_ticket_to_body(const struct dl_ticket *ticket);
int dl_ticket_from_body(const char *body, struct dl_ticket *ret, struct dl_error *err);

/* A key certificate: the root key vouches for a signing key until not_after. */
struct dl_key_cert {
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	int64_t not_before, not_after;
};
char *dl_key_cert_to_body(const struct dl_key_cert *cert);
int dl_key_cert_from_body(const char *body, struct dl_key_cert *ret, struct dl_error *err);

#endif
