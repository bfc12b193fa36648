/* Local command: what the verbs that work on this host alone have in common:
 * their options, who is asking, the plan they are given, and consent. */
#ifndef DL_AGENT_LOCAL_COMMAND_H
#define DL_AGENT_LOCAL_COMMAND_H

#include "agent/command.h"
#include "agent/local/ask.h"
#include "agent/local/document.h"

struct dl_local_options {
	struct dl_local_place place;
	const char *output; /* propose */
	const char *steps;  /* "1,3"; NULL: all assisted */
	bool json, yes;
	char **words; /* what is left of the command line */
	int word_count;
};

/* `takes`: which of --json (j), --yes (y), --steps (s), --output (o) this verb
 * knows; --state, --socket and --help always. DL_COMMAND_DONE after --help. */
int dl_local_options_parse(int argc, char **argv, const char *usage, const char *takes,
			   struct dl_local_options *ret);

/* {"uid","login"} of the person: the login's, not that of the shell they
 * became root with. A new reference. */
json_t *dl_local_by(void);

/* Reads a plan document; a file that others may read or write is refused, and
 * so is one that was made on another host (DL_E_DENIED). */
int dl_local_plan_read(const char *path, struct dl_document *ret_document, struct dl_error *err);
/* A plan's id: given as such, or in the document at that path. */
int dl_local_plan_id(const char *word, char ret_id[DL_ID_TEXT_SIZE], struct dl_error *err);

/* The choice of --steps, or every assisted step. */
int dl_local_pick(const struct dl_local_options *options, const struct dl_plan *plan,
		  bool **ret_chosen, struct dl_error *err);
/* The same, closed over what they require; DL_E_DENIED when a person has to do all of
 * it by hand. */
int dl_local_choose(const struct dl_local_options *options, const struct dl_plan *plan,
		    bool **ret_chosen, struct dl_error *err);
json_t *dl_local_ids(const struct dl_plan *plan, const bool *chosen);

/* 0 when --yes was given or the person types yes; DL_E_DENIED else, at once
 * where nobody can be asked. */
int dl_local_consent(const struct dl_local_options *options, const char *question,
		     struct dl_error *err);

/* Prints the error; the exit code that it means. */
int dl_local_fail(const struct dl_error *error);
void dl_local_print_json(const json_t *value);

#endif
