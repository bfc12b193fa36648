#include "agent/survey/crontab.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

enum { VALUE_CEILING = 100000000 };

/* ---- one field of a schedule ---- */

struct field_rule {
	int min, max;
	const char *const *names; /* of min, min + 1, …; NULL-terminated */
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
				      "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

static const struct field_rule field_rules[] = {
	{ 0, 59, NULL }, { 0, 23, NULL }, { 1, 31, NULL }, { 1, 12, months }, { 0, 7, days },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A number or a name at *at; moves past it. Any number of digits, as cron reads them. */
static bool read_value(const char **at, const char *end, const struct field_rule *rule,
		       int *ret_value)
{
	if (end - *at >= 3)
		for (int i = 0; rule->names && rule->names[i]; i++)
			if (strncasecmp(*at, rule->names[i], 3) == 0) {
				*at += 3;
				*ret_value = rule->min + i;
				return true;
			}
	int value = 0, digits = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; digits++) {
		int digit = *(*at)++ - '0';
		value = value < VALUE_CEILING ? 10 * value + digit : value;
	}
	*ret_value = value;
	return digits > 0 && value >= rule->min && value <= rule->max;
}

static bool read_step(const char **at, const char *end)
{
	int step;
	if (*at == end || **at != '/')
		return true;
	(*at)++;
	return read_value(at, end, &(struct field_rule){ 1, INT_MAX, NULL }, &step);
}

/* "*", "5", "1-5", "mon-fri", "1~5" (at random), the last three with an optional "/step".
 * A range that runs backwards is read, and never comes. */
static bool read_range(const char **at, const char *end, const struct field_rule *rule)
{
	int value;
	bool star = *at < end && **at == '*';
	if (star)
		(*at)++;
	else if (!read_value(at, end, rule, &value))
		return false;
	if (*at < end && (**at == '-' || **at == '~')) {
		(*at)++;
		return read_value(at, end, rule, &value) && read_step(at, end);
	}
	return star ? read_step(at, end) : *at == end || **at == ',';
}

static bool is_field(const char *text, size_t size, const struct field_rule *rule)
{
	const char *at = text, *end = text + size;
	for (;;) {
		if (!read_range(&at, end, rule))
			return false;
		if (at == end)
			return true;
		if (*at++ != ',')
			return false;
	}
}

/* ---- one line ---- */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static const char *skip_word(const char *at)
{
	return at + strcspn(at, " \t");
}

static bool is_nickname(const char *text, size_t size)
{
	static const char *const names[] = { "@reboot", "@yearly", "@annually", "@monthly",
					     "@weekly", "@daily", "@midnight", "@hourly" };
	for (size_t i = 0; i < DL_COUNT(names); i++)
		if (strlen(names[i]) == size && memcmp(text, names[i], size) == 0)
			return true;
	return false;
}

/* The end of the schedule, NULL if there is none. */
static const char *read_schedule(const char *at)
{
	const char *end = skip_word(at);
	if (*at == '@')
		return is_nickname(at, (size_t)(end - at)) ? end : NULL;
	for (size_t i = 0; i < DL_COUNT(field_rules); i++) {
		at = i ? skip_blanks(end) : at;
		end = skip_word(at);
		if (!is_field(at, (size_t)(end - at), &field_rules[i]))
			return NULL;
	}
	return end;
}

/* A job without a command is read too; one without a user is not. */
static bool read_job(struct dl_cron_line *line, bool with_user)
{
	const char *start = skip_blanks(line->line);
	const char *end = read_schedule(start);
	if (!end)
		return false;
	const char *user = skip_blanks(end);
	const char *user_end = with_user ? skip_word(user) : user;
	const char *command = skip_blanks(user_end);
	if (with_user && (user_end == user || !*user_end))
		return false;
	if (strlen(command) > DL_CRONTAB_COMMAND_MAX)
		return false;
	line->type = DL_CRON_JOB;
	line->schedule = dl_strndup(start, (size_t)(end - start));
	line->user = with_user ? dl_strndup(user, (size_t)(user_end - user)) : NULL;
	line->command = dl_strdup(command);
	return true;
}

/* A word in quotes or up to one of `stops`; moves past it. */
static char *read_quotable(const char **at, const char *stops)
{
	if (**at == '"' || **at == '\'') {
		const char *close = strchr(*at + 1, **at);
		if (!close)
			return NULL;
		char *word = dl_strndup(*at + 1, (size_t)(close - *at) - 1);
		*at = close + 1;
		return word;
	}
	size_t size = strcspn(*at, stops);
	char *word = dl_strndup(*at, size);
	*at += size;
	return word;
}

static void cut_trailing_blanks(char *text)
{
	size_t size = strlen(text);
	while (size && is_blank(text[size - 1]))
		text[--size] = '\0';
}

/* NAME = value, either in quotes. The name may be empty, the value only in quotes. */
static bool read_setting(struct dl_cron_line *line)
{
	const char *at = skip_blanks(line->line);
	dl_autofree char *name = read_quotable(&at, " \t=");
	if (!name)
		return false;
	at = skip_blanks(at);
	if (*at++ != '=')
		return false;
	at = skip_blanks(at);
	if (!*at)
		return false;
	dl_autofree char *value = read_quotable(&at, "");
	if (!value || *skip_blanks(at))
		return false;
	cut_trailing_blanks(value);
	line->type = DL_CRON_SETTING;
	line->name = DL_TAKE(name);
	line->command = DL_TAKE(value);
	return true;
}

/* ---- the table ---- */

static void line_clear(struct dl_cron_line *line)
{
	free(line->line);
	free(line->schedule);
	free(line->user);
	free(line->command);
	free(line->name);
}

void dl_crontab_free(struct dl_crontab *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		line_clear(&table->lines[i]);
	free(table->lines);
	free(table);
}

static int64_t count_earlier(const struct dl_crontab *table, const char *line)
{
	int64_t count = 0;
	for (size_t i = 0; i < table->count; i++)
		count += strcmp(table->lines[i].line, line) == 0;
	return count;
}

static void add_line(struct dl_crontab *table, struct dl_cron_line line, bool with_user)
{
	if (!read_setting(&line) && !read_job(&line, with_user))
		line.type = DL_CRON_UNREADABLE;
	table->job_count += line.type == DL_CRON_JOB;
	table->unreadable_count += line.type == DL_CRON_UNREADABLE;
	line.occurrence = count_earlier(table, line.line) + 1;
	if ((table->count & (table->count - 1)) == 0)
		table->lines = dl_realloc(table->lines, table->count ? 2 * table->count : 1,
					  sizeof(line));
	table->lines[table->count++] = line;
}

static bool says_nothing(const char *line)
{
	line = skip_blanks(line);
	return *line == '\0' || *line == '#';
}

struct dl_crontab *dl_crontab_parse(const char *text, size_t size, bool with_user)
{
	struct dl_crontab *table = DL_NEW(struct dl_crontab);
	table->cut = memchr(text, '\0', size) != NULL;
	table->unterminated = size > 0 && text[size - 1] != '\n';
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t length = newline ? (size_t)(newline - text) - at : size - at;
		dl_autofree char *bytes = dl_strndup(text + at, length);
		size_t whole = length + (newline != NULL);
		if (table->count == DL_CRONTAB_LINES_MAX || length > DL_CRONTAB_LINE_MAX)
			table->cut = true;
		else if (!says_nothing(bytes))
			add_line(table,
				 (struct dl_cron_line){ .line = DL_TAKE(bytes), .offset = at,
							.size = whole },
				 with_user);
		at += whole;
	}
	return table;
}

const char *dl_crontab_setting(const struct dl_crontab *table, size_t index, const char *name)
{
	for (size_t i = index; i > 0; i--) {
		const struct dl_cron_line *line = &table->lines[i - 1];
		if (line->type == DL_CRON_SETTING && strcmp(line->name, name) == 0)
			return line->command;
	}
	return NULL;
}
