#include "cli/screen.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/mem.h"
#include "core/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 10 };

struct dl_table {
	const char *const *heads;
	size_t columns, rows;
	char **cells; /* rows × columns */
};

char *dl_screen_safe(const char *text)
{
	dl_autofree char *encoded = dl_bytes_encode_str(text);
	char *to = encoded;

	for (const char *from = encoded; *from; from++) {
		*to++ = *from;
		if (!strncmp(from, "%25", 3))
			from += 2;
	}
	*to = '\0';
	return DL_TAKE(encoded);
}

char *dl_screen_member(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	dl_autobuf text = DL_BUF_INIT;

	if (json_is_string(member))
		return dl_screen_safe(json_string_value(member));
	if (json_is_integer(member))
		dl_buf_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(member));
	else if (json_is_boolean(member))
		dl_buf_puts(&text, json_is_true(member) ? "yes" : "no");
	else
		dl_buf_puts(&text, "-");
	return dl_buf_take(&text);
}

char *dl_screen_time(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	char text[DL_TIME_TEXT_SIZE];

	if (!json_is_integer(member) || !json_integer_value(member))
		return dl_strdup("-");
	dl_time_format(json_integer_value(member), text);
	return dl_strdup(text);
}

struct dl_table *dl_table_new(const char *const *heads)
{
	struct dl_table *table = DL_NEW(struct dl_table);

	table->heads = heads;
	while (heads[table->columns] && table->columns < COLUMNS_MAX)
		table->columns++;
	return table;
}

void dl_table_free(struct dl_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void dl_table_add(struct dl_table *table, char *const *cells)
{
	table->cells = dl_realloc(table->cells, (table->rows + 1) * table->columns, sizeof(char *));
	memcpy(table->cells + table->rows * table->columns, cells, table->columns * sizeof(char *));
	table->rows++;
}

/* Characters, not bytes: close enough to columns for a table. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			width++;
	return width;
}

static size_t column_width(const struct dl_table *table, size_t column)
{
	size_t width = text_width(table->heads[column]);

	for (size_t row = 0; row < table->rows; row++) {
		size_t cell = text_width(table->cells[row * table->columns + column]);
		if (cell > width)
			width = cell;
	}
	return width;
}

static void cell_print(const char *text, size_t width, bool last)
{
	fputs(text, stdout);
	if (last)
		putchar('\n');
	else
		printf("%*s", (int)(width - text_width(text) + 2), "");
}

void dl_table_print(const struct dl_table *table, const char *nothing)
{
	size_t widths[COLUMNS_MAX];

	if (!table->rows) {
		puts(nothing);
		return;
	}
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->columns; i++)
		cell_print(table->heads[i], widths[i], i + 1 == table->columns);
	for (size_t i = 0; i < table->rows * table->columns; i++)
		cell_print(table->cells[i], widths[i % table->columns],
			   (i + 1) % table->columns == 0);
}

void dl_screen_paragraph(const char *text)
{
	while (*text) {
		size_t size = strcspn(text, "\n");
		dl_autofree char *line = dl_strndup(text, size);
		dl_autofree char *safe = dl_screen_safe(line);
		printf("  %s\n", safe);
		text += size + (text[size] == '\n');
	}
}

void dl_screen_tone(enum dl_tone tone, const char *text)
{
	static const char *const codes[] = {
		[DL_TONE_PLAIN] = "0", [DL_TONE_BOLD] = "1", [DL_TONE_GOOD] = "32",
		[DL_TONE_WARN] = "33", [DL_TONE_BAD] = "31",
	};
	const char *no_color = getenv("NO_COLOR");

	if (tone == DL_TONE_PLAIN || !isatty(STDOUT_FILENO) || (no_color && *no_color))
		fputs(text, stdout);
	else
		printf("\033[%sm%s\033[0m", codes[tone], text);
}

void dl_screen_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

bool dl_screen_can_ask(void)
{
	return isatty(STDIN_FILENO);
}

bool dl_screen_confirm(const char *question)
{
	char answer[16];

	if (!dl_screen_can_ask())
		return false;
	printf("%s [y/N] ", question);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return !strcmp(answer, "y\n") || !strcmp(answer, "yes\n");
}
