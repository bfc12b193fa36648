/* After a crash: every move that was under way reaches an end state. Nothing
 * here depends on how far it got, only on what stands where now; running it
 * twice, or dying in it, changes nothing. */
#include "agent/quarantine/store.h"

#include <string.h>

struct recovery {
	struct dl_quarantine *quarantine;
	struct dl_move *move;
	struct spot spot;     /* folder is NULL when the object's folder is gone */
	struct dl_facts then;
	char beside[ASIDE_NAME_SIZE];
	const char *after; /* of a replaced file: the new content's checksum */
	struct dl_error trouble; /* the first look that failed */
};

static void recovery_clear(struct recovery *recovery)
{
	spot_clear(&recovery->spot);
	dl_facts_clear(&recovery->then);
}
#define dl_autorecovery __attribute__((cleanup(recovery_clear))) struct recovery

static int recovery_open(struct recovery *recovery, struct dl_error *err)
{
	dl_autofree char *path = NULL;
	int r = about_path(recovery->move, &path, err);

	if (r == 0)
		r = about_facts(recovery->move, &recovery->then, err);
	if (r < 0)
		return r;
	aside_name(recovery->move->id, recovery->beside);
	recovery->after = about_text(recovery->move, "after");
	r = spot_open(path, &recovery->spot, err);
	return r == DL_E_NOT_FOUND || r == DL_E_INVALID ? 0 : r;
}

/* NULL: not there, or something else. A disk that does not answer says
 * neither: then nothing is decided, and the next start looks again. */
static struct dl_held *recovery_find(struct recovery *recovery, const struct dl_folder *folder,
				     const char *name)
{
	dl_auto(dl_held) held = NULL;
	struct dl_error why = { 0 };
	int r = dl_held_open(folder, name, &held, &why);

	if ((r == DL_E_IO || r == DL_E_NO_SPACE) && !recovery->trouble.code)
		recovery->trouble = why;
	if (r < 0 || facts_compare(dl_held_facts(held), &recovery->then, true, NULL) < 0)
		return NULL;
	return DL_TAKE(held);
}

static struct dl_held *recovery_stored(struct recovery *recovery)
{
	return recovery_find(recovery, recovery->quarantine->store, recovery->move->id);
}

static struct dl_held *recovery_placed(struct recovery *recovery)
{
	if (!recovery->spot.folder)
		return NULL;
	return recovery_find(recovery, recovery->spot.folder, recovery->spot.leaf);
}

static int recovery_end(struct recovery *recovery, enum dl_move_state state, struct dl_error *err)
{
	int r;

	if (recovery->trouble.code)
		return dl_error_set(err, recovery->trouble.code, "%s", recovery->trouble.text);
	r = locks_close_folder(recovery->move, &recovery->spot, err);
	if (r == 0)
		r = dl_folder_sync(recovery->quarantine->store, err);
	if (r == 0 && recovery->spot.folder)
		r = dl_folder_sync(recovery->spot.folder, err);
	return r < 0 ? r : dl_journal_move_to(recovery->quarantine->journal, recovery->move, state,
					      err);
}

/* Nothing was done, or it was put back: the locks as they were. */
static int recovery_end_in_place(struct recovery *recovery, enum dl_move_state state,
				 struct dl_error *err)
{
	dl_auto(dl_held) placed = recovery_placed(recovery);
	int r = locks_close(recovery->move, &recovery->spot, placed, err);

	return r < 0 ? r : recovery_end(recovery, state, err);
}

/* What lies under the id is not what was meant: the crash came between a
 * rename that lost a race and its putting back. */
static int recover_stray(struct recovery *recovery, const struct dl_folder *where,
			 struct dl_error *err)
{
	dl_auto(dl_held) stray = NULL;

	if (recovery->spot.folder && dl_folder_move(where, recovery->move->id, recovery->spot.folder,
						    recovery->spot.leaf, NULL) == 0)
		return recovery_end_in_place(recovery, DL_MOVE_VOID, err);
	json_object_set_new(recovery->move->about, "stray", json_true());
	/* What is no file, link or folder stays where it is: there is no way to vouch for it. */
	if (dl_held_open(where, recovery->move->id, &stray, NULL) < 0)
		return recovery_end(recovery, DL_MOVE_VOID, err);
	json_object_set_new(recovery->move->about, "facts", facts_to_json(dl_held_facts(stray)));
	return recovery_end(recovery, DL_MOVE_DONE, err);
}

static int recover_take(struct recovery *recovery, struct dl_error *err)
{
	dl_auto(dl_held) stored = recovery_stored(recovery);
	bool there = false;
	int r = dl_folder_has(recovery->quarantine->store, recovery->move->id, &there, err);

	if (r < 0)
		return r;
	if (stored)
		return recovery_end(recovery, DL_MOVE_DONE, err);
	if (there)
		return recover_stray(recovery, recovery->quarantine->store, err);
	return recovery_end_in_place(recovery, DL_MOVE_VOID, err);
}

/* The original's own mount has a folder of ours while it is on its way out. */
static int recover_aside(struct recovery *recovery, bool copied, struct dl_error *err)
{
	dl_auto(dl_folder) mount = NULL;
	dl_auto(dl_folder) aside = NULL;
	dl_auto(dl_held) original = NULL;
	bool there = false;
	int r;

	if (!recovery->spot.folder || dl_folder_open_mount(recovery->spot.folder, &mount, NULL) < 0 ||
	    dl_folder_open_in(mount, recovery->beside, &aside, NULL) < 0)
		return 0;
	original = recovery_find(recovery, aside, recovery->move->id);
	r = dl_folder_has(aside, recovery->move->id, &there, err);
	if (r == 0 && original && copied)
		r = dl_folder_unlink(aside, recovery->move->id, recovery->then.type, err);
	else if (r == 0 && there)
		dl_folder_move(aside, recovery->move->id, recovery->spot.folder,
			       recovery->spot.leaf, NULL);
	dl_folder_unlink(mount, recovery->beside, DL_TYPE_FOLDER, NULL);
	return r;
}

static int recover_copied(struct recovery *recovery, struct dl_error *err)
{
	dl_auto(dl_held) stored = recovery_stored(recovery);
	dl_auto(dl_held) placed = NULL;
	int r = recover_aside(recovery, stored != NULL, err);

	if (r < 0)
		return r;
	placed = recovery_placed(recovery);
	if (stored && placed) {
		r = dl_folder_unlink(recovery->quarantine->store, recovery->move->id,
				     recovery->then.type, err);
		return r < 0 ? r : recovery_end_in_place(recovery, DL_MOVE_VOID, err);
	}
	if (stored)
		return recovery_end(recovery, DL_MOVE_DONE, err);
	return recovery_end_in_place(recovery, DL_MOVE_VOID, err);
}

/* The power went: the copy in quarantine reached its disk, the swap did not. */
static int recover_unswapped(struct recovery *recovery, struct dl_error *err)
{
	int r = discard_content(recovery->spot.folder, recovery->beside, recovery->after, err);

	if (r == 0)
		r = dl_folder_unlink(recovery->quarantine->store, recovery->move->id, DL_TYPE_FILE,
				     err);
	return r < 0 ? r : recovery_end_in_place(recovery, DL_MOVE_VOID, err);
}

/* Swapped already: the old object lies beside the table, or in quarantine. */
static int recover_swapped(struct recovery *recovery, const struct dl_held *stored,
			   const struct dl_held *old, struct dl_error *err)
{
	struct dl_folder *store = recovery->quarantine->store;
	int r = 0;

	if (!stored)
		r = dl_folder_move(recovery->spot.folder, recovery->beside, store,
				   recovery->move->id, err);
	if (r == DL_E_CROSS_DEVICE)
		r = dl_held_copy(old, store, recovery->move->id, recovery->beside, err);
	if (r == 0)
		r = discard_content(recovery->spot.folder, recovery->beside, recovery->then.sha256,
				    err);
	return r < 0 ? r : recovery_end(recovery, DL_MOVE_DONE, err);
}

static bool recovery_is_edited(const struct recovery *recovery)
{
	dl_auto(dl_held) now = NULL;

	return dl_held_open(recovery->spot.folder, recovery->spot.leaf, &now, NULL) == 0 &&
	       strcmp(dl_held_facts(now)->sha256, recovery->after) == 0;
}

static int recover_replace(struct recovery *recovery, struct dl_error *err)
{
	struct dl_folder *folder = recovery->spot.folder;
	dl_auto(dl_held) stored = recovery_stored(recovery);
	dl_auto(dl_held) placed = recovery_placed(recovery);
	dl_auto(dl_held) old = NULL;
	bool beside = false;
	int r;

	if (!folder)
		return recovery_end(recovery, stored ? DL_MOVE_DONE : DL_MOVE_VOID, err);
	old = recovery_find(recovery, folder, recovery->beside);
	if (stored && placed)
		return recover_unswapped(recovery, err);
	if (stored || old)
		return recover_swapped(recovery, stored, old, err);
	r = dl_folder_has(folder, recovery->beside, &beside, err);
	/* Something else was swapped out: it goes back to its name. */
	if (r == 0 && beside && recovery_is_edited(recovery))
		r = dl_folder_exchange(folder, recovery->beside, folder, recovery->spot.leaf, err);
	if (r == 0)
		r = discard_content(folder, recovery->beside, recovery->after, err);
	/* Neither the draft nor the original, and the name is occupied: kept, like any stray. */
	if (r == DL_E_STALE && dl_folder_move(folder, recovery->beside, recovery->quarantine->store,
					      recovery->move->id, NULL) == 0)
		return recover_stray(recovery, recovery->quarantine->store, err);
	return r < 0 ? r : recovery_end_in_place(recovery, DL_MOVE_VOID, err);
}

static int recover_undo_take(struct recovery *recovery, struct dl_error *err)
{
	dl_auto(dl_held) stored = recovery_stored(recovery);
	dl_auto(dl_held) placed = recovery_placed(recovery);
	int r = 0;

	if (!placed)
		return recovery_end(recovery, stored ? DL_MOVE_DONE : DL_MOVE_UNDONE, err);
	if (stored)
		r = dl_folder_unlink(recovery->quarantine->store, recovery->move->id,
				     recovery->then.type, err);
	return r < 0 ? r : recovery_end_in_place(recovery, DL_MOVE_UNDONE, err);
}

static int recover_undo_replace(struct recovery *recovery, struct dl_error *err)
{
	struct dl_folder *store = recovery->quarantine->store;
	dl_auto(dl_held) placed = recovery_placed(recovery);
	dl_auto(dl_held) stored = recovery_stored(recovery);
	int r = 0;

	if (!placed) {
		if (recovery->spot.folder && stored)
			r = discard_content(recovery->spot.folder, recovery->beside,
					    recovery->then.sha256, err);
		return r < 0 ? r : recovery_end(recovery, stored ? DL_MOVE_DONE : DL_MOVE_UNDONE,
						err);
	}
	r = discard_content(recovery->spot.folder, recovery->beside, recovery->after, err);
	if (r == 0)
		r = discard_content(store, recovery->move->id,
				    stored ? recovery->then.sha256 : recovery->after, err);
	return r < 0 ? r : recovery_end_in_place(recovery, DL_MOVE_UNDONE, err);
}

/* A link or folder that was being made, here or in quarantine. */
static int recover_drafts(const struct recovery *recovery, struct dl_error *err)
{
	int r = dl_draft_clear(recovery->quarantine->store, recovery->beside, err);

	if (r == 0 && recovery->spot.folder)
		r = dl_draft_clear(recovery->spot.folder, recovery->beside, err);
	return r;
}

static int recover_move(struct dl_quarantine *quarantine, struct dl_move *move,
			struct dl_error *err)
{
	dl_autorecovery recovery = { .quarantine = quarantine, .move = move };
	int r;

	if (!about_is(move, "take") && !about_is(move, "replace"))
		return 0;
	r = recovery_open(&recovery, err);
	if (r == 0)
		r = recover_drafts(&recovery, err);
	if (r < 0)
		return r;
	if (move->state == DL_MOVE_UNDOING)
		return about_is(move, "take") ? recover_undo_take(&recovery, err) :
						recover_undo_replace(&recovery, err);
	if (about_is(move, "replace"))
		return recover_replace(&recovery, err);
	return about_flag(move, "copied") ? recover_copied(&recovery, err) :
					    recover_take(&recovery, err);
}

int dl_quarantine_recover(struct dl_quarantine *quarantine, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int first = 0;
	int r = dl_journal_moves(quarantine->journal, NULL, 0, &moves, err);

	if (r < 0)
		return r;
	/* One that cannot be settled must not keep the others from it. */
	for (size_t i = 0; i < moves.count; i++) {
		r = recover_move(quarantine, &moves.items[i], first == 0 ? err : NULL);
		if (first == 0)
			first = r;
	}
	return first;
}
