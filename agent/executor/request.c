#include "agent/executor/request.h"

#include <string.h>

enum {
	REQUEST_NAME_MAX = 32,
	RECORDS_MAX = 64,
	RECORDS_BYTES_MAX = 7 * 1024 * 1024,
};

static json_t *agreed(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *refused(enum dl_reason reason, const char *message)
{
	return json_pack("{s:b, s:s, s:s}", "ok", 0, "reason", dl_reason_name(reason), "message",
			 message);
}

void dl_agenda_clear(struct dl_agenda *agenda)
{
	for (size_t i = 0; i < agenda->permit_count; i++)
		dl_permit_clear(&agenda->permits[i]);
	*agenda = (struct dl_agenda){ 0 };
}

static int answer_status(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			 struct dl_error *err)
{
	(void)request;
	dl_autojson *held = NULL;
	int64_t seq;
	int r = dl_journal_last_seq(desk->work.journal, &seq, err);
	if (r >= 0)
		r = dl_journal_plans_open(desk->work.journal, &held, err);
	if (r < 0)
		return r;
	*ret_answer = json_pack("{s:b, s:s, s:s, s:I, s:O, s:o, s:I}", "ok", 1, "boot_id",
				desk->boot_id, "version", DL_VERSION, "last_seq", (json_int_t)seq,
				"held", held, "claims", dl_admission_claims(desk->work.admission),
				"agent_id", (json_int_t)desk->work.identity->agent);
	return 0;
}

static int read_signed(const json_t *request, const char *name, json_t **ret_key,
		       json_t **ret_envelope, struct dl_error *err)
{
	int r = dl_json_object(request, "key", ret_key, err);
	return r < 0 ? r : dl_json_object(request, name, ret_envelope, err);
}

static int answer_order(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			struct dl_error *err)
{
	json_t *key, *order;
	dl_autojson *claim = NULL;
	dl_autorefusal refusal = { 0 };
	struct dl_error why = { 0 };
	int r = read_signed(request, "order", &key, &order, err);
	if (r < 0)
		return r;
	r = dl_admission_order(desk->work.admission, key, order, &claim, &refusal, &why);
	if (r >= 0) {
		*ret_answer = json_pack("{s:b, s:O}", "ok", 1, "claim", claim);
		return 0;
	}
	if (refusal.order && (r = dl_work_refuse(&desk->work, &refusal, why.text, err)) < 0)
		return r;
	*ret_answer = refused(refusal.reason, why.text);
	return 0;
}

static int answer_ticket(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			 struct dl_error *err)
{
	json_t *key, *ticket;
	dl_autorefusal refusal = { 0 };
	struct dl_error why = { 0 };
	struct dl_agenda *agenda = desk->agenda;
	int r = read_signed(request, "ticket", &key, &ticket, err);
	if (r < 0)
		return r;
	if (agenda->permit_count == DL_ADMISSION_PLANS_MAX) {
		*ret_answer = refused(DL_REASON_NEEDS_ATTENTION, "too much waits to be done");
		return 0;
	}
	r = dl_admission_ticket(desk->work.admission, key, ticket,
				&agenda->permits[agenda->permit_count], &refusal, &why);
	if (r >= 0)
		agenda->permit_count++;
	*ret_answer = r >= 0 ? agreed() : refused(refusal.reason, why.text);
	return 0;
}

static int answer_survey(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			 struct dl_error *err)
{
	(void)request;
	(void)err;
	desk->agenda->survey = true; /* asked twice, done once */
	*ret_answer = agreed();
	return 0;
}

static int answer_outbox(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			 struct dl_error *err)
{
	int64_t limit;
	dl_autojson *records = NULL;
	int r = dl_json_int(request, "limit_bytes", 1, RECORDS_BYTES_MAX, &limit, err);
	if (r >= 0)
		r = dl_journal_records(desk->work.journal, RECORDS_MAX, (size_t)limit, &records,
				       err);
	if (r < 0)
		return r;
	*ret_answer = json_pack("{s:b, s:O}", "ok", 1, "records", records);
	return 0;
}

static int answer_acked(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			struct dl_error *err)
{
	int64_t through;
	int r = dl_json_int(request, "through", 0, INT64_MAX, &through, err);
	if (r < 0)
		return r;
	r = dl_journal_acked(desk->work.journal, through, err);
	if (r < 0 && r != DL_E_INVALID)
		return r;
	/* A server that has more than we made knew this host before its disk was set back. */
	*ret_answer = r >= 0 ? agreed() : refused(DL_REASON_PRECONDITION, err->text);
	return 0;
}

/* What goes wrong with a local act is told to the person who asked. */
static int answer_local(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
			struct dl_error *err)
{
	json_t *ask;
	dl_autojson *answer = NULL;
	struct dl_error why = { 0 };
	bool changed = false;
	int r = dl_json_object(request, "ask", &ask, err);
	if (r < 0)
		return r;
	r = dl_local_answer(&desk->local, ask, &answer, &changed, &why);
	if (changed)
		desk->agenda->survey = true;
	if (r >= 0) {
		*ret_answer = json_pack("{s:b, s:O}", "ok", 1, "answer", answer);
		return 0;
	}
	*ret_answer = json_pack("{s:b, s:i}", "ok", 0, "code", r);
	dl_json_put_str(*ret_answer, "message", why.text);
	return 0;
}

struct entry {
	const char *name;
	bool root_only;
	const char *members[4]; /* NULL-terminated */
	int (*answer)(struct dl_desk *desk, const json_t *request, json_t **ret_answer,
		      struct dl_error *err);
};

static const struct entry table[] = {
	{ "status", false, { "request" }, answer_status },
	{ "order", false, { "request", "key", "order" }, answer_order },
	{ "ticket", false, { "request", "key", "ticket" }, answer_ticket },
	{ "survey", false, { "request" }, answer_survey },
	{ "outbox", false, { "request", "limit_bytes" }, answer_outbox },
	{ "acked", false, { "request", "through" }, answer_acked },
	{ "local", true, { "request", "ask" }, answer_local },
};

int dl_request_answer(struct dl_desk *desk, bool by_root, const json_t *request,
		      json_t **ret_answer, struct dl_error *err)
{
	const char *name;
	int r = dl_json_str(request, "request", REQUEST_NAME_MAX, &name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_COUNT(table); i++) {
		if (strcmp(table[i].name, name) != 0 || (table[i].root_only && !by_root))
			continue;
		r = dl_json_only(request, table[i].members, err);
		return r < 0 ? r : table[i].answer(desk, request, ret_answer, err);
	}
	return dl_error_set(err, DL_E_INVALID, "there is no such request");
}
