#include "agent/table.h"

#include "core/base/buf.h"
#include "core/base/time.h"

enum { INDENT = 2 };

/* ---- one foothold ---- */

static void append_origin(struct dl_buf *words, const struct dl_object *object)
{
	static const char *const baselines[DL_BASELINE_COUNT] = {
		[DL_BASELINE_NONE] = "not known to be as shipped",
		[DL_BASELINE_ABSENT] = "this was added",
		[DL_BASELINE_SAME] = "as shipped",
		[DL_BASELINE_DIFFERENT] = "changed",
	};
	/* Of links a package keeps no checksum. */
	if (object->package && object->type == DL_TYPE_SYMLINK)
		dl_buf_printf(words, "package %s", object->package);
	else if (object->package)
		dl_buf_printf(words, "package %s, %s", object->package, baselines[object->baseline]);
	else
		dl_buf_puts(words, object->baseline == DL_BASELINE_ABSENT ? "of no package" :
									   "origin not known");
	if (object->protected_by)
		dl_buf_printf(words, ", protected: %s", object->protected_by);
}

void dl_table_object(const struct dl_page *page, const struct dl_object *object)
{
	dl_autobuf words = DL_BUF_INIT;
	dl_buf_puts(&words, object->path);
	if (object->link_target)
		dl_buf_printf(&words, " → %s", object->link_target);
	dl_buf_puts(&words, "  (");
	append_origin(&words, object);
	dl_buf_puts(&words, ")");
	if (object->sha256 && object->role == DL_ROLE_PAYLOAD)
		dl_buf_printf(&words, " sha256 %.12s…", object->sha256);
	dl_page_field(page, dl_object_role_name(object->role), words.data);
}

/* A package's own unchanged program (sh, python3) tells nothing. */
static bool is_worth_a_line(const struct dl_object *object)
{
	return object->role != DL_ROLE_PAYLOAD || object->baseline != DL_BASELINE_SAME;
}

static void print_head(const struct dl_page *page, const struct dl_foothold *foothold)
{
	const char *name = foothold->name ? foothold->name : foothold->line;
	fprintf(page->out, "%*s%s%s%s ", INDENT, "",
		dl_page_ink(page, foothold->active ? DL_INK_RED : DL_INK_YELLOW),
		foothold->active ? "●" : "○", dl_page_ink(page, DL_INK_PLAIN));
	fputs(dl_page_ink(page, DL_INK_BOLD), page->out);
	dl_page_cut(page, name ? name : foothold->location, INDENT + 2);
	fputs(dl_page_ink(page, DL_INK_PLAIN), page->out);
}

static void print_seen(const struct dl_page *page, int64_t first_seen)
{
	char text[DL_TIME_TEXT_SIZE];
	if (!first_seen)
		return;
	dl_time_format(first_seen, text);
	dl_page_field(page, "first seen", text);
}

/* What `propose` takes. */
static void print_key(const struct dl_page *page, const char *key)
{
	char start[DL_TABLE_KEY_SHOWN + 1];
	snprintf(start, sizeof(start), "%.*s", DL_TABLE_KEY_SHOWN, key);
	dl_page_field(page, "key", start);
}

static void print_foothold(const struct dl_page *page, const struct dl_foothold *foothold)
{
	print_head(page, foothold);
	dl_page_field(page, "runs", foothold->command);
	dl_page_field(page, "starts", foothold->activates);
	dl_page_field(page, "when", foothold->schedule);
	dl_page_field(page, "as", foothold->user);
	dl_page_field(page, "state", foothold->state);
	for (size_t i = 0; i < foothold->object_count; i++)
		if (is_worth_a_line(&foothold->objects[i]))
			dl_table_object(page, &foothold->objects[i]);
	dl_page_field(page, "by hand", foothold->manual_because);
	print_seen(page, foothold->first_seen);
	print_key(page, foothold->key);
	fputc('\n', page->out);
}

/* ---- the whole ---- */

static size_t count_kind(const struct dl_survey *survey, enum dl_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < survey->foothold_count; i++)
		count += survey->footholds[i]->kind == kind;
	return count;
}

static void print_kind(const struct dl_page *page, const struct dl_survey *survey, enum dl_kind kind)
{
	const struct dl_kind_info *info = dl_kind_info(kind);
	size_t count = count_kind(survey, kind);
	if (count == 0)
		return;
	fprintf(page->out, "%s%s%s  %s  %s%zu%s\n", dl_page_ink(page, DL_INK_BOLD), info->words,
		dl_page_ink(page, DL_INK_PLAIN), info->attack, dl_page_ink(page, DL_INK_DIM), count,
		dl_page_ink(page, DL_INK_PLAIN));
	for (size_t i = 0; i < survey->foothold_count; i++)
		if (survey->footholds[i]->kind == kind)
			print_foothold(page, survey->footholds[i]);
}

static void print_gaps(const struct dl_page *page, const struct dl_survey *survey)
{
	if (!survey->trusted)
		fprintf(page->out, "%sNot to be trusted:%s %s\n", dl_page_ink(page, DL_INK_RED),
			dl_page_ink(page, DL_INK_PLAIN), survey->untrusted_because);
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		if (survey->coverage[kind] == DL_COVERAGE_PARTIAL)
			fprintf(page->out, "%sNot complete:%s %s: %s\n",
				dl_page_ink(page, DL_INK_YELLOW), dl_page_ink(page, DL_INK_PLAIN), dl_kind_info((enum dl_kind)kind)->words,
				survey->coverage_why[kind]);
}

static void print_host(const struct dl_page *page, const struct dl_survey *survey)
{
	dl_autobuf words = DL_BUF_INIT;
	dl_buf_printf(&words, "%s, kernel %s, %s", survey->host.os, survey->host.kernel,
		      survey->host.architecture);
	fprintf(page->out, "%s", dl_page_ink(page, DL_INK_BOLD));
	dl_page_cut(page, survey->host.hostname, 0);
	fprintf(page->out, "%s", dl_page_ink(page, DL_INK_PLAIN));
	dl_page_cut(page, words.data, 0);
	fputc('\n', page->out);
}

static void print_summary(const struct dl_page *page, const struct dl_survey *survey)
{
	fprintf(page->out, "%zu foothold%s.\n", survey->foothold_count,
		survey->foothold_count == 1 ? "" : "s");
	if (survey->omitted)
		fprintf(page->out, "%lld of packages, unchanged, are not listed (--all).\n",
			(long long)survey->omitted);
	if (survey->foothold_count)
		fputs("● runs or would run, ○ does not.\n", page->out);
}

void dl_table_print(FILE *out, const struct dl_survey *survey, const struct dl_table_look *look)
{
	struct dl_page page = dl_page_on(out, look);
	print_host(&page, survey);
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		print_kind(&page, survey, (enum dl_kind)kind);
	print_summary(&page, survey);
	print_gaps(&page, survey);
}
