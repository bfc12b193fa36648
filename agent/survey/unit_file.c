#include "agent/survey/unit_file.h"

#include "core/base/buf.h"

#include <string.h>

enum { UNIT_NAME_MAX = 255 };

struct setting {
	char *section;
	char *key;
	char *value;
};

struct dl_unit_file {
	struct setting *settings;
	size_t count;
	size_t assignments; /* read so far, the forgotten ones too: forgetting is a walk */
};

struct dl_unit_file *dl_unit_file_new(void)
{
	return DL_NEW(struct dl_unit_file);
}

static void setting_clear(struct setting *setting)
{
	free(setting->section);
	free(setting->key);
	free(setting->value);
}

void dl_unit_file_free(struct dl_unit_file *unit)
{
	if (!unit)
		return;
	for (size_t i = 0; i < unit->count; i++)
		setting_clear(&unit->settings[i]);
	free(unit->settings);
	free(unit);
}

/* ---- reading lines ---- */

/* A view on some bytes. */
struct span {
	const char *data;
	size_t size;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
	while (text.size && is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool ends_line(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

/* Takes the next physical line off `rest`. */
static struct span take_line(struct span *rest)
{
	struct span line = { rest->data, 0 };
	while (line.size < rest->size && !ends_line(rest->data[line.size]))
		line.size++;
	size_t taken = line.size + (line.size < rest->size);
	rest->data += taken;
	rest->size -= taken;
	return line;
}

static bool is_comment(struct span line)
{
	line = trim(line);
	return line.size && (line.data[0] == '#' || line.data[0] == ';');
}

/* An odd number of backslashes at the end: an even number is literal. */
static bool continues(struct span line)
{
	size_t slashes = 0;
	while (slashes < line.size && line.data[line.size - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 1;
}

/* Joins continued lines with a space. False at the end of the text. */
static bool take_logical_line(struct span *rest, struct dl_buf *ret_line)
{
	bool more = rest->size > 0;
	bool continued = false;
	while (rest->size) {
		struct span line = take_line(rest);
		if (is_comment(line))
			continue;
		bool goes_on = continues(line);
		if (ret_line->size < DL_UNIT_FILE_VALUE_MAX)
			dl_buf_append(ret_line, line.data, line.size - goes_on);
		if (goes_on) {
			dl_buf_append(ret_line, " ", 1);
			continued = true;
			continue;
		}
		if (line.size || continued)
			break;
	}
	return more;
}

/* ---- settings ---- */

static bool is_setting(const struct setting *setting, const char *section, const char *key)
{
	return strcmp(setting->section, section) == 0 && strcmp(setting->key, key) == 0;
}

static void forget(struct dl_unit_file *unit, const char *section, const char *key)
{
	size_t kept = 0;
	for (size_t i = 0; i < unit->count; i++) {
		if (is_setting(&unit->settings[i], section, key))
			setting_clear(&unit->settings[i]);
		else
			unit->settings[kept++] = unit->settings[i];
	}
	unit->count = kept;
}

static int add_setting(struct dl_unit_file *unit, const char *section, struct span key,
		       struct span value, struct dl_error *err)
{
	if (unit->assignments++ >= DL_UNIT_FILE_SETTINGS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "more than %d settings",
				    DL_UNIT_FILE_SETTINGS_MAX);
	dl_autofree char *name = dl_strndup(key.data, key.size);
	if (value.size == 0) {
		forget(unit, section, name);
		return 0;
	}
	if ((unit->count & (unit->count - 1)) == 0)
		unit->settings = dl_realloc(unit->settings, unit->count ? 2 * unit->count : 1,
					    sizeof(struct setting));
	unit->settings[unit->count++] = (struct setting){
		.section = dl_strdup(section), .key = DL_TAKE(name),
		.value = dl_strndup(value.data, value.size),
	};
	return 0;
}

static int add_line(struct dl_unit_file *unit, const char *section, struct span line,
		    struct dl_error *err)
{
	const char *equals = memchr(line.data, '=', line.size);
	if (!equals)
		return 0;
	size_t before = (size_t)(equals - line.data);
	struct span key = trim((struct span){ line.data, before });
	struct span value = trim((struct span){ equals + 1, line.size - before - 1 });
	return key.size ? add_setting(unit, section, key, value, err) : 0;
}

int dl_unit_file_add(struct dl_unit_file *unit, const char *text, size_t size, struct dl_error *err)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct span rest = { text, size };
	if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
		rest = (struct span){ text + 3, size - 3 };
	dl_autofree char *section = NULL;
	for (;;) {
		dl_autobuf buf = DL_BUF_INIT;
		if (!take_logical_line(&rest, &buf))
			return 0;
		if (buf.size > DL_UNIT_FILE_VALUE_MAX)
			return dl_error_set(err, DL_E_LIMIT, "a line longer than %d bytes",
					    DL_UNIT_FILE_VALUE_MAX);
		struct span line = trim((struct span){ buf.data ? buf.data : "", buf.size });
		if (line.size >= 2 && line.data[0] == '[' && line.data[line.size - 1] == ']') {
			free(section);
			section = dl_strndup(line.data + 1, line.size - 2);
		} else if (section && line.size) {
			int r = add_line(unit, section, line, err);
			if (r < 0)
				return r;
		}
	}
}

const char *dl_unit_file_get(const struct dl_unit_file *unit, const char *section, const char *key)
{
	for (size_t i = unit->count; i > 0; i--)
		if (is_setting(&unit->settings[i - 1], section, key))
			return unit->settings[i - 1].value;
	return NULL;
}

const char *dl_unit_file_next(const struct dl_unit_file *unit, const char *section,
			      const char *key, size_t *at)
{
	while (*at < unit->count) {
		const struct setting *setting = &unit->settings[(*at)++];
		if (is_setting(setting, section, key))
			return setting->value;
	}
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);
	while (*list) {
		list += strspn(list, " \t");
		size_t size = strcspn(list, " \t");
		if (size == length && memcmp(list, word, length) == 0)
			return true;
		list += size;
	}
	return false;
}

bool dl_unit_file_lists(const struct dl_unit_file *unit, const char *section, const char *key,
			const char *word)
{
	size_t at = 0;
	for (const char *list; (list = dl_unit_file_next(unit, section, key, &at));)
		if (has_word(list, word))
			return true;
	return false;
}

/* ---- names ---- */

bool dl_unit_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";
	const char *dot = strrchr(name, '.');
	size_t length = strnlen(name, UNIT_NAME_MAX + 1);
	return length <= UNIT_NAME_MAX && dot && dot != name && dot[1] && name[0] != '@' &&
	       strspn(name, allowed) == length;
}

char *dl_unit_name_template(const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
	if (!at || !dot || dot <= at + 1)
		return NULL;
	dl_autobuf buf = DL_BUF_INIT;
	dl_buf_append(&buf, name, (size_t)(at - name) + 1);
	dl_buf_puts(&buf, dot);
	return dl_buf_take(&buf);
}
