/* Command: what a trigger runs, as lists of words.
 *
 * Two languages are read: a shell's (cron lines, `sh -c "…"`) and systemd's
 * Exec settings (systemd.service(5), "COMMAND LINES"). The aim is to name the
 * files that are run, not to run anything: variables and substitutions stay as
 * they are written, and text that hides what it does (eval, encodings) hides
 * it from here too. Hostile text ends in fewer words, never in an error.
 */
#ifndef DL_AGENT_SURVEY_COMMAND_H
#define DL_AGENT_SURVEY_COMMAND_H

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <stdbool.h>

enum {
	DL_COMMANDS_MAX = 32,      /* simple commands in one text */
	DL_COMMAND_WORDS_MAX = 64, /* words of one of them; the rest is passed over */
};

/* One simple command: words without their quotes, raw bytes, owned. */
struct dl_command {
	char *words[DL_COMMAND_WORDS_MAX];
	size_t count;
	char *input; /* the file after "<", or NULL */
};

struct dl_commands {
	struct dl_command *list;
	size_t count;
};
void dl_commands_free(struct dl_commands *commands);
DL_DEFINE_AUTO(dl_commands, dl_commands_free)

struct dl_commands *dl_commands_of_shell(const char *text);

/* The value of ExecStart= and its like. The prefixes "@", "-", ":", "+", "!" are taken off; of
 * "@program argv0 …" the program and the arguments stay. */
struct dl_commands *dl_commands_of_exec(const char *value);

/* For the two readers: a word or a command is complete. */
struct dl_command *dl_commands_open(struct dl_commands *commands); /* NULL: too many */
void dl_command_add_word(struct dl_command *command, struct dl_buf *word); /* takes the content */

#endif
