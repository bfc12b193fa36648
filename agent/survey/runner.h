/* Runner: a program whose arguments say what else is run. */
#ifndef DL_AGENT_SURVEY_RUNNER_H
#define DL_AGENT_SURVEY_RUNNER_H

enum dl_runner_then {
	DL_THEN_NOTHING, /* operands are no programs */
	DL_THEN_COMMAND, /* the words after options and operands are a command */
	DL_THEN_SCRIPT,  /* the first word after the options is a file that is run */
};

/* Options are single letters; a value is the rest of the word or the next word. */
struct dl_runner {
	const char *name;   /* without folder and version */
	const char *values; /* options with a value of no interest */
	const char *text;   /* options whose value is a shell's text */
	const char *code;   /* options whose value is code that we do not read: nothing follows */
	const char *files;  /* options whose value is a file that is run */
	int operands;       /* words before the command */
	enum dl_runner_then then;
};

/* By the last part of a program's name, "python3.11" being "python"; NULL if it is none. Static. */
const struct dl_runner *dl_runner_find(const char *program);

#endif
