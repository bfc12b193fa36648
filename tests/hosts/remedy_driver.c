/* Runs the agent's remedies on a host without a server: what host tests of
 * removal and undo need. Standard input and output are JSON.
 *
 *   remedy-driver order ID KEY… <survey   a `remove` order of the proposed plan
 *   remedy-driver undo-order ID <order    the order that undoes it
 *   remedy-driver check|apply|undo|recover STATE <order
 */
#include "agent/journal/journal.h"
#include "agent/platform/change.h"
#include "agent/remedy/remedy.h"
#include "core/base/buf.h"
#include "core/base/time.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = DL_SURVEY_MAX_BYTES, READ_CHUNK = 65536, ORDER_LIFE_MS = 3600 * 1000 };

static int fail(const struct dl_error *err)
{
	fprintf(stderr, "remedy-driver: %s\n", err->text);
	return 1;
}

static int read_input(char **ret_text, struct dl_error *err)
{
	dl_autobuf input = DL_BUF_INIT;
	char chunk[READ_CHUNK];
	size_t got;

	while ((got = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
		dl_buf_append(&input, chunk, got);
		if (input.size > INPUT_MAX)
			return dl_error_set(err, DL_E_LIMIT, "the input is too long");
	}
	*ret_text = dl_buf_take(&input);
	return 0;
}

static void print_json(const json_t *value)
{
	dl_autofree char *text = dl_json_text(value);

	puts(text);
}

/* Every assisted step of the plan is chosen. */
static struct dl_order *order_new(const char *plan_id, struct dl_plan *plan)
{
	struct dl_order *order = DL_NEW(struct dl_order);
	dl_autojson *revision = NULL;

	strncpy(order->plan_id, plan_id, sizeof(order->plan_id) - 1);
	memset(order->agent_key_id, '0', sizeof(order->agent_key_id) - 1);
	order->organization = order->agent = order->incident = 1;
	order->issued = dl_time_now_ms();
	order->not_after = order->issued + ORDER_LIFE_MS;
	order->plan = plan;
	order->chosen = dl_alloc(plan->step_count + 1, sizeof(*order->chosen));
	for (size_t i = 0; i < plan->step_count; i++)
		order->chosen[i] = plan->steps[i].verb != DL_VERB_MANUAL;
	order->approvals = json_pack("[{s:s,s:s,s:I,s:s}]", "user", "tester", "role", "technician",
				     "time", (json_int_t)order->issued, "method", "session");
	revision = json_pack("{s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:o}", "version", 1, "incident_id", 1,
			     "no", 1, "subject", "test", "severity", "low", "summary", "",
			     "recommendations", "", "steps", dl_plan_to_json(plan));
	order->revision = dl_json_text(revision);
	return order;
}

static int print_order(const struct dl_order *order, struct dl_error *err)
{
	dl_autofree char *body = NULL;
	int r = dl_order_to_body(order, &body, err);

	if (r == 0)
		puts(body);
	return r;
}

static int cmd_order(const char *plan_id, const char *const *keys, size_t key_count,
		     struct dl_error *err)
{
	dl_auto(dl_survey) survey = NULL;
	dl_auto(dl_order) order = NULL;
	dl_autofree char *text = NULL;
	dl_autojson *json = NULL;
	struct dl_plan *plan = NULL;
	struct dl_plan_edit edit = { .keys = keys, .key_count = key_count };
	int r = read_input(&text, err);

	if (r == 0)
		r = dl_json_parse(text, strlen(text), INPUT_MAX, &json, err);
	if (r == 0)
		r = dl_survey_from_json(json, &survey, err);
	if (r == 0)
		r = dl_plan_propose(survey, &edit, &plan, err);
	if (r < 0)
		return r;
	order = order_new(plan_id, plan);
	return print_order(order, err);
}

static int read_order(struct dl_order **ret_order, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	int r = read_input(&text, err);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	return dl_order_from_body(text, ret_order, err);
}

static int cmd_undo_order(const char *plan_id, struct dl_error *err)
{
	dl_auto(dl_order) order = NULL;
	int r = read_order(&order, err);

	if (r < 0)
		return r;
	order->kind = DL_ORDER_UNDO;
	memcpy(order->undo_of, order->plan_id, sizeof(order->undo_of));
	snprintf(order->plan_id, sizeof(order->plan_id), "%s", plan_id);
	return print_order(order, err);
}

static int run_order(struct dl_remedy *remedy, const char *verb, const struct dl_order *order,
		     json_t **ret_result, struct dl_error *err)
{
	int r = dl_remedy_recover(remedy, err);

	if (r < 0)
		return r;
	if (strcmp(verb, "check") == 0)
		return dl_remedy_check(remedy, order->plan, order->chosen, ret_result, err);
	if (strcmp(verb, "apply") == 0)
		return dl_remedy_apply(remedy, order, DL_REMEDY_ALL, ret_result, err);
	if (strcmp(verb, "undo") == 0)
		return dl_remedy_undo(remedy, order, DL_REMEDY_ALL, ret_result, err);
	return dl_error_set(err, DL_E_INVALID, "unknown command '%s'", verb);
}

static int cmd_run(const char *verb, const char *state_path, struct dl_error *err)
{
	dl_auto(dl_journal) journal = NULL;
	dl_auto(dl_remedy) remedy = NULL;
	dl_auto(dl_order) order = NULL;
	dl_autojson *result = NULL;
	int state = -1;
	int r = read_order(&order, err);

	if (r == 0)
		r = dl_state_folder_open(state_path, &state, err);
	if (r == 0)
		r = dl_journal_open(state, &journal, err);
	if (r == 0)
		r = dl_remedy_open(state, journal, &remedy, err);
	if (r == 0)
		r = run_order(remedy, verb, order, &result, err);
	if (r == 0)
		print_json(result);
	if (state >= 0)
		close(state);
	return r;
}

int main(int argc, char **argv)
{
	struct dl_error err = { 0 };
	int r = dl_error_set(&err, DL_E_INVALID, "usage: see the head of its source");

	if (argc >= 4 && strcmp(argv[1], "order") == 0)
		r = cmd_order(argv[2], (const char *const *)argv + 3, (size_t)argc - 3, &err);
	else if (argc == 3 && strcmp(argv[1], "undo-order") == 0)
		r = cmd_undo_order(argv[2], &err);
	else if (argc == 3)
		r = cmd_run(argv[1], argv[2], &err);
	return r < 0 ? fail(&err) : 0;
}
