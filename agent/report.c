#include "agent/report.h"

#include "agent/command.h"
#include "agent/table.h"
#include "core/base/buf.h"
#include "core/base/time.h"

#include <inttypes.h>
#include <string.h>

enum { STEP_INDENT = 6, STATE_WIDTH = 14, SIZE_TEXT = 32 };

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* ---- a plan ---- */

static void print_requires(const struct dl_page *page, const struct dl_step *step)
{
	dl_autobuf words = DL_BUF_INIT;
	if (step->require_count == 0)
		return;
	dl_buf_puts(&words, step->require_count == 1 ? "step " : "steps ");
	for (size_t i = 0; i < step->require_count; i++)
		dl_buf_printf(&words, "%s%" PRId64, i ? ", " : "", step->requires[i]);
	dl_page_field(page, "after", words.data);
}

static void print_step_head(const struct dl_page *page, const struct dl_step *step, bool chosen)
{
	bool manual = step->verb == DL_VERB_MANUAL;
	fprintf(page->out, "%s%4" PRId64 "%s  %s", dl_page_ink(page, DL_INK_BOLD), step->id,
		dl_page_ink(page, DL_INK_PLAIN), manual ? dl_page_ink(page, DL_INK_YELLOW) : "");
	if (manual)
		fputs("[by hand] ", page->out);
	else if (!chosen)
		fputs("[left out] ", page->out);
	dl_page_wrap(page, step->title ? step->title : "", STEP_INDENT + (manual ? 10 : chosen ? 0 : 11));
	fputs(manual ? dl_page_ink(page, DL_INK_PLAIN) : "", page->out);
}

static void print_step(const struct dl_page *page, const struct dl_step *step, bool chosen)
{
	print_step_head(page, step, chosen);
	for (size_t i = 0; i < step->object_count; i++)
		dl_table_object(page, &step->objects[i]);
	dl_page_field(page, "line", step->line);
	dl_page_words(page, "why", step->why);
	if (step->manual_because != DL_REASON_NONE)
		dl_page_words(page, "by hand", dl_reason_sentence(step->manual_because));
	dl_page_words(page, step->verb == DL_VERB_MANUAL ? "do" : "note", step->detail);
	print_requires(page, step);
	fputc('\n', page->out);
}

void dl_report_head(const struct dl_page *page, const char *plan_id, const char *hostname,
		    int64_t made)
{
	char time[DL_TIME_TEXT_SIZE];
	dl_autobuf words = DL_BUF_INIT;
	dl_time_format(made, time);
	dl_buf_printf(&words, "Plan %.8s for %s, made %s", plan_id, hostname, time);
	fputs(dl_page_ink(page, DL_INK_BOLD), page->out);
	dl_page_cut(page, words.data, 0);
	fprintf(page->out, "%s\n", dl_page_ink(page, DL_INK_PLAIN));
}

void dl_report_plan(const struct dl_page *page, const struct dl_plan *plan, const bool *chosen)
{
	for (size_t i = 0; i < plan->step_count; i++)
		print_step(page, &plan->steps[i], !chosen || chosen[i]);
}

/* ---- what came of it ---- */

struct verdict {
	const char *state, *sign, *dry_words, *words;
	enum dl_ink ink;
	enum { WELL, NOTHING, BAD } kind;
};

static const struct verdict verdicts[] = {
	{ "removed", "✓", "would go", "removed", DL_INK_GREEN, WELL },
	{ "restored", "✓", "would return", "put back", DL_INK_GREEN, WELL },
	{ "already_gone", "✓", "already gone", "already gone", DL_INK_GREEN, WELL },
	{ "stale", "–", "stale", "stale", DL_INK_YELLOW, NOTHING },
	{ "refused", "–", "refused", "refused", DL_INK_YELLOW, NOTHING },
	{ "skipped", "–", "skipped", "skipped", DL_INK_YELLOW, NOTHING },
	{ "cancelled", "–", "cancelled", "cancelled", DL_INK_YELLOW, NOTHING },
	{ "expired", "–", "expired", "expired", DL_INK_YELLOW, NOTHING },
	{ "unverified", "?", "unverified", "unverified", DL_INK_RED, BAD },
	{ "failed", "✗", "would fail", "failed", DL_INK_RED, BAD },
};

static const struct verdict *verdict_of(const json_t *run)
{
	const char *state = text_of(run, "state");
	for (size_t i = 0; i < DL_COUNT(verdicts); i++)
		if (strcmp(verdicts[i].state, state) == 0)
			return &verdicts[i];
	return &verdicts[DL_COUNT(verdicts) - 1];
}

int dl_report_exit(const json_t *runs)
{
	size_t i, count[3] = { 0 };
	json_t *run;
	json_array_foreach(runs, i, run)
		count[verdict_of(run)->kind]++;
	if (count[NOTHING] == 0 && count[BAD] == 0)
		return DL_COMMAND_OK;
	if (count[WELL] > 0)
		return DL_COMMAND_PARTLY;
	return count[BAD] > 0 ? DL_COMMAND_FAILED : DL_COMMAND_REFUSED;
}

static const struct dl_step *step_of(const struct dl_plan *plan, const json_t *run)
{
	json_int_t id = json_integer_value(json_object_get(run, "step"));
	return id >= 1 && (size_t)id <= plan->step_count ? &plan->steps[id - 1] : NULL;
}

static void print_holders(const struct dl_page *page, const json_t *run)
{
	size_t i;
	json_t *holder;
	json_array_foreach(json_object_get(json_object_get(run, "flags"), "still_running"), i, holder) {
		dl_autobuf words = DL_BUF_INIT;
		dl_buf_printf(&words, "pid %lld of %s runs or holds it: %s. No process is ended; "
				      "do that yourself once you know it.",
			      (long long)json_integer_value(json_object_get(holder, "pid")),
			      text_of(holder, "user"), text_of(holder, "executable"));
		dl_page_words(page, "running", words.data);
	}
}

static void print_partial(const struct dl_page *page, const json_t *run)
{
	size_t i;
	json_t *note;
	if (!json_is_true(json_object_get(json_object_get(run, "flags"), "partial")))
		return;
	json_array_foreach(json_object_get(run, "evidence"), i, note)
		dl_page_words(page, i ? "" : "partly", json_string_value(note));
}

static void print_run(const struct dl_page *page, const struct dl_plan *plan, const json_t *run,
		      bool dry)
{
	const struct verdict *verdict = verdict_of(run);
	const struct dl_step *step = step_of(plan, run);
	enum dl_reason reason = dl_reason_parse(text_of(run, "reason"));
	fprintf(page->out, "%s%s%4lld  %-*s%s", dl_page_ink(page, verdict->ink), verdict->sign,
		(long long)json_integer_value(json_object_get(run, "step")), STATE_WIDTH,
		dry ? verdict->dry_words : verdict->words, dl_page_ink(page, DL_INK_PLAIN));
	dl_page_cut(page, step && step->title ? step->title : "", 7 + STATE_WIDTH);
	if (reason != DL_REASON_NONE && reason != DL_REASON_COUNT) {
		dl_autobuf words = DL_BUF_INIT;
		dl_buf_printf(&words, "%s (%s)", dl_reason_sentence(reason),
			      dl_reason_name(reason));
		dl_page_words(page, "because", words.data);
	}
	dl_page_words(page, "detail", text_of(run, "detail"));
	print_holders(page, run);
	print_partial(page, run);
}

void dl_report_runs(const struct dl_page *page, const struct dl_plan *plan, const json_t *runs,
		    bool dry)
{
	size_t i;
	json_t *run;
	json_array_foreach(runs, i, run)
		print_run(page, plan, run, dry);
}

/* ---- quarantine ---- */

static void size_text(int64_t bytes, char out[SIZE_TEXT])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1024 && unit + 1 < DL_COUNT(units); unit++)
		size /= 1024;
	snprintf(out, SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

static void time_text(int64_t ms, char out[DL_TIME_TEXT_SIZE])
{
	if (ms > 0)
		dl_time_format(ms, out);
	else
		snprintf(out, DL_TIME_TEXT_SIZE, "%s", "time not known");
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void print_item_line(const struct dl_page *page, const json_t *item)
{
	char size[SIZE_TEXT], taken[DL_TIME_TEXT_SIZE];
	dl_autobuf words = DL_BUF_INIT;
	size_text(number_of(item, "size"), size);
	time_text(number_of(item, "taken"), taken);
	fputs("  ", page->out);
	dl_page_cut(page, text_of(item, "path"), 2);
	dl_buf_printf(&words, "%s  %s  %s  %s%s", text_of(item, "id"), text_of(item, "type"), size,
		      taken, json_is_true(json_object_get(item, "purging")) ? "  half purged" : "");
	fprintf(page->out, "    %s", dl_page_ink(page, DL_INK_DIM));
	dl_page_cut(page, words.data, 4);
	fputs(dl_page_ink(page, DL_INK_PLAIN), page->out);
}

void dl_report_items(const struct dl_page *page, const json_t *list)
{
	const json_t *items = json_object_get(list, "items");
	char size[SIZE_TEXT];
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
		print_item_line(page, item);
	size_text(number_of(list, "bytes"), size);
	fprintf(page->out, "%s%zu object%s in quarantine, %s.%s\n", i ? "\n" : "", i,
		i == 1 ? "" : "s", size,
		json_is_true(json_object_get(list, "more")) ? " There are more." : "");
}

void dl_report_item(const struct dl_page *page, const json_t *item)
{
	char size[SIZE_TEXT], taken[DL_TIME_TEXT_SIZE];
	dl_autobuf owner = DL_BUF_INIT, plan = DL_BUF_INIT;
	size_text(number_of(item, "size"), size);
	time_text(number_of(item, "taken"), taken);
	dl_buf_printf(&owner, "uid %lld, gid %lld, mode %04llo", (long long)number_of(item, "uid"),
		      (long long)number_of(item, "gid"), (long long)number_of(item, "mode"));
	dl_buf_printf(&plan, "%s, step %lld", text_of(item, "plan_id"),
		      (long long)number_of(item, "step"));
	fprintf(page->out, "  %s", dl_page_ink(page, DL_INK_BOLD));
	dl_page_cut(page, text_of(item, "path"), 2);
	fputs(dl_page_ink(page, DL_INK_PLAIN), page->out);
	dl_page_field(page, "id", text_of(item, "id"));
	dl_page_field(page, "type", text_of(item, "type"));
	dl_page_words(page, "points to", text_of(item, "target"));
	dl_page_field(page, "size", size);
	dl_page_field(page, "owner", owner.data);
	dl_page_words(page, "sha256", text_of(item, "sha256"));
	dl_page_field(page, "taken", taken);
	dl_page_field(page, "by plan", plan.data);
	dl_page_words(page, "also named", text_of(item, "others"));
}
