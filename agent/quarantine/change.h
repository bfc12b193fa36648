/* One change under way: an object that goes to quarantine or comes back.
 * take.c and restore.c say what is done to it, batch.c when; private to
 * agent/quarantine. */
#ifndef DL_AGENT_QUARANTINE_CHANGE_H
#define DL_AGENT_QUARANTINE_CHANGE_H

#include "agent/quarantine/batch.h"
#include "agent/quarantine/store.h"

/* A folder that changes have in common: opened once, synced once. */
struct parent {
	char *path; /* raw, owned */
	struct dl_folder *folder;
	bool touched;       /* something changed in it */
	bool stands;        /* after the sync: its path still leads to it */
	int result;         /* of the sync, with the words */
	struct dl_error why;
};

struct change;

struct change_kind {
	/* Journals the intent. */
	int (*intend)(struct change *change, struct dl_error *err);
	/* Does it, all but syncing folders; on failure the object is where it
	 * was, or the intent is left for recovery. Sets `moved`. */
	int (*act)(struct change *change, struct dl_error *err);
	/* After the syncs; NULL if there is nothing to look at again. */
	int (*look_again)(struct change *change, const struct parent *parent,
			  struct dl_error *err);
	enum dl_move_state done;
};
extern const struct change_kind change_take, change_restore;

struct change {
	const struct change_kind *kind;
	struct dl_quarantine *quarantine; /* borrowed */
	struct spot spot;                 /* the object's place */
	size_t parent;                    /* its folder among the batch's */
	struct dl_held *held;             /* the object; NULL: a folder that lives in its facts */
	struct dl_facts then;             /* what it is to stay, or to be again */
	struct dl_move move;
	bool noted; /* something was added to move.about that the journal lacks */
	bool moved; /* it changed sides: to be synced and concluded */
	int result; /* 0 or a DL_E_*, with the words */
	struct dl_error why;
};
void change_clear(struct change *change);
#define dl_autochange __attribute__((cleanup(change_clear))) struct change

struct dl_batch {
	struct dl_quarantine *quarantine;
	struct change *items;
	size_t count;
	struct parent *parents;
	size_t parent_count;
	char id[DL_ID_TEXT_SIZE]; /* of the first move */
};
/* The change's spot and parent, its folder opened as spot_open does unless the
 * batch has it already. */
int batch_open_spot(struct dl_batch *batch, const char *path, struct change *change,
		    struct dl_error *err);
/* A new id. Those of a batch begin alike, so that the journal's index is
 * written in one place; what follows nobody can guess. */
void batch_new_id(struct dl_batch *batch, char id[DL_ID_TEXT_SIZE]);
/* Takes over the change. */
int batch_add(struct dl_batch *batch, struct change *change, size_t *ret_item, struct dl_error *err);
/* All phases for a batch that is its caller's whole business. */
int batch_run(struct dl_batch *batch, struct dl_error *err);

#endif
