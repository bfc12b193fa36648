/* One order being carried out, and what the verbs need; private to agent/remedy. */
#ifndef DL_AGENT_REMEDY_WORK_H
#define DL_AGENT_REMEDY_WORK_H

#include "agent/platform/control.h"
#include "agent/platform/host.h"
#include "agent/quarantine/quarantine.h"
#include "agent/remedy/remedy.h"

struct dl_remedy {
	struct dl_journal *journal; /* borrowed */
	struct dl_quarantine *quarantine;
};

/* A step's run; JSON form in docs/protocol.md. */
struct run {
	const struct dl_step *step; /* borrowed from the plan */
	bool chosen;
	enum dl_run_state state;
	enum dl_reason reason;
	char *detail;
	json_t *evidence, *quarantine, *still_running; /* arrays */
	bool partial;
	int64_t started, finished;
	json_t *journalled; /* of an ended run: what the journal has */
	/* Within a round (round.h): its change in the batch, and whether the run
	 * had begun before. */
	bool in_batch, resumed;
	size_t item;
};

struct work {
	struct dl_remedy *remedy;
	struct dl_host *host;       /* read anew for this order */
	struct dl_control *control; /* NULL until control_of succeeded */
	const char *plan_id;        /* whose runs and moves are written */
	const char *undo_of;        /* undo: whose moves are undone */
	bool dry;                   /* check: nothing is journalled or changed */
	struct run *runs;
	size_t run_count;
};

/* ---- run.c ---- */
void run_clear(struct run *run);
/* Evidence: what was asked and answered, in words; bounded. */
void run_note(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets an end state; `err` (may be NULL) gives the detail. Not yet journalled. */
void run_end(struct run *run, enum dl_run_state state, enum dl_reason reason,
	     const struct dl_error *err);
/* For the result: what was journalled of an ended run. */
json_t *run_result(const struct run *run);
/* What an earlier start of the agent left in the journal. */
int run_load(struct work *work, struct run *run, struct dl_error *err);
int run_put(struct work *work, struct run *run, struct dl_error *err);
/* Sets `running` and the time, unless it had begun before. Not yet journalled. */
void run_start(struct run *run);
/* Journals the beginning; does nothing for a run that had begun before. */
int run_begin(struct work *work, struct run *run, struct dl_error *err);
/* Adds what is in quarantine and who holds it, and journals the end. */
int run_finish(struct work *work, struct run *run, struct dl_error *err);
/* The same when `move`, or nothing if it is NULL, is all that the run did. */
int run_finish_with(struct work *work, struct run *run, const struct dl_move *move,
		    struct dl_error *err);

/* ---- guard.c ---- */
/* Fresh facts on the never-list and package ownership; may only refuse. */
struct guard {
	struct work *work;
	enum dl_object_role role;
};
int guard_allows(void *context, const char *path, const struct dl_held *held,
		 enum dl_reason *ret_reason, struct dl_error *err);
/* Whether the approved object stands there and may be touched: ends the run as
 * stale or refused if not. True when nothing is there at all, which ends nothing. */
bool guard_object(struct work *work, struct run *run, const struct dl_object *object);
/* The run state that a failure of dl_quarantine_take or _replace means. */
void guard_end(struct run *run, int error, enum dl_reason reason, const struct dl_error *err);

/* ---- verbs ----
 * Each ends its run (run_end); they fail only when the journal does. */
struct round_verb; /* round.h */
struct verb {
	/* Read only: ends the run in the state that apply would most likely reach. */
	int (*check)(struct work *work, struct run *run, struct dl_error *err);
	/* Changes files; leaves the run RUNNING when `settle` must still be called. */
	int (*apply)(struct work *work, struct run *run, struct dl_error *err);
	int (*undo)(struct work *work, struct run *run, struct dl_error *err);
	/* After the batch's one reload, for runs still RUNNING; NULL if there is none. */
	int (*settle_apply)(struct work *work, struct run *run, struct dl_error *err);
	int (*settle_undo)(struct work *work, struct run *run, struct dl_error *err);
	/* Instead of apply and undo: how steps of this verb share a round; NULL
	 * if they go one by one. */
	const struct round_verb *round_apply, *round_undo;
};
extern const struct verb verb_unit, verb_cron_line, verb_file;
/* NULL: this platform has no such verb. */
const struct verb *verb_of(enum dl_verb verb);

/* ---- unit.c ---- */
/* Connects once; ends the run when systemd is not there. NULL then. */
struct dl_control *control_of(struct work *work, struct run *run);

/* ---- generators.c ---- */
/* DL_E_DENIED with its name: a program that no package owns would run at the reload. */
int generators_are_owned(struct work *work, struct dl_error *err);

/* ---- moves of this work ---- */
int work_moves(struct work *work, const char *plan_id, const struct run *run,
	       struct dl_moves *ret_moves, struct dl_error *err);
/* Done and not undone; a unit's note of what was active is nothing to undo. */
bool move_is_kept(const struct dl_move *move);
/* Puts the move's path before the words of what went wrong with it. */
int move_words(const struct dl_move *move, int error, struct dl_error *err);
bool move_is(const struct dl_move *move, const char *what);
/* Restores the done file moves, last first: none if any name is taken. Stops at
 * the first that fails. */
int moves_restore(struct work *work, struct dl_moves *moves, struct dl_error *err);

#endif
