/* What the wire's readers accept they write again with the same meaning. */
#include "fuzz.h"

#include "core/wire/order.h"

#include <string.h>

static void read_order(const char *body)
{
	dl_auto(dl_order) order = NULL;
	dl_auto(dl_order) again = NULL;
	dl_autofree char *written = NULL;
	if (dl_order_from_body(body, &order, NULL) < 0)
		return;
	/* An accepted body may be spelled shorter than ours: only then may ours be too long. */
	int r = dl_order_to_body(order, &written, NULL);
	must(r == 0 || r == DL_E_LIMIT);
	if (r < 0)
		return;
	must(dl_order_from_body(written, &again, NULL) == 0);
	must(strcmp(order->revision_digest, again->revision_digest) == 0);
	must(memcmp(order->chosen, again->chosen, order->plan->step_count) == 0);
}

static void read_ticket(const char *body)
{
	struct dl_ticket ticket, again;
	if (dl_ticket_from_body(body, &ticket, NULL) < 0)
		return;
	dl_autofree char *written = dl_ticket_to_body(&ticket);
	must(dl_ticket_from_body(written, &again, NULL) == 0);
	must(ticket.verdict == again.verdict && strcmp(ticket.nonce, again.nonce) == 0);
}

static void read_key_cert(const char *body)
{
	struct dl_key_cert cert, again;
	if (dl_key_cert_from_body(body, &cert, NULL) < 0)
		return;
	dl_autofree char *written = dl_key_cert_to_body(&cert);
	must(dl_key_cert_from_body(written, &again, NULL) == 0);
	must(strcmp(cert.public_key, again.public_key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autofree char *body = size ? dl_strndup((const char *)data, size) : dl_strdup("");
	read_order(body);
	read_ticket(body);
	read_key_cert(body);
	return 0;
}
