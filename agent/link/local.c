#include "agent/link/state.h"

enum { CLAIMS_MAX = 64, RECORDS_MAX = 64, REASON_MAX = 64, MESSAGE_MAX = 1024 };

static void lose_executor(struct dl_link *link, const struct dl_error *error)
{
	dl_channel_free(link->executor);
	link->executor = NULL;
	link->asked_count = 0;
	link->status_asked = false;
	link->records.busy = link->posting; /* a call under way ends by itself */
	link->acked = 0;
	dl_link_failed(link, &link->connect, "the executor", error);
}

void dl_link_reach_executor(struct dl_link *link)
{
	struct dl_error error = { 0 };
	if (link->executor || !dl_link_due(&link->connect))
		return;
	if (dl_channel_connect(link->options->socket_path, &link->executor, &error) < 0) {
		dl_link_failed(link, &link->connect, "the executor", &error);
		return;
	}
	dl_link_succeeded(&link->connect);
	link->records.wanted = link->claims.wanted = true; /* what it has from before its start */
}

void dl_link_ask_executor(struct dl_link *link, enum dl_link_ask ask, json_t *request)
{
	dl_autojson *owned = request;
	struct dl_error error = { 0 };
	if (!link->executor)
		return; /* the server brings it again, the executor's claims come by status */
	if (link->asked_count == DL_LINK_ASKED_MAX) {
		dl_error_set(&error, DL_E_BUSY, "it does not answer");
		lose_executor(link, &error);
		return;
	}
	link->asked[(link->asked_first + link->asked_count++) % DL_LINK_ASKED_MAX] = ask;
	if (dl_channel_send(link->executor, owned, &error) < 0)
		lose_executor(link, &error);
}

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static void say_refusal(const struct dl_link *link, const char *what, const json_t *answer)
{
	const char *reason = "", *message = "";
	dl_json_str_opt(answer, "reason", REASON_MAX, &reason, NULL);
	dl_json_str_opt(answer, "message", MESSAGE_MAX, &message, NULL);
	dl_link_say(link, "the executor refused %s: %s (%s)", what, message, reason);
}

static void heed_status(struct dl_link *link, const json_t *answer)
{
	struct dl_error error = { 0 };
	json_t *claims, *claim;
	size_t i;
	link->status_asked = false;
	if (dl_json_array(answer, "claims", CLAIMS_MAX, &claims, &error) < 0) {
		dl_link_failed(link, &link->poll, "the executor's status", &error);
		return;
	}
	if (link->claims_open == 0 && dl_link_due(&link->claims)) {
		link->claims.wanted = false;
		json_array_foreach(claims, i, claim)
			dl_link_claim(link, claim);
	}
	if (!link->poll.busy && dl_link_due(&link->poll))
		dl_link_poll(link, answer);
}

/* A refused order would come again with the next poll, at once and for ever. */
static void heed_order(struct dl_link *link, const json_t *answer)
{
	json_t *claim = NULL;
	struct dl_error refused = { .code = DL_E_DENIED, .text = "an order was refused" };
	if (is_ok(answer) && dl_json_object(answer, "claim", &claim, NULL) >= 0) {
		dl_link_claim(link, claim);
		return;
	}
	say_refusal(link, "an order", answer);
	if (!link->poll.busy)
		dl_link_failed(link, &link->poll, "orders", &refused);
}

static void heed_ticket(struct dl_link *link, const json_t *answer)
{
	struct dl_error refused = { .code = DL_E_DENIED, .text = "a ticket was refused" };
	if (is_ok(answer)) {
		dl_link_succeeded(&link->claims);
		return;
	}
	say_refusal(link, "a ticket", answer);
	link->claims.wanted = true;
	dl_link_failed(link, &link->claims, "tickets", &refused);
}

static void heed_outbox(struct dl_link *link, const json_t *answer)
{
	struct dl_error error = { 0 };
	json_t *records;
	link->records.busy = false;
	if (dl_json_array(answer, "records", RECORDS_MAX, &records, &error) < 0)
		dl_link_failed(link, &link->records, "the executor's outbox", &error);
	else if (json_array_size(records) > 0)
		dl_link_send_records(link, answer);
}

static void heed_acked(struct dl_link *link, const json_t *answer)
{
	struct dl_error refused = { .code = DL_E_DENIED, .text = "it has fewer records" };
	if (is_ok(answer))
		link->records.wanted = true; /* is there more? */
	else
		dl_link_failed(link, &link->records, "acknowledging records", &refused);
}

static int heed_answer(struct dl_link *link, const json_t *answer, struct dl_error *err)
{
	if (link->asked_count == 0)
		return dl_error_set(err, DL_E_INVALID, "it answers what nobody asked");
	enum dl_link_ask ask = link->asked[link->asked_first];
	link->asked_first = (link->asked_first + 1) % DL_LINK_ASKED_MAX;
	link->asked_count--;
	switch (ask) {
	case DL_ASK_STATUS: heed_status(link, answer); break;
	case DL_ASK_ORDER: heed_order(link, answer); break;
	case DL_ASK_TICKET: heed_ticket(link, answer); break;
	case DL_ASK_OUTBOX: heed_outbox(link, answer); break;
	case DL_ASK_ACKED: heed_acked(link, answer); break;
	case DL_ASK_SURVEY: break;
	}
	return 0;
}

static int hear_one(struct dl_link *link, struct dl_error *err)
{
	dl_autojson *message = NULL;
	int r = dl_channel_receive(link->executor, &message, err);
	if (r < 0)
		return r;
	if (!json_object_get(message, "event"))
		return heed_answer(link, message, err);
	link->records.wanted = true; /* "outbox" is the only event there is */
	return 0;
}

void dl_link_hear_executor(struct dl_link *link)
{
	struct dl_error error = { 0 };
	int r = dl_channel_flush(link->executor, &error);
	while (r >= 0 && link->executor)
		r = hear_one(link, &error);
	if (r < 0 && r != DL_E_BUSY && link->executor)
		lose_executor(link, &error);
}
