#include "agent/executor/record.h"

#include "core/base/time.h"
#include "core/wire/envelope.h"

struct draft {
	const struct dl_identity *identity;
	const char *type;
	const json_t *content;
};

static int seal(void *context, int64_t seq, char **ret_envelope, struct dl_error *err)
{
	const struct draft *draft = context;
	dl_autojson *body = json_pack("{s:i, s:I, s:I, s:I, s:s, s:O}", "version", 1, "agent_id",
				      (json_int_t)draft->identity->agent, "seq", (json_int_t)seq,
				      "time", (json_int_t)dl_time_now_ms(), "type", draft->type,
				      "content", draft->content);
	dl_autofree char *text = dl_json_text(body);
	dl_autojson *envelope = NULL;
	int r = dl_envelope_sign(draft->identity->key, DL_TYPE_RECORD, text, &envelope, err);
	if (r < 0)
		return r;
	*ret_envelope = dl_json_text(envelope);
	return 0;
}

int dl_record_survey(struct dl_journal *journal, const struct dl_identity *identity,
		     const json_t *content, struct dl_error *err)
{
	struct draft draft = { identity, "survey", content };
	int64_t seq;
	return dl_journal_record_add(journal, true, seal, &draft, NULL, DL_JOURNAL_FINISHED, &seq,
				     err);
}

/* The plan that `content` names ends together with the record. */
static int record_end(struct dl_journal *journal, struct draft *draft,
		      enum dl_journal_plan_state to, struct dl_error *err)
{
	const char *plan_id;
	int64_t seq;
	int r = dl_json_hex(draft->content, "plan_id", (DL_ID_TEXT_SIZE - 1) / 2, &plan_id, err);
	if (r < 0)
		return r;
	return dl_journal_record_add(journal, false, seal, draft, plan_id, to, &seq, err);
}

int dl_record_result(struct dl_journal *journal, const struct dl_identity *identity,
		     const json_t *content, enum dl_journal_plan_state to, struct dl_error *err)
{
	struct draft draft = { identity, "result", content };
	return record_end(journal, &draft, to, err);
}

int dl_record_local(struct dl_journal *journal, const struct dl_identity *identity,
		    const json_t *content, struct dl_error *err)
{
	struct draft draft = { identity, "local", content };
	return record_end(journal, &draft, DL_JOURNAL_FINISHED, err);
}
