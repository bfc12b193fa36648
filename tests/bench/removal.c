/* Our removal and its undo, measured without a server.
 *
 *   bench-removal apply STATE LIST   removes the footholds of LIST, prints the seconds
 *   bench-removal undo STATE LIST    puts them back, prints the seconds
 *
 * What is measured begins with opening the journal and ends with the result in
 * JSON. Looking at the files, which is the survey's work, comes before. An
 * order on the wire has at most DL_PLAN_STEPS_MAX steps; this one is made in
 * memory, so that growth shows.
 */
#include "agent/journal/journal.h"
#include "agent/platform/change.h"
#include "agent/platform/host.h"
#include "agent/remedy/remedy.h"
#include "core/base/bytes.h"
#include "core/base/time.h"
#include "tests/bench/footholds.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define APPLY_ID "0000000000000000000000000000000a"
#define UNDO_ID  "0000000000000000000000000000000b"

/* An undo needs the step's place only. */
static int step_fill(struct dl_step *step, struct dl_host *host, const char *path, struct dl_error *err)
{
	step->verb = DL_VERB_FILE_QUARANTINE;
	step->title = dl_strdup("Quarantine a file of the bench");
	step->objects = DL_NEW(struct dl_object);
	step->object_count = 1;
	if (host)
		return dl_host_object(host, path, DL_ROLE_PAYLOAD, step->objects, err);
	step->objects->path = dl_bytes_encode_str(path);
	return 0;
}

static void step_require(struct dl_step *step, int64_t id)
{
	step->requires = DL_NEW(int64_t);
	step->requires[0] = id;
	step->require_count = 1;
}

/* Triggers before payloads, as core/plan orders them; each payload requires its trigger. */
static int plan_make(const struct footholds *footholds, struct dl_host *host,
		     struct dl_plan **ret_plan, struct dl_error *err)
{
	dl_auto(dl_plan) plan = dl_plan_new();
	size_t count = footholds->count;
	int r = 0;

	plan->steps = dl_alloc(2 * count, sizeof(*plan->steps));
	for (size_t i = 0; r == 0 && i < 2 * count; i++) {
		const struct foothold *foothold = &footholds->items[i % count];
		struct dl_step *step = &plan->steps[plan->step_count++];

		step->id = (int64_t)i + 1;
		r = step_fill(step, host, i < count ? foothold->trigger : foothold->payload, err);
		if (i >= count)
			step_require(step, (int64_t)(i - count) + 1);
	}
	if (r == 0)
		*ret_plan = DL_TAKE(plan);
	return r;
}

static int order_make(const struct footholds *footholds, bool undo, struct dl_order **ret_order,
		      struct dl_error *err)
{
	dl_auto(dl_order) order = DL_NEW(struct dl_order);
	dl_auto(dl_host) host = NULL;
	int r = undo ? 0 : dl_host_open(NULL, &host, err);

	if (r == 0)
		r = plan_make(footholds, host, &order->plan, err);
	if (r < 0)
		return r;
	strcpy(order->plan_id, undo ? UNDO_ID : APPLY_ID);
	strcpy(order->undo_of, undo ? APPLY_ID : "");
	order->kind = undo ? DL_ORDER_UNDO : DL_ORDER_REMOVE;
	order->chosen = dl_alloc(order->plan->step_count, sizeof(*order->chosen));
	for (size_t i = 0; i < order->plan->step_count; i++)
		order->chosen[i] = true;
	*ret_order = DL_TAKE(order);
	return 0;
}

static int carry_out(const char *state_path, const struct dl_order *order, char **ret_result,
		     struct dl_error *err)
{
	dl_auto(dl_journal) journal = NULL;
	dl_auto(dl_remedy) remedy = NULL;
	dl_autojson *result = NULL;
	int state = -1;
	int r = dl_state_folder_open(state_path, &state, err);

	if (r == 0)
		r = dl_journal_open(state, &journal, err);
	if (r == 0)
		r = dl_remedy_open(state, journal, &remedy, err);
	if (r == 0)
		r = dl_remedy_recover(remedy, err);
	if (r == 0 && order->kind == DL_ORDER_UNDO)
		r = dl_remedy_undo(remedy, order, DL_REMEDY_ALL, &result, err);
	else if (r == 0)
		r = dl_remedy_apply(remedy, order, DL_REMEDY_ALL, &result, err);
	if (r == 0)
		*ret_result = dl_json_text(result);
	if (state >= 0)
		close(state);
	return r;
}

static int measure(const char *state_path, const struct footholds *footholds, bool undo,
		   struct dl_error *err)
{
	dl_auto(dl_order) order = NULL;
	dl_autofree char *result = NULL;
	int r = order_make(footholds, undo, &order, err);
	double start = bench_seconds();

	if (r == 0)
		r = carry_out(state_path, order, &result, err);
	if (r < 0)
		return r;
	printf("%.6f\n", bench_seconds() - start);
	fprintf(stderr, "%s\n", result);
	return 0;
}

int main(int argc, char **argv)
{
	dl_autofootholds footholds = { 0 };
	struct dl_error err = { 0 };
	bool undo = argc == 4 && strcmp(argv[1], "undo") == 0;
	int r;

	if (argc != 4 || (!undo && strcmp(argv[1], "apply") != 0)) {
		fputs("usage: bench-removal apply|undo STATE LIST\n", stderr);
		return 2;
	}
	r = footholds_read(argv[3], &footholds, &err);
	if (r == 0)
		r = measure(argv[2], &footholds, undo, &err);
	if (r < 0)
		fprintf(stderr, "bench-removal: %s\n", err.text);
	return r < 0;
}
