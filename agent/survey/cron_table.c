#include "agent/survey/cron_table.h"

#include "agent/survey/crontab.h"
#include "agent/survey/payload.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"

#include <string.h>

/* crontab(5): what cron sets when the table does not. */
#define CRON_SEARCH "/usr/bin:/bin"
#define CRON_SHELL "/bin/sh"

/* One table while its lines are turned into footholds. */
struct table {
	struct dl_scan *scan;
	const struct dl_cron_source *source;
	char *path; /* canonical, the leaf too */
	bool through_link;
	char *text;
	size_t size;
	struct dl_crontab *lines;
	struct dl_object object;
	const char *inert;
};

static void table_release(struct table *table)
{
	free(table->path);
	free(table->text);
	dl_crontab_free(table->lines);
	dl_object_clear(&table->object);
}

/* ---- was the line added? ---- */

/* The table without the job lines whose bit is set. */
static void text_without(const struct table *table, uint32_t removed, struct dl_buf *ret_text)
{
	size_t at = 0, job = 0;
	for (size_t i = 0; i < table->lines->count; i++) {
		const struct dl_cron_line *line = &table->lines->lines[i];
		if (line->type != DL_CRON_JOB || !(removed >> job++ & 1))
			continue;
		dl_buf_append(ret_text, table->text + at, line->offset - at);
		at = line->offset + line->size;
	}
	dl_buf_append(ret_text, table->text + at, table->size - at);
}

/* The union of all sets of job lines without which the table is the package's. */
static uint32_t find_added(const struct table *table)
{
	dl_autopackage package = { 0 };
	if (table->lines->job_count > DL_CRON_PROOF_LINES_MAX || table->lines->cut ||
	    dl_host_package_of(table->scan->host, table->path, &package, NULL) < 0)
		return 0;
	uint32_t added = 0;
	for (uint32_t set = 1; set < UINT32_C(1) << table->lines->job_count; set++) {
		dl_autobuf text = DL_BUF_INIT;
		text_without(table, set, &text);
		if (dl_host_package_shipped(&package, text.data ? text.data : "", text.size))
			added |= set;
	}
	return added;
}

/* Of two equal lines either may be the added one; both sets are found. Where the added lines are
 * known, the others are the package's. */
static enum dl_baseline line_baseline(const struct table *table, uint32_t added, size_t job)
{
	if (table->object.baseline != DL_BASELINE_DIFFERENT || !added)
		return table->object.baseline;
	return job < 32 && added >> job & 1 ? DL_BASELINE_ABSENT : DL_BASELINE_SAME;
}

/* ---- what a line runs ---- */

/* The shell gets what stands before the first "%" that has no backslash; the rest is its input. */
static char *shell_text(const char *command)
{
	dl_autobuf text = DL_BUF_INIT;
	for (; *command && *command != '%'; command++) {
		if (command[0] == '\\' && command[1] == '%')
			command++;
		dl_buf_append(&text, command, 1);
	}
	return dl_buf_take(&text);
}

static void add_payloads(const struct table *table, size_t index, const char *user,
			 struct dl_foothold *foothold)
{
	struct dl_scan *scan = table->scan;
	const struct dl_host_user *account = user ? dl_host_user_by_name(scan->host, user) : NULL;
	const char *search = dl_crontab_setting(table->lines, index, "PATH");
	const char *home = dl_crontab_setting(table->lines, index, "HOME");
	const char *shell = dl_crontab_setting(table->lines, index, "SHELL");
	const char *preload = dl_crontab_setting(table->lines, index, "LD_PRELOAD");
	if (!home && account)
		home = account->home;
	struct dl_payload_place place = { .host = scan->host, .home = home, .folder = home,
					  .search = search ? search : CRON_SEARCH,
					  .looks_max = dl_scan_looks_max(scan) };
	dl_autofree char *text = shell_text(table->lines->lines[index].command);
	struct dl_error err = { 0 };
	int r = dl_payload_of_shell(&place, text, foothold, &err);
	if (r == 0 && shell && strcmp(shell, CRON_SHELL) != 0)
		r = dl_payload_of_program(&place, shell, foothold, &err);
	if (r == 0 && preload)
		r = dl_payload_of_program(&place, preload, foothold, &err);
	if (r < 0)
		dl_scan_partial(scan, "the payloads of a line in %.256s: %s", table->path,
				err.text);
}

/* ---- one line ---- */

static bool has_missing_user(const struct table *table, const struct dl_cron_line *line)
{
	return line->user && !dl_host_user_by_name(table->scan->host, line->user);
}

/* Whether the step that removes this line would wake others: the line is what cron stumbles
 * over, or the new file would have one name where the old one has two. */
static bool keeps_table_quiet(const struct table *table, const struct dl_cron_line *line)
{
	size_t others = table->lines->job_count - (line->type == DL_CRON_JOB);
	bool is_last = line->offset + line->size == table->size;
	return others > 0 && (line->type == DL_CRON_UNREADABLE || has_missing_user(table, line) ||
			      (table->lines->unterminated && is_last) || table->object.links != 1);
}

static void fill_job(const struct table *table, size_t index, const char *user,
		     struct dl_foothold *foothold)
{
	const struct dl_cron_line *line = &table->lines->lines[index];
	foothold->schedule = dl_scan_text(line->schedule, DL_FOOTHOLD_LINE_MAX_BYTES);
	foothold->command = dl_scan_text(line->command, DL_FOOTHOLD_LINE_MAX_BYTES);
	add_payloads(table, index, user, foothold);
}

static void survey_line(const struct table *table, size_t index, enum dl_baseline baseline)
{
	const struct dl_cron_line *line = &table->lines->lines[index];
	const char *user = table->source->user ? table->source->user : line->user;
	const char *inert = table->inert;
	dl_auto(dl_foothold) foothold = dl_foothold_new(table->scan->kind);
	dl_autobuf scope = DL_BUF_INIT, state = DL_BUF_INIT;
	dl_buf_printf(&scope, table->source->user ? "user:%s" : "system", table->source->user);
	dl_buf_printf(&state, inert ? "inert: %s" : "scheduled", inert);
	foothold->scope = dl_bytes_encode_str(scope.data);
	foothold->location = dl_bytes_encode_str(table->path);
	foothold->line = dl_bytes_encode_str(line->line);
	foothold->occurrence = line->occurrence;
	foothold->user = dl_scan_text(user, DL_NAME_MAX_BYTES);
	foothold->state = dl_buf_take(&state);
	foothold->active = !inert;
	if (keeps_table_quiet(table, line))
		foothold->manual_because = dl_strdup("because of this line cron ignores the table; "
						     "without it the other lines would run");
	else if (table->through_link)
		foothold->manual_because = dl_strdup("cron reaches this table through a symlink; "
						     "look at both by hand");
	struct dl_object *object = dl_foothold_add_object(foothold);
	dl_object_copy(&table->object, object);
	object->baseline = baseline;
	if (line->type == DL_CRON_JOB)
		fill_job(table, index, user, foothold);
	dl_scan_add(table->scan, DL_TAKE(foothold));
}

/* ---- the table ---- */

static bool names_missing_user(const struct table *table)
{
	for (size_t i = 0; i < table->lines->count; i++)
		if (has_missing_user(table, &table->lines->lines[i]))
			return true;
	return false;
}

/* Facts for which Debian's cron passes over a whole table; each was seen in its log. */
static const char *why_table_inert(const struct table *table)
{
	const struct dl_object *object = &table->object;
	if (table->source->inert)
		return table->source->inert;
	if (table->source->user && table->through_link)
		return "cron opens no symlink here";
	if (table->lines->unterminated)
		return "no final newline, cron ignores the table";
	if (table->lines->unreadable_count > 0)
		return "cron cannot read a line of this table and ignores all of it";
	if (names_missing_user(table))
		return "the table names a user who does not exist, cron ignores all of it";
	if (object->links != 1)
		return "cron takes no file with a second name";
	if (!table->source->user && object->uid != 0)
		return "cron takes only root's files here";
	if (!table->source->user && object->mode & 022)
		return "cron takes no file that others may write";
	if (table->source->user && object->mode != 0600)
		return "cron takes only files of mode 0600 here";
	return NULL;
}

/* False when there is no table to read: gone, or nothing that cron would open. */
static bool read_table(struct table *table)
{
	struct dl_host *host = table->scan->host;
	struct dl_error err = { 0 };
	int r = dl_host_canonical(host, table->source->path, true, &table->path, &err);
	if (r == 0)
		r = dl_host_read(host, table->path, DL_HOST_FILE_MAX, &table->text, &table->size,
				 &err);
	if (r == 0)
		r = dl_host_object(host, table->path, DL_ROLE_TABLE, &table->object, &err);
	if (r < 0) {
		if (r != DL_E_NOT_FOUND && r != DL_E_INVALID)
			dl_scan_partial(table->scan, "%.256s: %s", table->source->path, err.text);
		return false;
	}
	table->through_link = strcmp(table->path, table->source->path) != 0;
	return table->object.type == DL_TYPE_FILE;
}

void dl_cron_footholds(struct dl_scan *scan, const struct dl_cron_source *source)
{
	__attribute__((cleanup(table_release))) struct table table = {
		.scan = scan, .source = source,
	};
	if (!read_table(&table))
		return;
	table.lines = dl_crontab_parse(table.text, table.size, source->user == NULL);
	table.inert = why_table_inert(&table);
	if (table.lines->cut)
		dl_scan_partial(scan, "%.256s: lines that a survey does not read", table.path);
	uint32_t added = table.object.baseline == DL_BASELINE_DIFFERENT ? find_added(&table) : 0;
	for (size_t i = 0, job = 0; i < table.lines->count && !dl_scan_is_full(scan); i++) {
		if (table.lines->lines[i].type == DL_CRON_SETTING)
			continue;
		bool is_job = table.lines->lines[i].type == DL_CRON_JOB;
		enum dl_baseline baseline = line_baseline(&table, added, is_job ? job : 32);
		job += is_job;
		if (baseline == DL_BASELINE_SAME && !scan->options->all)
			scan->survey->omitted++;
		else
			survey_line(&table, i, baseline);
	}
}
