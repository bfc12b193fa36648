/* Story: what is planted on a scratch host, and the plan that removes it. */
#ifndef DL_TESTS_CRASH_STORY_H
#define DL_TESTS_CRASH_STORY_H

#include "core/plan/plan.h"

enum { STORY_STEPS_MAX = 3, STORY_OBJECTS_MAX = 3 };

struct story_object {
	enum dl_object_role role;
	const char *path; /* as the scratch host names it; NULL after the last */
};
struct story_step {
	enum dl_verb verb; /* DL_VERB_MANUAL after the last */
	const char *unit, *line;
	struct story_object objects[STORY_OBJECTS_MAX + 1];
	int64_t requires; /* the id of an earlier step, or 0 */
};
struct story {
	const char *name;
	const char *elsewhere; /* folder that is a file system of its own, or NULL */
	void (*plant)(void);
	struct story_step steps[STORY_STEPS_MAX + 1];
};

/* Ends with a story without name. */
extern const struct story stories[];

/* The plan, with the facts of what stands on the scratch host now: as an approval has them. */
struct dl_plan *story_plan(const struct story *story);

/* The name of a unit in the plan, or NULL. */
const char *story_unit(const struct story *story);

/* Folders get times of long ago: an edit of a cron table waits for a new second otherwise. */
void story_age(const struct story *story);

#endif
