#include "server/portal/html.h"

#include "core/base/mem.h"
#include "core/base/time.h"
#include "server/http/local_path.h"
#include "server/portal/asset.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, SECONDS_PER_MINUTE = 60, MINUTES_PER_HOUR = 60, HOURS_PER_DAY = 24 };

void dl_html_literal(struct dl_html *html, const char *text, size_t size)
{
	dl_buf_append(html->out, text, size);
}

bool dl_html_true(const json_t *value)
{
	switch (json_typeof(value ? value : json_null())) {
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) != 0;
	case JSON_TRUE:
		return true;
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return false;
}

bool dl_html_is_null(const json_t *value)
{
	return !value || json_is_null(value);
}

bool dl_html_is(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

bool dl_html_is_number(const json_t *value, int64_t number)
{
	return json_is_integer(value) && json_integer_value(value) == number;
}

/* Length in bytes of the UTF-8 character at `text` (jansson holds valid UTF-8 only). */
static size_t read_character(const char *text, uint32_t *ret_character)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t character = length == 1 ? first : first & (0x7fU >> length);
	for (size_t i = 1; i < length; i++)
		character = character << 6 | ((unsigned char)text[i] & 0x3fU);
	*ret_character = character;
	return length;
}

/* What is shown as its number: it is not seen itself, or changes how the rest
 * is seen. From Unicode 14's database: controls (general category Cc), line and
 * paragraph separator (Zl, Zp), annotations (U+FFF9-FFFB), and all of
 * Default_Ignorable_Code_Point (DerivedCoreProperties.txt), of which
 * Bidi_Control (PropList.txt; UAX 9) is a part. In ascending order. */
static const struct { uint32_t first, last; } deceptive[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },   { 0x061c, 0x061c },   { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },   { 0x200b, 0x200f },
	{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff }, /* tags, variation selectors */
};

/* Line breaks and tabs are text. */
static bool is_deceptive(uint32_t character)
{
	if (character == '\n' || character == '\t' || character == '\r')
		return false;
	size_t i = 0;
	while (i < DL_COUNT(deceptive) && deceptive[i].last < character)
		i++;
	return i < DL_COUNT(deceptive) && deceptive[i].first <= character;
}

static const char *reference_of(char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static size_t escape_character(struct dl_buf *out, const char *text)
{
	uint32_t character;
	size_t length = read_character(text, &character);
	const char *reference = length == 1 ? reference_of(text[0]) : NULL;
	if (reference)
		dl_buf_puts(out, reference);
	else if (is_deceptive(character))
		dl_buf_printf(out, "[U+%04" PRIX32 "]", character);
	else
		dl_buf_append(out, text, length);
	return length;
}

void dl_html_text(struct dl_html *html, const json_t *value)
{
	if (json_is_integer(value))
		dl_buf_printf(html->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	const char *text = json_string_value(value);
	while (text && *text)
		text += escape_character(html->out, text);
}

static bool is_byte_escape(const char *text)
{
	return text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

static void write_bytes(struct dl_buf *out, const char *text, const char *end)
{
	while (text < end) {
		if (!is_byte_escape(text)) {
			text += escape_character(out, text);
			continue;
		}
		dl_buf_puts(out, "<span class=\"byte\">");
		for (; text < end && is_byte_escape(text); text += 3)
			dl_buf_append(out, text, 3);
		dl_buf_puts(out, "</span>");
	}
}

void dl_html_bytes(struct dl_html *html, const json_t *value)
{
	const char *text = json_string_value(value);
	if (text)
		write_bytes(html->out, text, text + strlen(text));
	else
		dl_html_text(html, value);
}

/* The next run of exactly so many backticks; NULL for none. */
static const char *find_fence(const char *text, size_t fence)
{
	for (text = strchr(text, '`'); text; text = strchr(text, '`')) {
		size_t run = strspn(text, "`");
		if (run == fence)
			return text;
		text += run;
	}
	return NULL;
}

/* A blank on either side keeps backticks apart from the fence. */
static void write_code(struct dl_buf *out, const char *text, const char *end)
{
	bool padded = end - text > 2 && text[0] == ' ' && end[-1] == ' ';
	dl_buf_puts(out, "<code>");
	write_bytes(out, text + padded, end - padded);
	dl_buf_puts(out, "</code>");
}

void dl_html_words(struct dl_html *html, const json_t *value)
{
	const char *text = json_string_value(value);
	while (text && *text) {
		const char *open = text + strcspn(text, "`");
		size_t fence = strspn(open, "`");
		const char *inside = open + fence, *close = fence ? find_fence(inside, fence) : NULL;
		write_bytes(html->out, text, close ? open : inside);
		if (close)
			write_code(html->out, inside, close);
		text = close ? close + fence : inside;
	}
}

void dl_html_count(struct dl_html *html, const json_t *value)
{
	dl_buf_printf(html->out, "%zu", json_array_size(value));
}

void dl_html_size(struct dl_html *html, const json_t *value)
{
	if (!json_is_integer(value))
		return;
	char digits[32], grouped[48];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
					 json_integer_value(value));
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
			grouped[used++] = ',';
		grouped[used++] = digits[i];
	}
	grouped[used] = '\0';
	dl_buf_printf(html->out, "%s byte%s", grouped, strcmp(grouped, "1") == 0 ? "" : "s");
}

void dl_html_mode(struct dl_html *html, const json_t *value)
{
	if (!json_is_integer(value))
		return;
	unsigned mode = (unsigned)json_integer_value(value) & 07777U;
	char letters[] = "rwxrwxrwx";
	for (unsigned i = 0; i < 9; i++) {
		if (!(mode & (0400U >> i)))
			letters[i] = '-';
	}
	/* chmod(1), ls(1): s and t stand over x; capitals where x is missing. */
	if (mode & 04000U)
		letters[2] = letters[2] == 'x' ? 's' : 'S';
	if (mode & 02000U)
		letters[5] = letters[5] == 'x' ? 's' : 'S';
	if (mode & 01000U)
		letters[8] = letters[8] == 'x' ? 't' : 'T';
	dl_buf_printf(html->out, "%04o %s", mode, letters);
}

static bool begin_time(struct dl_html *html, const json_t *value, struct tm *ret_parts)
{
	int64_t ms = json_integer_value(value);
	time_t seconds = (time_t)(ms / MS_PER_SECOND);
	if (!json_is_integer(value) || ms <= 0 || !gmtime_r(&seconds, ret_parts))
		return false;
	char text[DL_TIME_TEXT_SIZE], title[64];
	dl_time_format(ms, text);
	if (strftime(title, sizeof(title), "%e %b %Y, %H:%M:%S UTC", ret_parts) == 0)
		return false;
	dl_buf_printf(html->out, "<time datetime=\"%s\" title=\"%s\">", text, title);
	return true;
}

static void write_duration(struct dl_buf *out, int64_t seconds)
{
	int64_t minutes = seconds / SECONDS_PER_MINUTE;
	int64_t hours = minutes / MINUTES_PER_HOUR;
	int64_t days = hours / HOURS_PER_DAY;
	if (seconds < SECONDS_PER_MINUTE)
		dl_buf_printf(out, "%" PRId64 " s", seconds);
	else if (hours == 0)
		dl_buf_printf(out, "%" PRId64 " min", minutes);
	else if (days < 2)
		dl_buf_printf(out, "%" PRId64 " h", hours);
	else
		dl_buf_printf(out, "%" PRId64 " days", days);
}

void dl_html_ago(struct dl_html *html, const json_t *value)
{
	struct tm parts;
	if (!begin_time(html, value, &parts))
		return;
	int64_t seconds = (html->now - json_integer_value(value)) / MS_PER_SECOND;
	if (seconds >= 0 && seconds < 5) {
		dl_buf_puts(html->out, "just now");
	} else if (seconds < 0) {
		dl_buf_puts(html->out, "in ");
		write_duration(html->out, -seconds);
	} else {
		write_duration(html->out, seconds);
		dl_buf_puts(html->out, " ago");
	}
	dl_buf_puts(html->out, "</time>");
}

static void write_time(struct dl_html *html, const char *format, const struct tm *parts)
{
	char text[64];
	/* The formats below are literals that fit; 0 would mean an empty text. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t length = strftime(text, sizeof(text), format, parts);
#pragma GCC diagnostic pop
	dl_buf_append(html->out, text, length);
	dl_buf_puts(html->out, "</time>");
}

void dl_html_date(struct dl_html *html, const json_t *value)
{
	struct tm parts;
	if (begin_time(html, value, &parts))
		write_time(html, "%d %b %Y, %H:%M UTC", &parts);
}

void dl_html_clock(struct dl_html *html, const json_t *value)
{
	struct tm parts, today;
	time_t now = (time_t)(html->now / MS_PER_SECOND);
	if (!gmtime_r(&now, &today) || !begin_time(html, value, &parts))
		return;
	bool same_day = today.tm_yday == parts.tm_yday && today.tm_year == parts.tm_year;
	write_time(html, same_day ? "%H:%M UTC" : "%d %b %Y, %H:%M UTC", &parts);
}

void dl_html_url(struct dl_html *html, const json_t *value)
{
	if (json_is_integer(value))
		dl_buf_printf(html->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	/* RFC 3986, section 2.3: the unreserved characters stand for themselves. */
	for (const char *text = json_string_value(value); text && *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			dl_buf_append(html->out, text, 1);
		else
			dl_buf_printf(html->out, "%%%02X", (unsigned char)*text);
	}
}

void dl_html_path(struct dl_html *html, const json_t *value)
{
	if (dl_path_is_local(json_string_value(value)))
		dl_html_text(html, value);
	else
		dl_buf_puts(html->out, "/");
}

void dl_html_icon(struct dl_html *html, const char *name)
{
	dl_buf_puts(html->out, "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"");
	dl_buf_puts(html->out, dl_asset_url("icons.svg"));
	dl_buf_printf(html->out, "#%s\"/></svg>", name);
}

void dl_html_asset(struct dl_html *html, const char *name)
{
	dl_buf_puts(html->out, dl_asset_url(name));
}

void dl_html_script(struct dl_html *html, const char *name)
{
	dl_buf_printf(html->out, "<script src=\"%s\" defer></script>", dl_asset_url(name));
}
