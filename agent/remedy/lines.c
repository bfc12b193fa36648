#include "agent/remedy/lines.h"

#include <string.h>

bool lines_at(struct text text, size_t start, struct line *ret_line)
{
	const char *end;

	if (start >= text.size)
		return false;
	end = memchr(text.data + start, '\n', text.size - start);
	*ret_line = (struct line){
		.start = start,
		.length = end ? (size_t)(end - text.data) - start : text.size - start,
		.ended = end != NULL,
	};
	return true;
}

size_t lines_after(struct line line)
{
	return line.start + line.length + line.ended;
}

static struct text line_text(struct text text, struct line line)
{
	return (struct text){ text.data + line.start, line.length };
}

static bool text_same(struct text one, struct text other)
{
	return one.size == other.size &&
	       (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

bool lines_find(struct text text, const char *wanted, int64_t occurrence, struct line *ret_line)
{
	struct text words = { wanted, strlen(wanted) };
	struct line line;

	for (size_t at = 0; lines_at(text, at, &line); at = lines_after(line)) {
		if (!text_same(line_text(text, line), words) || --occurrence > 0)
			continue;
		*ret_line = line;
		return occurrence == 0;
	}
	return false;
}

int64_t lines_count(struct text text, const char *wanted)
{
	struct text words = { wanted, strlen(wanted) };
	struct line line;
	int64_t count = 0;

	for (size_t at = 0; lines_at(text, at, &line); at = lines_after(line))
		count += text_same(line_text(text, line), words);
	return count;
}

void lines_without(struct text text, struct line line, struct dl_buf *ret_text)
{
	size_t after = lines_after(line);

	dl_buf_append(ret_text, text.data, line.start);
	dl_buf_append(ret_text, text.data + after, text.size - after);
}

struct neighbours lines_around(struct text text, struct line line)
{
	struct neighbours around = { 0 };
	struct line other;

	for (size_t at = 0; at < line.start && lines_at(text, at, &other); at = lines_after(other)) {
		around.has_before = true;
		around.before = line_text(text, other);
	}
	around.has_after = lines_at(text, lines_after(line), &other);
	if (around.has_after)
		around.after = line_text(text, other);
	return around;
}

static bool side_matches(bool wanted, struct text words, bool there, struct text text,
			 struct line line)
{
	if (!wanted || !there)
		return wanted == there;
	return text_same(line_text(text, line), words);
}

bool lines_place(struct text text, const struct neighbours *around, size_t position,
		 size_t *ret_position)
{
	struct line before = { 0 }, after = { 0 };
	bool has_before = false, has_after;
	size_t at = 0, fits = 0;

	do {
		has_after = lines_at(text, at, &after);
		if (side_matches(around->has_before, around->before, has_before, text, before) &&
		    side_matches(around->has_after, around->after, has_after, text, after)) {
			*ret_position = at;
			if (at == position)
				return true;
			fits++;
		}
		has_before = has_after;
		before = after;
		at = lines_after(after);
	} while (has_after);
	return fits == 1;
}

bool lines_with(struct text text, size_t position, struct text line, bool ended,
		struct dl_buf *ret_text)
{
	if (position > 0 && text.data[position - 1] != '\n')
		return false;
	dl_buf_append(ret_text, text.data, position);
	dl_buf_append(ret_text, line.data, line.size);
	if (ended || position < text.size)
		dl_buf_puts(ret_text, "\n");
	dl_buf_append(ret_text, text.data + position, text.size - position);
	return true;
}
