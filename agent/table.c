#include "agent/table.h"

#include "core/base/buf.h"
#include "core/base/time.h"

#include <string.h>

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum { INDENT = 2, LABEL_WIDTH = 10, WIDTH_MIN = 40 };

struct page {
	FILE *out;
	const struct dl_table_look *look;
};

static const char *colour(const struct page *page, const char *code)
{
	return page->look->colour ? code : "";
}

/* The first byte after the character at `at`; the text is valid UTF-8. */
static size_t next_character(const char *text, size_t at)
{
	do
		at++;
	while (((unsigned char)text[at] & 0xc0) == 0x80);
	return at;
}

/* Percent signs and tabs are common in commands and tables and hide nothing;
 * every other byte stays in the spelling of bytes. */
static char *readable(const char *text)
{
	dl_autobuf out = DL_BUF_INIT;
	while (*text) {
		size_t plain = strcspn(text, "%");
		dl_buf_append(&out, text, plain);
		text += plain;
		bool percent = strncmp(text, "%25", 3) == 0, tab = strncmp(text, "%09", 3) == 0;
		if (*text)
			dl_buf_puts(&out, tab ? " " : "%");
		text += percent || tab ? 3 : *text != '\0';
	}
	return dl_buf_take(&out);
}

/* One line per call, cut at the terminal's edge with "…". */
static void print_cut(const struct page *page, const char *text, size_t used)
{
	dl_autofree char *shown = readable(text);
	size_t room = page->look->width > used + 1 ? page->look->width - used : 1;
	size_t at = 0, columns = 0, last = 0;
	while (shown[at] && columns < room) {
		last = at;
		at = next_character(shown, at);
		columns++;
	}
	if (shown[at])
		fprintf(page->out, "%.*s…\n", (int)last, shown);
	else
		fprintf(page->out, "%s\n", shown);
}

static void print_field(const struct page *page, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(page->out, "%*s%s%-*s%s", 2 * INDENT, "", colour(page, DIM), LABEL_WIDTH, label,
		colour(page, PLAIN));
	print_cut(page, text, 2 * INDENT + LABEL_WIDTH);
}

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

static void print_object(const struct page *page, const struct dl_object *object)
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
	print_field(page, dl_object_role_name(object->role), words.data);
}

/* A package's own unchanged program (sh, python3) tells nothing. */
static bool is_worth_a_line(const struct dl_object *object)
{
	return object->role != DL_ROLE_PAYLOAD || object->baseline != DL_BASELINE_SAME;
}

static void print_head(const struct page *page, const struct dl_foothold *foothold)
{
	const char *name = foothold->name ? foothold->name : foothold->line;
	fprintf(page->out, "%*s%s%s%s ", INDENT, "", colour(page, foothold->active ? RED : YELLOW),
		foothold->active ? "●" : "○", colour(page, PLAIN));
	fputs(colour(page, BOLD), page->out);
	print_cut(page, name ? name : foothold->location, INDENT + 2);
	fputs(colour(page, PLAIN), page->out);
}

static void print_seen(const struct page *page, int64_t first_seen)
{
	char text[DL_TIME_TEXT_SIZE];
	if (!first_seen)
		return;
	dl_time_format(first_seen, text);
	print_field(page, "first seen", text);
}

static void print_foothold(const struct page *page, const struct dl_foothold *foothold)
{
	print_head(page, foothold);
	print_field(page, "runs", foothold->command);
	print_field(page, "starts", foothold->activates);
	print_field(page, "when", foothold->schedule);
	print_field(page, "as", foothold->user);
	print_field(page, "state", foothold->state);
	for (size_t i = 0; i < foothold->object_count; i++)
		if (is_worth_a_line(&foothold->objects[i]))
			print_object(page, &foothold->objects[i]);
	print_field(page, "by hand", foothold->manual_because);
	print_seen(page, foothold->first_seen);
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

static void print_kind(const struct page *page, const struct dl_survey *survey, enum dl_kind kind)
{
	const struct dl_kind_info *info = dl_kind_info(kind);
	size_t count = count_kind(survey, kind);
	if (count == 0)
		return;
	fprintf(page->out, "%s%s%s  %s  %s%zu%s\n", colour(page, BOLD), info->words,
		colour(page, PLAIN), info->attack, colour(page, DIM), count, colour(page, PLAIN));
	for (size_t i = 0; i < survey->foothold_count; i++)
		if (survey->footholds[i]->kind == kind)
			print_foothold(page, survey->footholds[i]);
}

static void print_gaps(const struct page *page, const struct dl_survey *survey)
{
	if (!survey->trusted)
		fprintf(page->out, "%sNot to be trusted:%s %s\n", colour(page, RED),
			colour(page, PLAIN), survey->untrusted_because);
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		if (survey->coverage[kind] == DL_COVERAGE_PARTIAL)
			fprintf(page->out, "%sNot complete:%s %s: %s\n", colour(page, YELLOW),
				colour(page, PLAIN), dl_kind_info((enum dl_kind)kind)->words,
				survey->coverage_why[kind]);
}

static void print_host(const struct page *page, const struct dl_survey *survey)
{
	dl_autobuf words = DL_BUF_INIT;
	dl_buf_printf(&words, "%s, kernel %s, %s", survey->host.os, survey->host.kernel,
		      survey->host.architecture);
	fprintf(page->out, "%s", colour(page, BOLD));
	print_cut(page, survey->host.hostname, 0);
	fprintf(page->out, "%s", colour(page, PLAIN));
	print_cut(page, words.data, 0);
	fputc('\n', page->out);
}

static void print_summary(const struct page *page, const struct dl_survey *survey)
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
	struct dl_table_look wide = *look;
	if (wide.width < WIDTH_MIN)
		wide.width = WIDTH_MIN;
	struct page page = { .out = out, .look = &wide };
	print_host(&page, survey);
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		print_kind(&page, survey, (enum dl_kind)kind);
	print_summary(&page, survey);
	print_gaps(&page, survey);
}
