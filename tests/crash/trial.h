/* Trial: one scratch host with one story on it, the orders about it, and
 * starts of the agent that work on them. */
#ifndef DL_TESTS_CRASH_TRIAL_H
#define DL_TESTS_CRASH_TRIAL_H

#include "core/wire/order.h"
#include "snapshot.h"
#include "standin.h"
#include "story.h"
#include "tracer.h"

#define TRIAL_REMOVE_ID "00000000000000000000000000000001"
#define TRIAL_UNDO_ID   "00000000000000000000000000000002"

/* What one start of the agent is for. Each opens the journal and recovers first. */
enum act {
	ACT_CHECK,
	ACT_APPLY,
	ACT_UNDO,
	ACT_RESUME_APPLY, /* only what had begun: what the executor does after a crash */
	ACT_RESUME_UNDO,
	ACT_COUNT
};
extern const char *const act_names[ACT_COUNT];

enum { TRIAL_RESULT_SIZE = 256 * 1024 };

/* What a start said, in memory shared with it; nothing of it is on the scratch host. */
struct answer {
	int error; /* 0, or what the library answered, with its words */
	char words[DL_ERROR_TEXT_SIZE];
	char result[TRIAL_RESULT_SIZE]; /* JSON; "" if there is none */
};

struct trial {
	const struct story *story;
	struct standin *standin; /* shared; running when the story has a unit */
	struct answer *answer;   /* of the last start; shared */
	struct dl_plan *plan;
	bool chosen[STORY_STEPS_MAX];
	char undo_id[DL_ID_TEXT_SIZE]; /* of the undo order; TRIAL_UNDO_ID at first */
	unsigned int patience; /* seconds after which a start is killed; 0: none */
	struct snapshot *before;
	char *originals[STORY_STEPS_MAX][STORY_OBJECTS_MAX]; /* facts_read of each object; owned */
};

/* Once for each process that runs trials. */
void trial_init(struct trial *trial);

/* A fresh host. `raise` (or NULL for a tmpfs) mounts and furnishes SCRATCH_ROOT. */
void trial_begin(struct trial *trial, const struct story *story, void (*raise)(const struct story *));
void trial_end(struct trial *trial);

/* One start of the agent, to its end or to its death by the judge (NULL: untraced). */
enum tracer_end trial_start(struct trial *trial, enum act act, tracer_judge judge, void *context);

/* From now on undo is a new order: the runs of the old one are terminal. */
void trial_undo_anew(struct trial *trial);

/* The state of each run in the last answer: "removed" …; "" if the step has none. */
const char *trial_run_state(const struct trial *trial, size_t step);
/* The whole run as text, owned; for words. */
char *trial_run_text(const struct trial *trial, size_t step);

#endif
