#include "agent/link/state.h"

#include "core/base/time.h"

#include <inttypes.h>

enum {
	POLL_TIMEOUT_MS = 90 * 1000, /* the server answers within 55 s */
	POLL_PACE_MS = 500,          /* at least so long from one poll to the next */
	CALL_TIMEOUT_MS = 30 * 1000,
	RECORDS_TIMEOUT_MS = 120 * 1000,
	POLL_ANSWER_MAX = 8 * 1024 * 1024,
	SMALL_ANSWER_MAX = 64 * 1024,
	ORDERS_MAX = 16,
};

static int post(struct dl_link *link, const char *path, const json_t *body, size_t answer_limit,
		int64_t timeout_ms, dl_call_done done, struct dl_error *err)
{
	struct dl_call call = { .path = path, .body = body, .answer_limit = answer_limit,
				.timeout_ms = timeout_ms, .done = done, .context = link };
	return dl_caller_post(link->caller, &call, err);
}

/* Orders go to the executor in the order in which they came, and the status that
 * the next poll needs is asked after them: it tells them as held. */
static int relay_orders(struct dl_link *link, const json_t *body, struct dl_error *err)
{
	json_t *orders = NULL, *order;
	size_t i;
	int r = dl_json_array_opt(body, "orders", ORDERS_MAX, &orders, err);
	if (r < 0)
		return r;
	json_array_foreach(orders, i, order)
	{
		json_t *key, *envelope;
		r = dl_json_object(order, "key", &key, err);
		if (r >= 0)
			r = dl_json_object(order, "order", &envelope, err);
		if (r < 0)
			return r;
		dl_link_ask_executor(link, DL_ASK_ORDER,
				     json_pack("{s:s, s:O, s:O}", "request", "order", "key", key,
					       "order", envelope));
	}
	return 0;
}

static void relay_acked(struct dl_link *link, int64_t through)
{
	if (through <= link->acked)
		return;
	link->acked = through;
	dl_link_ask_executor(link, DL_ASK_ACKED,
			     json_pack("{s:s, s:I}", "request", "acked", "through",
				       (json_int_t)through));
}

static int heed_poll(struct dl_link *link, const json_t *body, struct dl_error *err)
{
	bool survey = false;
	int64_t through = 0;
	int r = dl_json_int_opt(body, "acked_through", 0, INT64_MAX, &through, err);
	if (r >= 0)
		r = dl_json_bool_opt(body, "survey", &survey, err);
	if (r >= 0)
		r = relay_orders(link, body, err);
	if (r < 0)
		return r;
	relay_acked(link, through);
	if (survey)
		dl_link_ask_executor(link, DL_ASK_SURVEY,
				     json_pack("{s:s}", "request", "survey"));
	return 0;
}

static void poll_done(void *context, const struct dl_answer *answer)
{
	struct dl_link *link = context;
	struct dl_error error = answer->error;
	int r = error.code;
	link->poll.busy = false;
	if (r == 0 && answer->body)
		r = heed_poll(link, answer->body, &error);
	if (r < 0) {
		dl_link_failed(link, &link->poll, "polling", &error);
		return;
	}
	dl_link_succeeded(&link->poll);
	link->poll.at = link->poll_started + POLL_PACE_MS; /* a server that holds none is no loop */
}

/* Passed on as the executor said them. */
static const char *const poll_members[] = { "boot_id", "version", "last_seq", "held" };

void dl_link_poll(struct dl_link *link, const json_t *status)
{
	struct dl_error error = { 0 };
	dl_autojson *body = json_object();
	for (size_t i = 0; i < DL_COUNT(poll_members); i++)
		json_object_set(body, poll_members[i], json_object_get(status, poll_members[i]));
	link->poll_started = dl_time_monotonic_ms();
	if (post(link, "/agent/v1/poll", body, POLL_ANSWER_MAX, POLL_TIMEOUT_MS, poll_done,
			 &error) >= 0)
		link->poll.busy = true;
	else
		dl_link_failed(link, &link->poll, "polling", &error);
}

static void claim_done(void *context, const struct dl_answer *answer)
{
	struct dl_link *link = context;
	struct dl_error error = answer->error;
	json_t *key, *ticket;
	link->claims_open--;
	int r = error.code;
	if (r == 0)
		r = dl_json_object(answer->body, "key", &key, &error);
	if (r == 0)
		r = dl_json_object(answer->body, "ticket", &ticket, &error);
	if (r < 0) {
		link->claims.wanted = true; /* the executor's status offers it again */
		dl_link_failed(link, &link->claims, "claiming", &error);
		return;
	}
	dl_link_ask_executor(link, DL_ASK_TICKET,
			     json_pack("{s:s, s:O, s:O}", "request", "ticket", "key", key, "ticket",
				       ticket));
}

void dl_link_claim(struct dl_link *link, const json_t *claim)
{
	struct dl_error error = { 0 };
	if (post(link, "/agent/v1/claim", claim, SMALL_ANSWER_MAX, CALL_TIMEOUT_MS, claim_done,
		 &error) >= 0) {
		link->claims_open++;
		return;
	}
	link->claims.wanted = true;
	dl_link_failed(link, &link->claims, "claiming", &error);
}

static int heed_records(struct dl_link *link, const json_t *body, struct dl_error *err)
{
	int64_t through;
	int r = dl_json_int(body, "acked_through", 0, INT64_MAX, &through, err);
	if (r < 0)
		return r;
	if (through <= link->acked)
		return dl_error_set(err, DL_E_INVALID, "the server took no record");
	relay_acked(link, through);
	return 0;
}

static void records_done(void *context, const struct dl_answer *answer)
{
	struct dl_link *link = context;
	struct dl_error error = answer->error;
	link->records.busy = link->posting = false;
	int r = error.code;
	if (r == 0)
		r = heed_records(link, answer->body, &error);
	if (r >= 0) {
		dl_link_succeeded(&link->records);
		return; /* asked again once the executor has forgotten these */
	}
	link->records.wanted = true;
	dl_link_failed(link, &link->records, "sending records", &error);
}

void dl_link_send_records(struct dl_link *link, const json_t *answer)
{
	struct dl_error error = { 0 };
	dl_autojson *body = json_object();
	json_object_set(body, "records", json_object_get(answer, "records"));
	if (post(link, "/agent/v1/records", body, SMALL_ANSWER_MAX, RECORDS_TIMEOUT_MS,
		 records_done, &error) >= 0) {
		link->records.busy = link->posting = true;
		return;
	}
	link->records.wanted = true;
	dl_link_failed(link, &link->records, "sending records", &error);
}
