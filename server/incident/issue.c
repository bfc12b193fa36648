#include "server/incident/issue.h"

#include <string.h>

int dl_order_issue(const struct dl_order *order, const struct dl_signing_key *key,
		   json_t **ret_envelope, char ret_sha256[DL_SHA256_TEXT_SIZE],
		   struct dl_error *err)
{
	dl_autofree char *body = NULL;
	int r = dl_order_to_body(order, &body, err);
	if (r < 0)
		return r;
	r = dl_envelope_sign(key, DL_TYPE_ORDER, body, ret_envelope, err);
	if (r < 0)
		return r;
	dl_sha256_text(body, strlen(body), ret_sha256);
	return 0;
}

int dl_ticket_issue(const struct dl_ticket *ticket, const struct dl_signing_key *key,
		    json_t **ret_envelope, struct dl_error *err)
{
	dl_autofree char *body = dl_ticket_to_body(ticket);
	return dl_envelope_sign(key, DL_TYPE_TICKET, body, ret_envelope, err);
}
