/* Words of a shell command line, POSIX.1-2017 "Shell Command Language", 2.2 to 2.10. */
#include "agent/survey/command.h"

#include <string.h>

enum redirect { REDIRECT_NONE, REDIRECT_INPUT, REDIRECT_OTHER };

struct reader {
	const char *at;
	struct dl_commands *commands;
	struct dl_command *command; /* NULL: the next word starts one */
	struct dl_buf word;
	bool in_word; /* a word may be empty: '' */
	enum redirect redirect;
	bool full;
};

static void end_word(struct reader *reader)
{
	if (!reader->in_word)
		return;
	reader->in_word = false;
	if (!reader->command && !reader->full) {
		reader->command = dl_commands_open(reader->commands);
		reader->full = !reader->command;
	}
	if (reader->full || reader->redirect == REDIRECT_OTHER) {
		dl_buf_free(&reader->word);
	} else if (reader->redirect == REDIRECT_INPUT) {
		free(reader->command->input);
		reader->command->input = dl_buf_take(&reader->word);
	} else {
		dl_command_add_word(reader->command, &reader->word);
	}
	reader->redirect = REDIRECT_NONE;
}

static void end_command(struct reader *reader)
{
	end_word(reader);
	reader->command = NULL;
	reader->redirect = REDIRECT_NONE;
}

static void add(struct reader *reader, const char *bytes, size_t size)
{
	dl_buf_append(&reader->word, bytes, size);
	reader->in_word = true;
}

static void read_single_quotes(struct reader *reader)
{
	size_t size = strcspn(++reader->at, "'");
	add(reader, reader->at, size);
	reader->at += size + (reader->at[size] == '\'');
}

static void read_double_quotes(struct reader *reader)
{
	for (reader->at++; *reader->at && *reader->at != '"'; reader->at++) {
		if (*reader->at == '\\' && reader->at[1] && strchr("$`\"\\\n", reader->at[1]))
			reader->at++;
		add(reader, reader->at, 1);
	}
	reader->in_word = true;
	reader->at += *reader->at == '"';
}

static void read_backslash(struct reader *reader)
{
	reader->at++;
	if (*reader->at == '\n')
		reader->at++;
	else if (*reader->at)
		add(reader, reader->at++, 1);
}

/* "2>file", "<file", "<<EOF": the word that follows is a file, or of no interest. */
static void read_redirect(struct reader *reader)
{
	bool is_number = reader->word.size > 0 &&
			 strspn(reader->word.data, "0123456789") == reader->word.size;
	if (is_number) {
		dl_buf_free(&reader->word);
		reader->in_word = false;
	}
	end_word(reader);
	size_t size = strspn(reader->at, "<>&|-");
	reader->redirect = size == 1 && *reader->at == '<' ? REDIRECT_INPUT : REDIRECT_OTHER;
	reader->at += size;
}

static void read_plain(struct reader *reader)
{
	if (*reader->at == '#' && !reader->in_word) {
		reader->at += strcspn(reader->at, "\n");
	} else if (reader->at[0] == '$' && reader->at[1] == '(') {
		end_command(reader);
		reader->at += 2;
	} else {
		add(reader, reader->at++, 1);
	}
}

static void read_next(struct reader *reader)
{
	switch (*reader->at) {
	case '\'':
		read_single_quotes(reader);
		break;
	case '"':
		read_double_quotes(reader);
		break;
	case '\\':
		read_backslash(reader);
		break;
	case '<':
	case '>':
		read_redirect(reader);
		break;
	case ' ':
	case '\t':
		end_word(reader);
		reader->at++;
		break;
	case ';':
	case '&':
	case '|':
	case '(':
	case ')':
	case '`':
	case '\n':
		end_command(reader);
		reader->at++;
		break;
	default:
		read_plain(reader);
	}
}

struct dl_commands *dl_commands_of_shell(const char *text)
{
	struct reader reader = { .at = text, .commands = DL_NEW(struct dl_commands) };
	while (*reader.at && !reader.full)
		read_next(&reader);
	end_command(&reader);
	dl_buf_free(&reader.word);
	return reader.commands;
}
