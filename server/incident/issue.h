/* Issue: making the signed things a host acts on. No I/O; the caller stores the
 * envelope in the transaction of the decision. */
#ifndef DL_SERVER_INCIDENT_ISSUE_H
#define DL_SERVER_INCIDENT_ISSUE_H

#include "core/wire/order.h"

/* How long an order waits for its host: 30 days. */
enum { DL_ORDER_WAIT_DAYS = 30 };
#define DL_ORDER_WAIT_MS ((int64_t)DL_ORDER_WAIT_DAYS * 24 * 3600 * 1000)

/* How soon after a ticket the host must have started. */
enum { DL_TICKET_START_MS = 60 * 1000 };

/* Signs the order; ret_sha256 is of its exact body, which a claim must name. */
int dl_order_issue(const struct dl_order *order, const struct dl_signing_key *key,
		   json_t **ret_envelope, char ret_sha256[DL_SHA256_TEXT_SIZE],
		   struct dl_error *err);

int dl_ticket_issue(const struct dl_ticket *ticket, const struct dl_signing_key *key,
		    json_t **ret_envelope, struct dl_error *err);

#endif
