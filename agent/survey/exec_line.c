/* Words of systemd's Exec settings, systemd.service(5) and systemd.syntax(7). */
#include "agent/survey/command.h"

#include <string.h>

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
	return found ? (int)(found - digits) : -1;
}

/* "\xHH"; moves past the digits. */
static bool read_hex(const char **at, char *ret)
{
	int high = hex_digit((*at)[1]), low = high < 0 ? -1 : hex_digit((*at)[2]);
	if (low < 0)
		return false;
	*ret = (char)(16 * high + low);
	*at += 3;
	return true;
}

/* At the character after a backslash. What is no escape stays as it is written. */
static void read_escape(const char **at, struct dl_buf *word)
{
	static const char from[] = "abfnrtvs\\\"';", to[] = "\a\b\f\n\r\t\v \\\"';";
	char byte;
	const char *found = **at ? strchr(from, **at) : NULL;
	if (found) {
		dl_buf_append(word, &to[found - from], 1);
		(*at)++;
	} else if (**at == 'x' && read_hex(at, &byte)) {
		dl_buf_append(word, &byte, 1);
	} else {
		dl_buf_puts(word, "\\");
	}
}

/* The next word without its quotes; false at the end. */
static bool read_word(const char **at, struct dl_buf *word)
{
	char quote = '\0';
	*at += strspn(*at, " \t\n\r");
	if (!**at)
		return false;
	dl_buf_puts(word, "");
	for (; **at && (quote || !strchr(" \t\n\r", **at));) {
		char c = *(*at)++;
		if (c == '\\')
			read_escape(at, word);
		else if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			dl_buf_append(word, &c, 1);
	}
	return true;
}

/* Takes the prefixes off the program's name; says whether "@" was among them. */
static bool strip_prefixes(struct dl_buf *word)
{
	size_t size = strspn(word->data, "@-:+!|");
	bool names_argv0 = memchr(word->data, '@', size) != NULL;
	memmove(word->data, word->data + size, word->size - size + 1);
	word->size -= size;
	return names_argv0;
}

/* A ";" that stands alone separates commands. */
static bool is_separator(const char *start, const char *end)
{
	start += strspn(start, " \t\n\r");
	return end - start == 1 && *start == ';';
}

struct dl_commands *dl_commands_of_exec(const char *value)
{
	struct dl_commands *commands = DL_NEW(struct dl_commands);
	struct dl_command *command = NULL;
	bool skip_argv0 = false;
	for (const char *at = value;;) {
		dl_autobuf word = DL_BUF_INIT;
		const char *start = at;
		if (!read_word(&at, &word))
			return commands;
		if (is_separator(start, at)) {
			command = NULL;
		} else if (!command) {
			command = dl_commands_open(commands);
			if (!command)
				return commands;
			skip_argv0 = strip_prefixes(&word);
			dl_command_add_word(command, &word);
		} else if (skip_argv0) {
			skip_argv0 = false;
		} else {
			dl_command_add_word(command, &word);
		}
	}
}
