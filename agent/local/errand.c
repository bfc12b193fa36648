#include "agent/local/errand.h"

#include "agent/executor/record.h"
#include "agent/local/document.h"
#include "core/base/time.h"

#include <stdio.h>
#include <string.h>

void known_clear(struct known *known)
{
	dl_order_free(known->order);
	json_decref(known->errand);
	*known = (struct known){ 0 };
}

struct dl_order *order_of(const char *plan_id, struct dl_plan *plan, const bool *chosen)
{
	struct dl_order *order = DL_NEW(struct dl_order);
	snprintf(order->plan_id, sizeof(order->plan_id), "%s", plan_id);
	order->kind = DL_ORDER_REMOVE;
	order->plan = plan;
	order->chosen = dl_alloc(plan->step_count + 1, sizeof(*order->chosen));
	if (chosen)
		memcpy(order->chosen, chosen, plan->step_count * sizeof(*chosen));
	return order;
}

static int parse_text(const char *text, json_t **ret, struct dl_error *err)
{
	size_t size = strlen(text);
	return dl_json_parse(text, size, size, ret, err);
}

/* The chosen ids in the journal are those that were closed and carried out. */
static void mark_chosen(struct dl_order *order, const json_t *ids)
{
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id) {
		json_int_t step = json_integer_value(id);
		if (step >= 1 && (size_t)step <= order->plan->step_count)
			order->chosen[step - 1] = true;
	}
}

static int load_applied(struct known *known, const char *plan_id, struct dl_error *err)
{
	dl_autodocument document = { 0 };
	int r = dl_document_from_json(json_object_get(known->errand, "document"), &document, err);
	if (r < 0)
		return r;
	known->order = order_of(plan_id, DL_TAKE(document.plan), NULL);
	mark_chosen(known->order, json_object_get(known->errand, "chosen"));
	return 0;
}

static bool act_is(const json_t *errand, const char *act)
{
	const char *name = json_string_value(json_object_get(errand, "act"));
	return name && strcmp(name, act) == 0;
}

/* An undo has the steps of the plan that it undoes. */
static int load_undone(struct dl_journal *journal, struct known *known, const char *plan_id,
		       struct dl_error *err)
{
	dl_autoknown undone = { 0 };
	const char *of;
	int r = dl_json_hex(known->errand, "of", (DL_ID_TEXT_SIZE - 1) / 2, &of, err);
	if (r >= 0)
		r = known_load(journal, of, &undone, err);
	if (r < 0)
		return r;
	known->order = DL_TAKE(undone.order);
	memset(known->order->chosen, 0, known->order->plan->step_count * sizeof(bool));
	mark_chosen(known->order, json_object_get(known->errand, "chosen"));
	memcpy(known->order->undo_of, of, DL_ID_TEXT_SIZE);
	snprintf(known->order->plan_id, sizeof(known->order->plan_id), "%s", plan_id);
	known->order->kind = DL_ORDER_UNDO;
	return 0;
}

static int load_local(struct dl_journal *journal, const struct dl_journal_plan *plan,
		      struct known *known, struct dl_error *err)
{
	int r = parse_text(plan->order, &known->errand, err);
	if (r < 0)
		return r;
	if (act_is(known->errand, "apply"))
		return load_applied(known, plan->plan_id, err);
	if (act_is(known->errand, "undo"))
		return load_undone(journal, known, plan->plan_id, err);
	return dl_error_set(err, DL_E_UNSUPPORTED, "%s is an act on the quarantine, not a plan",
			    plan->plan_id);
}

/* It was verified when it came, and the journal is root's alone. */
static int load_ordered(const struct dl_journal_plan *plan, struct known *known,
			struct dl_error *err)
{
	dl_autojson *envelope = NULL;
	int r = parse_text(plan->order, &envelope, err);
	if (r < 0)
		return r;
	const char *body = json_string_value(json_object_get(envelope, "body"));
	return dl_order_from_body(body ? body : "", &known->order, err);
}

int known_load(struct dl_journal *journal, const char *plan_id, struct known *ret_known,
	       struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	dl_autoknown known = { 0 };
	int r = dl_journal_plan(journal, plan_id, &plan, err);
	if (r == DL_E_NOT_FOUND)
		return dl_error_set(err, r, "this host never carried out a plan %s", plan_id);
	if (r < 0)
		return r;
	known.state = plan.state;
	known.received = plan.received;
	r = strcmp(plan.key, DL_LOCAL_KEY) == 0 ? load_local(journal, &plan, &known, err)
						: load_ordered(&plan, &known, err);
	if (r < 0)
		return r;
	*ret_known = known;
	known = (struct known){ 0 };
	return 0;
}

int errand_begin(const struct dl_local *local, const char *plan_id, const json_t *errand,
		 struct dl_error *err)
{
	dl_autofree char *text = dl_json_text(errand);
	int r = dl_journal_plan_add(local->journal, plan_id, text, DL_LOCAL_KEY, dl_time_now_ms(),
				    err);
	if (r == DL_E_EXISTS)
		return dl_error_set(err, r,
				    "this plan was carried out before: 'verify' says what is left, "
				    "'propose' makes a new one");
	if (r < 0)
		return r;
	return dl_journal_plan_move(local->journal, plan_id, DL_JOURNAL_RECEIVED,
				    DL_JOURNAL_CLAIMED, err);
}

int errand_end(const struct dl_local *local, const char *plan_id, const json_t *content,
	       struct dl_error *err)
{
	if (local->identity)
		return dl_record_local(local->journal, local->identity, content, err);
	return dl_journal_plan_move(local->journal, plan_id, DL_JOURNAL_CLAIMED,
				    DL_JOURNAL_FINISHED, err);
}

int errand_by(const json_t *ask, json_t **ret_by, struct dl_error *err)
{
	static const char *const members[] = { "uid", "login", NULL };
	const char *login;
	int64_t uid;
	int r = dl_json_object(ask, "by", ret_by, err);
	if (r >= 0)
		r = dl_json_only(*ret_by, members, err);
	if (r >= 0)
		r = dl_json_int(*ret_by, "uid", 0, UINT32_MAX, &uid, err);
	if (r >= 0)
		r = dl_json_str(*ret_by, "login", DL_LOCAL_LOGIN_MAX, &login, err);
	return r;
}

json_t *errand_content(const char *plan_id, const json_t *errand, json_t *steps, json_t *runs,
		       json_t *items)
{
	return json_pack("{s:O,s:s,s:O,s:O,s:I,s:o,s:o,s:o}", "act", json_object_get(errand, "act"),
			 "plan_id", plan_id, "of", json_object_get(errand, "of"), "by",
			 json_object_get(errand, "by"), "time", (json_int_t)dl_time_now_ms(),
			 "steps", steps, "runs", runs, "items", items);
}

static json_t *steps_told(const struct dl_order *order)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < order->plan->step_count; i++) {
		const struct dl_step *step = &order->plan->steps[i];
		if (order->chosen[i])
			json_array_append_new(steps, json_pack("{s:I,s:s,s:s}", "id",
							       (json_int_t)step->id, "verb",
							       dl_verb_name(step->verb), "title",
							       step->title ? step->title : ""));
	}
	return steps;
}

int errand_end_plan(const struct dl_local *local, const struct dl_order *order,
		    const json_t *errand, const json_t *result, struct dl_error *err)
{
	json_t *runs = json_incref(json_object_get(result, "runs"));
	dl_autojson *content = errand_content(order->plan_id, errand, steps_told(order), runs,
					   json_array());
	return errand_end(local, order->plan_id, content, err);
}

int errand_carry_out(const struct dl_local *local, const struct dl_order *order,
		     enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err)
{
	return order->kind == DL_ORDER_UNDO
		       ? dl_remedy_undo(local->remedy, order, scope, ret_result, err)
		       : dl_remedy_apply(local->remedy, order, scope, ret_result, err);
}
