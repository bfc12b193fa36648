/* Broken: the agent with one of its rules taken away. The harness must see it
 * lose, else it proves nothing. The linker puts these doubles before the real
 * functions (--wrap); nothing of this is in the product. */
#ifndef DL_TESTS_CRASH_BROKEN_H
#define DL_TESTS_CRASH_BROKEN_H

enum broken {
	BROKEN_NOTHING,
	BROKEN_LATE_INTENT,  /* acts first, journals the intent afterwards */
	BROKEN_EARLY_UNLINK, /* removes the original before its copy is whole */
	BROKEN_COUNT
};
extern const char *const broken_names[BROKEN_COUNT];

/* For every start of the agent from now on. */
void broken_choose(enum broken broken);

#endif
