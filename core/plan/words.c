#include "core/plan/words.h"

#include <string.h>

/* Largest length up to `limit` that splits neither a UTF-8 character nor "%XX". */
static size_t cut_length(const char *text, size_t limit)
{
	size_t length = strnlen(text, limit + 1);
	if (length <= limit)
		return length;
	length = limit;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	if (length >= 1 && text[length - 1] == '%')
		return length - 1;
	if (length >= 2 && text[length - 2] == '%')
		return length - 2;
	return length;
}

static void append_cut(struct dl_buf *out, const char *text)
{
	size_t length = cut_length(text, DL_WORDS_NAME_MAX_BYTES);
	dl_buf_append(out, text, length);
	if (text[length])
		dl_buf_puts(out, "…");
}

static size_t longest_run(const char *text)
{
	size_t longest = 0;
	for (text = strchr(text, '`'); text; text = strchr(text, '`')) {
		size_t run = strspn(text, "`");
		longest = run > longest ? run : longest;
		text += run;
	}
	return longest;
}

static void append_fence(struct dl_buf *out, size_t count)
{
	while (count--)
		dl_buf_puts(out, "`");
}

void dl_words_quote(struct dl_buf *out, const char *text)
{
	dl_autobuf cut = DL_BUF_INIT;
	append_cut(&cut, text ? text : "");
	size_t inside = cut.size ? longest_run(cut.data) : 0;
	append_fence(out, inside + 1);
	dl_buf_printf(out, inside ? " %s " : "%s", cut.size ? cut.data : "");
	append_fence(out, inside + 1);
}

static void append_cron(struct dl_buf *out, const struct dl_foothold *foothold)
{
	dl_buf_puts(out, "the cron line");
	if (foothold->user) {
		dl_buf_puts(out, " of ");
		append_cut(out, foothold->user);
	}
	dl_buf_puts(out, " that runs ");
	dl_words_quote(out, foothold->command ? foothold->command : foothold->line);
}

void dl_words_foothold(struct dl_buf *out, const struct dl_foothold *foothold)
{
	switch (foothold->kind) {
	case DL_KIND_SYSTEMD_TIMER:
		dl_buf_puts(out, "timer ");
		dl_words_quote(out, foothold->name);
		break;
	case DL_KIND_SYSTEMD_SERVICE:
		dl_buf_puts(out, "service ");
		dl_words_quote(out, foothold->name);
		break;
	case DL_KIND_REGISTRY_RUN:
		dl_buf_puts(out, "the Run value ");
		dl_words_quote(out, foothold->name);
		dl_buf_puts(out, " in ");
		dl_words_quote(out, foothold->location);
		break;
	default:
		append_cron(out, foothold);
		break;
	}
}
