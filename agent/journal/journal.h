/* Journal: what this host was told, what it did, and what it still has to say.
 *
 * One SQLite file `journal.db` in the agent's state folder (write-ahead log,
 * synchronous=FULL, locking_mode=EXCLUSIVE): a second process is refused with
 * DL_E_BUSY. Every function that changes something returns only after its
 * transaction is on the disk; when it fails nothing of it happened. Calls may
 * come from several threads; each one is atomic.
 *
 * Kept for ever: plan ids (a replayed order must be known), runs, moves.
 * Forgotten: records once the server has acknowledged them.
 */
#ifndef DL_AGENT_JOURNAL_JOURNAL_H
#define DL_AGENT_JOURNAL_JOURNAL_H

#include "core/crypto/random.h"
#include "core/json/json.h"
#include "core/plan/step.h"

struct dl_journal;

/* `state_folder`: a handle on the 0700 state folder (dl_state_folder_open);
 * borrowed, must stay open as long as the journal. */
int dl_journal_open(int state_folder, struct dl_journal **ret_journal, struct dl_error *err);
void dl_journal_close(struct dl_journal *journal);
DL_DEFINE_AUTO(dl_journal, dl_journal_close)

/* ---- groups: changes that happen together, and are synced once ---- */

/* Between its begin and its end every run and move that this thread writes is
 * one transaction: on the disk when _end returns 0, else nothing of it
 * happened, whatever the calls in between returned. Other threads wait for it:
 * nothing slow belongs into a group. Groups do not nest. */
struct dl_journal_group {
	struct dl_journal *journal; /* NULL when not open */
};
int dl_journal_group_begin(struct dl_journal_group *group, struct dl_journal *journal,
			   struct dl_error *err);
int dl_journal_group_end(struct dl_journal_group *group, struct dl_error *err);
void dl_journal_group_abandon(struct dl_journal_group *group);
#define dl_autogroup __attribute__((cleanup(dl_journal_group_abandon))) struct dl_journal_group

/* ---- settings: small texts by name ---- */

/* Names in use. first_seen memory has functions of its own below. */
#define DL_SETTING_AGENT_ID     "agent_id"
#define DL_SETTING_ORGANIZATION "organization"
#define DL_SETTING_PRIVATE_KEY  "private_key"
#define DL_SETTING_ROOT_KEY     "root_key"    /* public point, hexadecimal */
#define DL_SETTING_ROOT_KEY_ID  "root_key_id" /* pinned at enrolment */
#define DL_SETTING_CLOCK        "clock"       /* highest server time seen, ms */
enum { DL_SETTING_MAX_BYTES = 64 * 1024 };

/* DL_E_NOT_FOUND when it was never set. *ret_value is owned. */
int dl_journal_setting(struct dl_journal *journal, const char *name, char **ret_value,
		       struct dl_error *err);
/* NULL forgets the setting. */
int dl_journal_set(struct dl_journal *journal, const char *name, const char *value,
		   struct dl_error *err);
/* Several settings in one transaction: an enrolment is whole or absent. */
struct dl_setting {
	const char *name, *value;
};
int dl_journal_set_all(struct dl_journal *journal, const struct dl_setting *settings, size_t count,
		       struct dl_error *err);

/* ---- first seen: when a survey first met this content of a foothold ---- */

/* Remembers `now` for keys that are new and answers the remembered time of
 * each. One transaction. Keys not met since `now - DL_SEEN_KEPT_MS` are
 * forgotten, so that a host that makes names up cannot fill the disk. */
enum { DL_SEEN_MAX = 20000 };
#define DL_SEEN_KEPT_MS (INT64_C(400) * 24 * 3600 * 1000)
int dl_journal_first_seen(struct dl_journal *journal, const char *const *keys, size_t count,
			  int64_t now, int64_t *ret_times, struct dl_error *err);

/* ---- plans ---- */

enum dl_journal_plan_state {
	DL_JOURNAL_RECEIVED, /* verified; nothing done */
	DL_JOURNAL_CLAIMED,  /* a `go` ticket was verified: work may start */
	DL_JOURNAL_FINISHED, /* every run is terminal and its result is in the outbox */
	DL_JOURNAL_REFUSED,  /* will never start: refused, cancelled or expired */
};

struct dl_journal_plan {
	char plan_id[DL_ID_TEXT_SIZE];
	enum dl_journal_plan_state state;
	char nonce[DL_ID_TEXT_SIZE]; /* of the last claim; "" before */
	char *order; /* envelope's JSON text as received, owned */
	char *key;   /* key certificate's envelope as received, owned */
	int64_t received;
};
void dl_journal_plan_clear(struct dl_journal_plan *plan);
#define dl_autoplan __attribute__((cleanup(dl_journal_plan_clear))) struct dl_journal_plan

/* A new plan in state RECEIVED. DL_E_EXISTS: the id was seen before, in whatever state. */
int dl_journal_plan_add(struct dl_journal *journal, const char *plan_id, const char *order,
			const char *key, int64_t now, struct dl_error *err);
/* *ret_plan is cleared by the caller. DL_E_NOT_FOUND. */
int dl_journal_plan(struct dl_journal *journal, const char *plan_id,
		    struct dl_journal_plan *ret_plan, struct dl_error *err);
/* The nonce of the claim about to be sent; DL_E_STATE unless RECEIVED or CLAIMED. */
int dl_journal_plan_nonce(struct dl_journal *journal, const char *plan_id, const char *nonce,
			  struct dl_error *err);
/* Compare and swap; DL_E_STATE when the plan is not in `from`. Use
 * dl_journal_record_add for the two final states. */
int dl_journal_plan_move(struct dl_journal *journal, const char *plan_id,
			 enum dl_journal_plan_state from, enum dl_journal_plan_state to,
			 struct dl_error *err);
/* Ids in RECEIVED and CLAIMED, oldest first: an array of texts, new reference. */
int dl_journal_plans_open(struct dl_journal *journal, json_t **ret_ids, struct dl_error *err);

/* ---- runs: the JSON of one step's run as docs/protocol.md has it ---- */

/* Inserts or replaces; DL_E_STATE when the stored run is terminal (I7). The
 * state is read from the run's "state", the step from its "step". */
int dl_journal_run_put(struct dl_journal *journal, const char *plan_id, const json_t *run,
		       struct dl_error *err);
/* A new reference; DL_E_NOT_FOUND while the step is pending. */
int dl_journal_run(struct dl_journal *journal, const char *plan_id, int64_t step, json_t **ret_run,
		   struct dl_error *err);
/* All runs of the plan by step, an array; new reference. */
int dl_journal_runs(struct dl_journal *journal, const char *plan_id, json_t **ret_runs,
		    struct dl_error *err);

/* ---- moves: one change of the file system or of a consumer each ---- */

enum dl_move_state {
	DL_MOVE_INTENT,  /* about to be done: after a crash it may or may not have been */
	DL_MOVE_DONE,    /* done, synced and verified; undo is possible */
	DL_MOVE_VOID,    /* not done, or put back: nothing to undo */
	DL_MOVE_UNDOING, /* about to be undone */
	DL_MOVE_UNDONE,
};

struct dl_move {
	char id[DL_ID_TEXT_SIZE]; /* also the name in the quarantine folder */
	char plan_id[DL_ID_TEXT_SIZE];
	int64_t step;
	enum dl_move_state state;
	json_t *about; /* owned; what agent/quarantine and agent/remedy wrote */
};
void dl_move_clear(struct dl_move *move);
#define dl_automove __attribute__((cleanup(dl_move_clear))) struct dl_move

/* In move->state: INTENT for what is about to be done, DONE for a mere note
 * that undo needs. Synced when it returns (I3: journal before change). */
int dl_journal_move_add(struct dl_journal *journal, const struct dl_move *move,
			struct dl_error *err);
/* Compare and swap from move->state; `about` is stored again. On success
 * move->state is `to` (within a group that does not end, the stored one is not). */
int dl_journal_move_to(struct dl_journal *journal, struct dl_move *move, enum dl_move_state to,
		       struct dl_error *err);
/* The same when nothing was written to `about` since it was stored. */
int dl_journal_move_state(struct dl_journal *journal, struct dl_move *move, enum dl_move_state to,
			  struct dl_error *err);
int dl_journal_move(struct dl_journal *journal, const char *id, struct dl_move *ret_move,
		    struct dl_error *err);

struct dl_moves {
	struct dl_move *items; /* in the order in which they were made */
	size_t count;
};
void dl_moves_clear(struct dl_moves *moves);
#define dl_automoves __attribute__((cleanup(dl_moves_clear))) struct dl_moves

/* Moves of one step of a plan; step 0: of every step. plan_id NULL: those of
 * every plan that a crash may have left half done (INTENT, UNDOING). */
int dl_journal_moves(struct dl_journal *journal, const char *plan_id, int64_t step,
		     struct dl_moves *ret_moves, struct dl_error *err);

/* ---- outbox: signed records until the server has them ---- */

/* Signs the record whose number is `seq`; the envelope's text is owned by the journal. */
typedef int (*dl_record_seal)(void *context, int64_t seq, char **ret_envelope, struct dl_error *err);

/* Past this only results are taken; surveys are refused with DL_E_LIMIT (I10). */
enum { DL_OUTBOX_MAX_BYTES = 64 * 1024 * 1024 };

/* One transaction: takes the next number (never used twice), seals, stores,
 * and, when `plan_id` is not NULL, moves that plan to `to` (FINISHED from
 * CLAIMED, REFUSED from RECEIVED or CLAIMED), so that a plan is over exactly
 * when its result is kept (I2). */
int dl_journal_record_add(struct dl_journal *journal, bool survey, dl_record_seal seal,
			  void *context, const char *plan_id, enum dl_journal_plan_state to,
			  int64_t *ret_seq, struct dl_error *err);
/* Oldest first, at most `limit` records and `limit_bytes`, but at least one
 * if there is any: an array of envelope objects, new reference. */
int dl_journal_records(struct dl_journal *journal, size_t limit, size_t limit_bytes,
		       json_t **ret_envelopes, struct dl_error *err);
/* Forgets records up to `through`. A number that was never used is DL_E_INVALID. */
int dl_journal_acked(struct dl_journal *journal, int64_t through, struct dl_error *err);
/* The highest number used, 0 before the first. */
int dl_journal_last_seq(struct dl_journal *journal, int64_t *ret_seq, struct dl_error *err);

#endif
