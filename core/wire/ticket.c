#include "core/wire/order.h"

#include <string.h>

/* Two ids, a digest and three numbers. */
enum { TICKET_MAX_BYTES = 4096 };

static const char *const verdict_names[] = {
	[DL_VERDICT_GO] = "go",
	[DL_VERDICT_CANCELLED] = "cancelled",
	[DL_VERDICT_EXPIRED] = "expired",
};

char *dl_ticket_to_body(const struct dl_ticket *ticket)
{
	dl_autojson *json = json_object();
	dl_json_put_int(json, "version", 1);
	dl_json_put_str(json, "plan_id", ticket->plan_id);
	dl_json_put_str(json, "order_sha256", ticket->order_sha256);
	dl_json_put_str(json, "nonce", ticket->nonce);
	dl_json_put_int(json, "server_time", ticket->server_time);
	dl_json_put_int(json, "start_within_ms", ticket->start_within_ms);
	dl_json_put_str(json, "verdict", verdict_names[ticket->verdict]);
	return dl_json_text(json);
}

/* Into an array of 2 * bytes + 1 characters. */
static int read_hex(const json_t *json, const char *name, size_t bytes, char *out,
		    struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_hex(json, name, bytes, &text, err);
	if (r == 0)
		memcpy(out, text, 2 * bytes + 1);
	return r;
}

static int read_verdict(const json_t *json, struct dl_ticket *ticket, struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_json_str(json, "verdict", DL_NAME_MAX_BYTES, &name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_COUNT(verdict_names); i++) {
		if (strcmp(verdict_names[i], name) == 0) {
			ticket->verdict = (enum dl_verdict)i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "no such verdict");
}

static int read_ticket(const json_t *json, struct dl_ticket *ticket, struct dl_error *err)
{
	static const char *const members[] = {
		"version", "plan_id", "order_sha256", "nonce", "server_time", "start_within_ms",
		"verdict", NULL,
	};
	const size_t id_bytes = (DL_ID_TEXT_SIZE - 1) / 2;
	int64_t version = 0;
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = dl_json_int(json, "version", 1, 1, &version, err);
	if (r == 0)
		r = read_hex(json, "plan_id", id_bytes, ticket->plan_id, err);
	if (r == 0)
		r = read_hex(json, "order_sha256", DL_SHA256_SIZE, ticket->order_sha256, err);
	if (r == 0)
		r = read_hex(json, "nonce", id_bytes, ticket->nonce, err);
	if (r == 0)
		r = dl_json_int(json, "server_time", 1, INT64_MAX, &ticket->server_time, err);
	if (r == 0)
		r = dl_json_int(json, "start_within_ms", 0, DL_TICKET_START_WITHIN_MAX_MS,
				&ticket->start_within_ms, err);
	return r < 0 ? r : read_verdict(json, ticket, err);
}

int dl_ticket_from_body(const char *body, struct dl_ticket *ret, struct dl_error *err)
{
	dl_autojson *json = NULL;
	struct dl_ticket ticket = { 0 };
	int r = dl_json_parse(body, strlen(body), TICKET_MAX_BYTES, &json, err);
	if (r == 0)
		r = read_ticket(json, &ticket, err);
	if (r < 0)
		return dl_error_prefix(err, r, "ticket");
	*ret = ticket;
	return 0;
}
