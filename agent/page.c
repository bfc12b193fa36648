#include "agent/page.h"

#include "agent/platform/terminal.h"
#include "core/base/buf.h"
#include "core/base/mem.h"

#include <string.h>

enum { INDENT = 4, LABEL_WIDTH = 10, WIDTH_MIN = 40, WRAP_MAX = 100 };

struct dl_page dl_page_on(FILE *out, const struct dl_table_look *look)
{
	struct dl_page page = { .out = out, .look = *look };
	if (page.look.width < WIDTH_MIN)
		page.look.width = WIDTH_MIN;
	return page;
}

struct dl_page dl_page_stdout(void)
{
	return dl_page_on(stdout, &(struct dl_table_look){ .width = dl_terminal_width(),
							   .colour = dl_terminal_has_colour() });
}

const char *dl_page_ink(const struct dl_page *page, enum dl_ink ink)
{
	static const char *const codes[] = { "\033[0m",  "\033[1m",  "\033[2m",
					     "\033[31m", "\033[33m", "\033[32m" };
	return page->look.colour ? codes[ink] : "";
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

static size_t room_after(const struct dl_page *page, size_t used)
{
	return page->look.width > used + 1 ? page->look.width - used : 1;
}

/* Bytes of as many characters as fit into `room` columns. */
static size_t fitting(const char *text, size_t room)
{
	size_t at = 0;
	for (size_t columns = 0; text[at] && columns < room; columns++)
		at = next_character(text, at);
	return at;
}

void dl_page_cut(const struct dl_page *page, const char *text, size_t used)
{
	dl_autofree char *shown = readable(text);
	size_t room = room_after(page, used);
	if (!shown[fitting(shown, room)])
		fprintf(page->out, "%s\n", shown);
	else
		fprintf(page->out, "%.*s…\n", (int)fitting(shown, room - 1), shown);
}

/* Where a line of at most `fits` bytes ends: after a word, if there is one. */
static size_t line_end(const char *text, size_t fits)
{
	size_t end = fits;
	while (end > 0 && text[end] != ' ')
		end--;
	return end > 0 ? end : fits;
}

void dl_page_wrap(const struct dl_page *page, const char *text, size_t used)
{
	dl_autofree char *shown = readable(text);
	size_t room = room_after(page, used);
	const char *rest = shown;
	if (room > WRAP_MAX)
		room = WRAP_MAX;
	for (;;) {
		size_t fits = fitting(rest, room);
		if (!rest[fits])
			break;
		size_t end = line_end(rest, fits);
		fprintf(page->out, "%.*s\n%*s", (int)end, rest, (int)used, "");
		rest += end;
		rest += strspn(rest, " ");
	}
	fprintf(page->out, "%s\n", rest);
}

static size_t print_label(const struct dl_page *page, const char *label)
{
	fprintf(page->out, "%*s%s%-*s%s", INDENT, "", dl_page_ink(page, DL_INK_DIM), LABEL_WIDTH,
		label, dl_page_ink(page, DL_INK_PLAIN));
	return INDENT + LABEL_WIDTH;
}

void dl_page_field(const struct dl_page *page, const char *label, const char *text)
{
	if (text)
		dl_page_cut(page, text, print_label(page, label));
}

void dl_page_words(const struct dl_page *page, const char *label, const char *text)
{
	if (text && *text)
		dl_page_wrap(page, text, print_label(page, label));
}

bool dl_page_is_written(const struct dl_page *page)
{
	return fflush(page->out) == 0 && !ferror(page->out);
}
