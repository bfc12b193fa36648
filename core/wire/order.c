#include "core/wire/order.h"

#include <string.h>

static const char *const kind_names[] = {
	[DL_ORDER_REMOVE] = "remove",
	[DL_ORDER_UNDO] = "undo",
};

void dl_order_free(struct dl_order *order)
{
	if (!order)
		return;
	dl_plan_free(order->plan);
	json_decref(order->approvals);
	free(order->revision);
	free(order->chosen);
	free(order);
}

static json_t *chosen_to_json(const struct dl_order *order)
{
	json_t *chosen = json_array();
	for (size_t i = 0; i < order->plan->step_count; i++)
		if (order->chosen[i])
			json_array_append_new(chosen, json_integer(order->plan->steps[i].id));
	return chosen;
}

int dl_order_to_body(const struct dl_order *order, char **ret_body, struct dl_error *err)
{
	dl_autojson *json = json_object();
	dl_json_put_int(json, "version", 1);
	dl_json_put_str(json, "plan_id", order->plan_id);
	dl_json_put_str(json, "kind", kind_names[order->kind]);
	dl_json_put_str(json, "undo_of", order->undo_of);
	dl_json_put_int(json, "organization_id", order->organization);
	dl_json_put_int(json, "agent_id", order->agent);
	dl_json_put_str(json, "agent_key_id", order->agent_key_id);
	dl_json_put_int(json, "incident_id", order->incident);
	dl_json_put_int(json, "issued", order->issued);
	dl_json_put_int(json, "not_after", order->not_after);
	dl_json_put_str(json, "revision", order->revision);
	dl_json_put(json, "chosen", chosen_to_json(order));
	dl_json_put(json, "approvals", json_incref(order->approvals));
	dl_autofree char *body = dl_json_text(json);
	/* What the host would refuse must not be signed. */
	dl_auto(dl_order) again = NULL;
	int r = dl_order_from_body(body, &again, err);
	if (r < 0)
		return r;
	*ret_body = DL_TAKE(body);
	return 0;
}

static int read_version(const json_t *json, struct dl_error *err)
{
	int64_t version = 0;
	return dl_json_int(json, "version", 1, 1, &version, err);
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

static int read_id(const json_t *json, const char *name, char out[DL_ID_TEXT_SIZE],
		   struct dl_error *err)
{
	return read_hex(json, name, (DL_ID_TEXT_SIZE - 1) / 2, out, err);
}

static int read_kind(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	const char *kind = NULL, *undo_of = NULL;
	int r = dl_json_str(json, "kind", DL_NAME_MAX_BYTES, &kind, err);
	if (r == 0)
		r = dl_json_str(json, "undo_of", DL_ID_TEXT_SIZE - 1, &undo_of, err);
	if (r < 0)
		return r;
	if (strcmp(kind, kind_names[DL_ORDER_UNDO]) == 0) {
		order->kind = DL_ORDER_UNDO;
		return read_id(json, "undo_of", order->undo_of, err);
	}
	if (strcmp(kind, kind_names[DL_ORDER_REMOVE]) != 0)
		return dl_error_set(err, DL_E_INVALID, "no such kind of order");
	if (*undo_of)
		return dl_error_set(err, DL_E_INVALID, "'undo_of' in an order to remove");
	order->kind = DL_ORDER_REMOVE;
	return 0;
}

static int read_target(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	int r = dl_json_int(json, "organization_id", 1, INT64_MAX, &order->organization, err);
	if (r == 0)
		r = dl_json_int(json, "agent_id", 1, INT64_MAX, &order->agent, err);
	if (r == 0)
		r = read_hex(json, "agent_key_id", DL_SHA256_SIZE, order->agent_key_id, err);
	if (r == 0)
		r = dl_json_int(json, "incident_id", 1, INT64_MAX, &order->incident, err);
	if (r == 0)
		r = dl_json_int(json, "issued", 1, INT64_MAX, &order->issued, err);
	if (r == 0)
		r = dl_json_int(json, "not_after", order->issued, INT64_MAX, &order->not_after,
				err);
	return r;
}

static int check_severity(const json_t *revision, struct dl_error *err)
{
	static const char *const severities[] = { "low", "high", "critical" };
	const char *severity = NULL;
	int r = dl_json_str(revision, "severity", DL_NAME_MAX_BYTES, &severity, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_COUNT(severities); i++)
		if (strcmp(severities[i], severity) == 0)
			return 0;
	return dl_error_set(err, DL_E_INVALID, "no such severity");
}

/* The report around the plan is for people; here it only has to be well formed. */
static int check_report(const json_t *revision, int64_t incident, struct dl_error *err)
{
	static const char *const members[] = {
		"version", "incident_id", "no",	   "subject", "severity",
		"summary", "recommendations", "steps", NULL,
	};
	const char *text = NULL;
	int64_t number = 0;
	int r = dl_json_only(revision, members, err);
	if (r == 0)
		r = read_version(revision, err);
	if (r == 0)
		r = dl_json_int(revision, "incident_id", incident, incident, &number, err);
	if (r == 0)
		r = dl_json_int(revision, "no", 1, INT32_MAX, &number, err);
	if (r == 0)
		r = dl_json_str(revision, "subject", DL_SUBJECT_MAX_BYTES, &text, err);
	if (r == 0)
		r = check_severity(revision, err);
	if (r == 0)
		r = dl_json_str(revision, "summary", DL_REVISION_TEXT_MAX_BYTES, &text, err);
	if (r == 0)
		r = dl_json_str(revision, "recommendations", DL_REVISION_TEXT_MAX_BYTES, &text,
				err);
	return r;
}

static int parse_revision(struct dl_order *order, struct dl_error *err)
{
	dl_autojson *revision = NULL;
	json_t *steps = NULL;
	size_t size = strlen(order->revision);
	int r = dl_json_parse(order->revision, size, DL_ORDER_MAX_BYTES, &revision, err);
	if (r == 0)
		r = check_report(revision, order->incident, err);
	if (r == 0)
		r = dl_json_array(revision, "steps", DL_PLAN_STEPS_MAX, &steps, err);
	if (r == 0)
		r = dl_plan_from_json(steps, &order->plan, err);
	if (r < 0)
		return dl_error_prefix(err, r, "revision");
	dl_sha256_text(order->revision, size, order->revision_digest);
	return 0;
}

static int read_revision(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_str(json, "revision", DL_ORDER_MAX_BYTES, &text, err);
	if (r < 0)
		return r;
	order->revision = dl_strdup(text);
	return parse_revision(order, err);
}

static int read_chosen(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	json_t *chosen = NULL, *entry;
	size_t i;
	int64_t last = 0;
	int r = dl_json_array(json, "chosen", DL_PLAN_STEPS_MAX, &chosen, err);
	if (r < 0)
		return r;
	order->chosen = dl_alloc(order->plan->step_count, sizeof(order->chosen[0]));
	json_array_foreach(chosen, i, entry) {
		int64_t id = json_is_integer(entry) ? json_integer_value(entry) : 0;
		if (id <= last || id > (int64_t)order->plan->step_count)
			return dl_error_set(err, DL_E_INVALID,
					    "'chosen' does not name steps of the plan in order");
		order->chosen[id - 1] = true;
		last = id;
	}
	if (last == 0)
		return dl_error_set(err, DL_E_INVALID, "no step is chosen");
	return 0;
}

/* A choice is complete when closing it adds nothing. */
static int check_choice(const struct dl_order *order, struct dl_error *err)
{
	size_t count = order->plan->step_count;
	dl_autofree bool *closed = dl_memdup(order->chosen, count * sizeof(closed[0]));
	int r = dl_plan_close_choice(order->plan, closed, err);
	if (r < 0)
		return r;
	if (order->kind == DL_ORDER_REMOVE &&
	    memcmp(closed, order->chosen, count * sizeof(closed[0])) != 0)
		return dl_error_set(err, DL_E_INVALID,
				    "a chosen step requires one that is not chosen");
	return 0;
}

static int check_approval(const json_t *approval, struct dl_error *err)
{
	static const char *const members[] = { "user", "role", "time", "method", NULL };
	const char *text = NULL, *method = NULL;
	int64_t time = 0;
	int r = dl_json_only(approval, members, err);
	if (r == 0)
		r = dl_json_str(approval, "user", DL_NAME_MAX_BYTES, &text, err);
	if (r == 0)
		r = dl_json_str(approval, "role", DL_NAME_MAX_BYTES, &text, err);
	if (r == 0)
		r = dl_json_int(approval, "time", 1, INT64_MAX, &time, err);
	if (r == 0)
		r = dl_json_str(approval, "method", DL_NAME_MAX_BYTES, &method, err);
	if (r == 0 && strcmp(method, "session") != 0 && strcmp(method, "policy") != 0)
		r = dl_error_set(err, DL_E_INVALID, "no such method of approval");
	return r;
}

static int read_approvals(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	json_t *approvals = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "approvals", DL_ORDER_APPROVALS_MAX, &approvals, err);
	if (r < 0)
		return r;
	if (json_array_size(approvals) == 0)
		return dl_error_set(err, DL_E_INVALID, "nobody approved");
	json_array_foreach(approvals, i, entry) {
		r = check_approval(entry, err);
		if (r < 0)
			return dl_error_prefix(err, r, "approval");
	}
	order->approvals = json_incref(approvals);
	return 0;
}

static int read_order(const json_t *json, struct dl_order *order, struct dl_error *err)
{
	static const char *const members[] = {
		"version",     "plan_id",      "kind",	      "undo_of", "organization_id",
		"agent_id",    "agent_key_id", "incident_id", "issued",	 "not_after",
		"revision",    "chosen",       "approvals",   NULL,
	};
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = read_version(json, err);
	if (r == 0)
		r = read_id(json, "plan_id", order->plan_id, err);
	if (r == 0)
		r = read_kind(json, order, err);
	if (r == 0)
		r = read_target(json, order, err);
	if (r == 0)
		r = read_revision(json, order, err);
	if (r == 0)
		r = read_chosen(json, order, err);
	if (r == 0)
		r = check_choice(order, err);
	if (r == 0)
		r = read_approvals(json, order, err);
	return r;
}

int dl_order_from_body(const char *body, struct dl_order **ret, struct dl_error *err)
{
	dl_autojson *json = NULL;
	dl_auto(dl_order) order = DL_NEW(struct dl_order);
	int r = dl_json_parse(body, strlen(body), DL_ORDER_MAX_BYTES, &json, err);
	if (r == 0)
		r = read_order(json, order, err);
	if (r < 0)
		return dl_error_prefix(err, r, "order");
	*ret = DL_TAKE(order);
	return 0;
}
