/* Giving back: the rules of taking, the other way round. Never onto an
 * occupied name, never through a link, never less than what was taken. */
#include "agent/quarantine/change.h"

#include <string.h>

static int restore_open(struct dl_batch *batch, struct change *restore, struct dl_error *err)
{
	dl_autofree char *path = NULL;
	int r = about_path(&restore->move, &path, err);

	if (r == 0)
		r = about_facts(&restore->move, &restore->then, err);
	if (r == 0)
		r = batch_open_spot(batch, path, restore, err);
	if (r < 0)
		return r;
	/* A folder that could not be renamed lives in its facts alone. */
	r = dl_held_open(restore->quarantine->store, restore->move.id, &restore->held, err);
	if (r == DL_E_NOT_FOUND && restore->then.type == DL_TYPE_FOLDER)
		return 0;
	if (r == 0)
		r = facts_compare(dl_held_facts(restore->held), &restore->then, true, err);
	return r < 0 ? dl_error_prefix(err, DL_E_IO, "quarantine item %s", restore->move.id) : 0;
}

static int restore_by_copy(struct change *restore, const char *draft, struct dl_error *err)
{
	const struct spot *spot = &restore->spot;
	dl_auto(dl_held) copy = NULL;
	int r = dl_held_copy(restore->held, spot->folder, spot->leaf, draft, err);

	if (r < 0)
		return r;
	copy = held_matching(spot->folder, spot->leaf, &restore->then, true);
	if (!copy)
		return dl_error_set(err, DL_E_IO, "what was put back is not the original");
	if (dl_folder_unlink(restore->quarantine->store, restore->move.id, restore->then.type,
			     err) < 0)
		return dl_error_prefix(err, DL_E_IO, "it is back, its copy stays in quarantine");
	return 0;
}

static int restore_take(struct change *restore, struct dl_error *err)
{
	const struct spot *spot = &restore->spot;
	char draft[ASIDE_NAME_SIZE];
	int r;

	aside_name(restore->move.id, draft);
	if (!restore->held)
		return dl_folder_make_like(spot->folder, spot->leaf, draft, &restore->then, err);
	r = dl_folder_move(restore->quarantine->store, restore->move.id, spot->folder, spot->leaf,
			   err);
	return r == DL_E_CROSS_DEVICE ? restore_by_copy(restore, draft, err) : r;
}

/* Swaps the old object in; our own edit, verified to be unchanged, goes. */
static int restore_swap(struct change *restore, const struct dl_folder *from, const char *name,
			const struct dl_held *edited, struct dl_error *err)
{
	const struct spot *spot = &restore->spot;
	int r = dl_folder_exchange(from, name, spot->folder, spot->leaf, err);

	if (r < 0)
		return r;
	r = dl_held_is_at(edited, from, name) ?
		    discard_content(from, name, about_text(&restore->move, "after"), err) :
		    dl_error_set(err, DL_E_STALE, "it was changed while it was being restored");
	if (r < 0 && dl_folder_exchange(from, name, spot->folder, spot->leaf, err) < 0)
		return dl_error_prefix(err, DL_E_IO, "swapping back");
	return r;
}

/* The old object is on another file system: a whole copy of it beside the table first. */
static int restore_swap_copy(struct change *restore, const struct dl_held *edited,
			     struct dl_error *err)
{
	struct dl_folder *folder = restore->spot.folder;
	char beside[ASIDE_NAME_SIZE];
	int r;

	aside_name(restore->move.id, beside);
	r = dl_held_copy(restore->held, folder, beside, beside, err);
	if (r == 0)
		r = restore_swap(restore, folder, beside, edited, err);
	if (r < 0) {
		discard_content(folder, beside, restore->then.sha256, NULL);
		return r;
	}
	/* The other disk may forget the swap and this one keep the removal. */
	r = dl_folder_sync(folder, err);
	if (r < 0)
		return r;
	return dl_folder_unlink(restore->quarantine->store, restore->move.id, DL_TYPE_FILE, err);
}

static int restore_open_edited(struct change *restore, struct dl_held **ret_edited,
			       struct dl_error *err)
{
	const struct spot *spot = &restore->spot;
	dl_auto(dl_held) edited = NULL;
	int r = dl_held_open(spot->folder, spot->leaf, &edited, err);

	if (r < 0)
		return r;
	if (strcmp(dl_held_facts(edited)->sha256, about_text(&restore->move, "after")) != 0)
		return dl_error_set(err, DL_E_STALE, "it was changed since");
	*ret_edited = DL_TAKE(edited);
	return 0;
}

static int restore_replaced(struct change *restore, struct dl_error *err)
{
	const struct spot *spot = &restore->spot;
	dl_auto(dl_held) edited = NULL;
	int64_t times[1] = { 0 };
	int r = restore_open_edited(restore, &edited, err);

	if (r == 0)
		r = dl_folder_mtime(spot->folder, &times[0], err);
	if (r == 0 && dl_held_facts(edited)->locks)
		r = dl_held_set_locks(edited, 0, err);
	if (r < 0)
		return r;
	wait_for_new_second(times, DL_COUNT(times));
	r = restore_swap(restore, restore->quarantine->store, restore->move.id, edited, err);
	return r == DL_E_CROSS_DEVICE ? restore_swap_copy(restore, edited, err) : r;
}

/* Recorded before they are cleared: a crash must not leave the folder without its flags. */
static int restore_unlock(struct change *restore, uint32_t locks, struct dl_error *err)
{
	int r;

	json_object_set_new(restore->move.about, "folder_locks", json_integer(locks));
	r = dl_journal_move_to(restore->quarantine->journal, &restore->move, DL_MOVE_UNDOING, err);
	return r < 0 ? r : dl_folder_set_locks(restore->spot.folder, 0, err);
}

static int restore_put(struct change *restore, struct dl_error *err)
{
	uint32_t locks = 0;
	int r = dl_folder_locks(restore->spot.folder, &locks, err);

	if (r == 0 && locks)
		r = restore_unlock(restore, locks, err);
	if (r == 0)
		r = about_is(&restore->move, "take") ? restore_take(restore, err) :
						      restore_replaced(restore, err);
	if (r == 0 && locks)
		return dl_folder_set_locks(restore->spot.folder, locks, err);
	if (locks)
		dl_folder_set_locks(restore->spot.folder, locks, NULL);
	return r;
}

/* It must be the recorded object in every fact; its locks come last. */
static int restore_verify(struct change *restore, struct dl_error *err)
{
	dl_auto(dl_held) back = NULL;
	int r = dl_held_open(restore->spot.folder, restore->spot.leaf, &back, err);

	if (r == 0)
		r = facts_compare(dl_held_facts(back), &restore->then, true, err);
	if (r == 0 && restore->then.locks)
		r = dl_held_set_locks(back, restore->then.locks, err);
	return r < 0 ? r : dl_held_write_out(back, err);
}

/* It failed after the object had its name again: one of the two is too many,
 * which recovery settles, as after a crash. */
static bool restore_is_back(const struct change *restore)
{
	dl_auto(dl_held) back = held_matching(restore->spot.folder, restore->spot.leaf,
					      &restore->then, true);

	return back != NULL;
}

/* Once it has left quarantine it is undone, whatever became of the name since. */
static int restore_act(struct change *restore, struct dl_error *err)
{
	struct dl_journal *journal = restore->quarantine->journal;
	int r = restore_put(restore, err);

	if (r < 0) {
		if (!restore_is_back(restore))
			dl_journal_move_to(journal, &restore->move, DL_MOVE_DONE, NULL);
		return r;
	}
	r = restore_verify(restore, err);
	restore->moved = r == 0 || r == DL_E_STALE || r == DL_E_NOT_FOUND;
	if (r == 0)
		return 0;
	return restore->moved ?
		       dl_error_prefix(err, DL_E_STATE, "it was put back, and changed at once") :
		       dl_error_prefix(err, DL_E_IO, "after restoring");
}

static int restore_intend(struct change *restore, struct dl_error *err)
{
	return dl_journal_move_state(restore->quarantine->journal, &restore->move,
				     DL_MOVE_UNDOING, err);
}

const struct change_kind change_restore = {
	.intend = restore_intend,
	.act = restore_act,
	.done = DL_MOVE_UNDONE,
};

/* A replaced file is at its name; a taken one's must be free. */
static int restore_check_name(const struct spot *spot, const struct dl_move *move,
			      struct dl_error *err)
{
	bool occupied = false;
	int r = dl_folder_has(spot->folder, spot->leaf, &occupied, err);

	if (r == 0 && about_is(move, "take") && occupied)
		return dl_error_set(err, DL_E_EXISTS, "its name is taken by something else now");
	return r;
}

int dl_quarantine_can_restore(const struct dl_move *move, struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_autospot spot = { 0 };
	int r = about_path(move, &path, err);

	if (r == 0)
		r = spot_open(path, &spot, err);
	if (r == DL_E_NOT_FOUND)
		return 0;
	return r < 0 ? r : restore_check_name(&spot, move, err);
}

int dl_batch_restore(struct dl_batch *batch, const struct dl_move *move, size_t *ret_item,
		     struct dl_error *err)
{
	dl_autochange restore = { .kind = &change_restore, .quarantine = batch->quarantine };
	int r;

	if (move->state != DL_MOVE_DONE)
		return dl_error_set(err, DL_E_STATE, "item %s is not in quarantine", move->id);
	restore.move = *move;
	json_incref(restore.move.about);
	r = restore_open(batch, &restore, err);
	if (r == 0)
		r = restore_check_name(&restore.spot, move, err);
	return r < 0 ? r : batch_add(batch, &restore, ret_item, err);
}

int dl_quarantine_restore(struct dl_quarantine *quarantine, struct dl_move *move,
			  struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(quarantine);
	struct dl_outcome outcome = { 0 };
	size_t item = 0;
	int r = dl_batch_restore(batch, move, &item, err);

	if (r < 0)
		return r;
	r = batch_run(batch, err);
	move->state = dl_batch_move(batch, item)->state;
	return r < 0 ? r : dl_batch_result(batch, item, &outcome, err);
}

int dl_quarantine_supersede(struct dl_quarantine *quarantine, struct dl_move *move,
			    struct dl_error *err)
{
	if (move->state != DL_MOVE_DONE || !about_is(move, "replace"))
		return dl_error_set(err, DL_E_STATE, "item %s is no edit in force", move->id);
	json_object_set_new(move->about, "superseded", json_true());
	return dl_journal_move_to(quarantine->journal, move, DL_MOVE_UNDONE, err);
}
