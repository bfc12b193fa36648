/* Commands of `dislodge`: one row and one file each. */
#ifndef DL_CLI_COMMAND_H
#define DL_CLI_COMMAND_H

#include "core/base/error.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_command {
	const char *name;
	const char *arguments; /* behind the name, for --help */
	const char *summary;
	const char *details;   /* more lines for `NAME --help`; NULL: none */
	int (*run)(int argc, char **argv, struct dl_error *err);
};

extern const struct dl_command dl_command_login, dl_command_logout, dl_command_hosts,
	dl_command_footholds, dl_command_survey, dl_command_incidents, dl_command_show,
	dl_command_approve, dl_command_reject, dl_command_undo, dl_command_cancel,
	dl_command_audit;

/* Every option of every command; a command says which it takes. */
struct dl_options {
	bool json, yes, gone;
	const char *server, *ca_file, *login, *state, *severity, *steps, *digest, *reason, *comment,
		*useful, *legitimate, *order;
	const char *words[2]; /* what is no option */
	size_t word_count;
};

/* Reads options in any order; `taken` names the long options this command
 * takes (NULL-terminated), `words` how many other arguments it wants at most. */
int dl_options_read(int argc, char **argv, const char *const *taken, size_t words,
		    struct dl_options *ret, struct dl_error *err);

/* The n-th other argument as an id. */
int dl_options_id(const struct dl_options *options, size_t n, int64_t *ret_id,
		  struct dl_error *err);

#endif
