/* Taking an object off the host: intent, rename, look again, seal. */
#include "agent/quarantine/change.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"

#include <stdio.h>
#include <string.h>

/* What a copy leaves free on the disk that it goes to. */
enum { TAKE_SPARE_BYTES = 32 * 1024 * 1024 };

/* What stands in the spot, held open, if it is the approved object. */
static int spot_hold(const struct spot *spot, const struct dl_object *approved,
		     struct dl_held **ret_held, struct dl_error *err)
{
	dl_auto(dl_held) held = NULL;
	int r = dl_held_open(spot->folder, spot->leaf, &held, err);

	if (r == DL_E_INVALID)
		r = DL_E_STALE;
	if (r == 0)
		r = facts_compare_approved(dl_held_facts(held), approved, err);
	if (r < 0)
		return r;
	*ret_held = DL_TAKE(held);
	return 0;
}

int dl_quarantine_check(const struct dl_object *approved, struct dl_held **ret_held,
			struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_auto(dl_held) held = NULL;
	dl_autospot spot = { 0 };
	int r = dl_bytes_decode_str(approved->path, &path, err);

	if (r == 0)
		r = spot_open(path, &spot, err);
	if (r == DL_E_INVALID)
		r = DL_E_STALE;
	if (r == 0)
		r = spot_hold(&spot, approved, &held, err);
	if (r < 0)
		return dl_error_prefix(err, r, "%s", approved->path);
	if (ret_held)
		*ret_held = DL_TAKE(held);
	return 0;
}

/* The rename took something else: an attacker was faster. Back with it; if its
 * name is occupied by now it stays, recorded for undo with its own facts. */
static int take_put_back(struct change *take, const struct dl_folder *where, struct dl_error *err)
{
	const char *id = take->move.id;
	dl_auto(dl_held) stray = NULL;
	int r = dl_folder_move(where, id, take->spot.folder, take->spot.leaf, err);

	if (r == 0) {
		dl_folder_sync(take->spot.folder, NULL);
		return dl_error_set(err, DL_E_STALE,
				    "it was replaced while it was being moved; put back");
	}
	if (where == take->quarantine->store && dl_held_open(where, id, &stray, NULL) == 0) {
		json_object_set_new(take->move.about, "facts", facts_to_json(dl_held_facts(stray)));
		json_object_set_new(take->move.about, "stray", json_true());
		dl_journal_move_to(take->quarantine->journal, &take->move, DL_MOVE_DONE, NULL);
	}
	return dl_error_set(err, DL_E_STATE,
			    "it was replaced while it was being moved, and its name is occupied: "
			    "what was moved is in %s as %s",
			    stray ? "quarantine" : "a folder .dislodge-… at the root of its mount",
			    id);
}

static bool take_still_empty(const struct change *take, const struct dl_folder *where)
{
	dl_auto(dl_folder) folder = NULL;

	return dl_folder_open_in(where, take->move.id, &folder, NULL) == 0 &&
	       dl_folder_is_empty(folder);
}

/* A writer that had it open could still change it after the rename. */
static int take_seal(struct change *take, const struct dl_folder *where, struct dl_error *err)
{
	int r;

	if (take->then.type == DL_TYPE_FOLDER && !take_still_empty(take, where))
		return dl_error_set(err, DL_E_STALE, "the folder is not empty any more");
	if (dl_held_has_writer(take->held)) {
		json_object_set_new(take->move.about, "writer", json_true());
		take->noted = true;
	}
	r = dl_held_refresh(take->held, err);
	if (r == 0)
		r = facts_compare(dl_held_facts(take->held), &take->then, false, err);
	return r < 0 ? r : dl_held_write_out(take->held, err);
}

static int take_by_rename(struct change *take, struct dl_error *err)
{
	struct dl_folder *store = take->quarantine->store;
	int r = dl_folder_move(take->spot.folder, take->spot.leaf, store, take->move.id, err);

	if (r < 0)
		return r;
	if (!dl_held_is_at(take->held, store, take->move.id))
		return take_put_back(take, store, err);
	r = take_seal(take, store, err);
	return r == DL_E_STALE ? take_put_back(take, store, err) : r;
}

/* Only ever removes the name `id` in our own private folder, and only when the
 * held object, whose copy is already safe, is what it stands for. */
static int take_aside(struct change *take, const struct dl_folder *aside, struct dl_error *err)
{
	int r = dl_folder_move(take->spot.folder, take->spot.leaf, aside, take->move.id, err);

	if (r < 0)
		return r;
	if (!dl_held_is_at(take->held, aside, take->move.id))
		return take_put_back(take, aside, err);
	r = take_seal(take, aside, err);
	if (r == DL_E_STALE)
		return take_put_back(take, aside, err);
	if (r == 0)
		r = dl_folder_sync(take->spot.folder, err);
	if (r < 0)
		return r;
	return dl_folder_unlink(aside, take->move.id, take->then.type, err);
}

/* Plain overlay file systems refuse to rename a folder. An empty one is its
 * facts: removing it fails unless it is empty, and the held handle says
 * whether the right one went. */
static int take_empty_folder(struct change *take, const char *aside, struct dl_error *err)
{
	int r = dl_folder_unlink(take->spot.folder, take->spot.leaf, DL_TYPE_FOLDER, err);

	if (r < 0)
		return r;
	if (dl_held_is_unlinked(take->held))
		return dl_folder_sync(take->spot.folder, err);
	r = dl_folder_make_like(take->spot.folder, take->spot.leaf, aside, &take->then, err);
	return r < 0 ? r : dl_error_set(err, DL_E_STALE, "it was replaced by another empty folder");
}

static int take_from_mount(struct change *take, const struct dl_folder *mount, struct dl_error *err)
{
	dl_auto(dl_folder) aside = NULL;
	char name[ASIDE_NAME_SIZE];
	int r;

	aside_name(take->move.id, name);
	r = dl_folder_make_private(mount, name, &aside, err);
	if (r == 0)
		r = take_aside(take, aside, err);
	if (r == DL_E_CROSS_DEVICE && take->then.type == DL_TYPE_FOLDER)
		r = take_empty_folder(take, name, err);
	dl_folder_unlink(mount, name, DL_TYPE_FOLDER, NULL);
	return r;
}

/* A copy must not be what fills the host's disk (I10). */
static int take_check_room(const struct change *take, struct dl_error *err)
{
	int64_t room = 0;
	int r = dl_folder_room(take->quarantine->store, &room, err);

	if (r == 0 && room - TAKE_SPARE_BYTES < take->then.size)
		return dl_error_set(err, DL_E_NO_SPACE,
				    "no room in quarantine for %lld bytes and %lld to spare",
				    (long long)take->then.size, (long long)TAKE_SPARE_BYTES);
	return r;
}

/* Another file system: a verified copy first, then the original goes. */
static int take_by_copy(struct change *take, struct dl_error *err)
{
	struct dl_folder *store = take->quarantine->store;
	dl_auto(dl_folder) mount = NULL;
	dl_auto(dl_held) copy = NULL;
	char draft[ASIDE_NAME_SIZE];
	int r;

	aside_name(take->move.id, draft);
	json_object_set_new(take->move.about, "copied", json_true());
	r = take_check_room(take, err);
	if (r == 0)
		r = dl_journal_move_to(take->quarantine->journal, &take->move, DL_MOVE_INTENT, err);
	if (r == 0)
		r = dl_held_copy(take->held, store, take->move.id, draft, err);
	if (r == 0)
		copy = held_matching(store, take->move.id, &take->then, true);
	if (r == 0 && !copy)
		r = dl_error_set(err, DL_E_IO, "the copy in quarantine is not the original");
	if (r == 0)
		r = dl_folder_open_mount(take->spot.folder, &mount, err);
	if (r == 0)
		r = take_from_mount(take, mount, err);
	/* As long as the original is at its place the copy is one too many. */
	if (r < 0 && dl_held_is_at(take->held, take->spot.folder, take->spot.leaf))
		dl_folder_unlink(store, take->move.id, take->then.type, NULL);
	return r;
}

/* After a failure: at its place again, with its locks, and nothing to undo. A
 * move that got stuck elsewhere stays an intent, which recovery settles. */
static void take_give_up(struct change *take)
{
	if (take->move.state != DL_MOVE_INTENT ||
	    !dl_held_is_at(take->held, take->spot.folder, take->spot.leaf))
		return;
	if (locks_close(&take->move, &take->spot, take->held, NULL) < 0)
		return;
	dl_journal_move_to(take->quarantine->journal, &take->move, DL_MOVE_VOID, NULL);
}

static json_t *take_others(const struct change *take)
{
	char **names = dl_held_siblings(take->held, take->spot.folder, take->spot.leaf);
	dl_autobuf words = DL_BUF_INIT;

	for (size_t i = 0; names[i]; i++) {
		dl_autofree char *spelled = dl_bytes_encode_str(names[i]);

		dl_buf_printf(&words, "%s%s", i ? ", " : "", spelled);
		free(names[i]);
	}
	free(names);
	return json_string(words.data ? words.data : "");
}

static int take_fail(const struct change *take, int error, struct dl_error *err)
{
	return dl_error_prefix(err, error, "%s", about_text(&take->move, "path"));
}

/* The folder was moved away or mounted over: its path means another one now. */
static int take_look_by_path(const struct change *take, bool *ret_there, struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_autospot spot = { 0 };
	int r = about_path(&take->move, &path, err);

	if (r == 0)
		r = spot_open(path, &spot, err);
	*ret_there = false;
	if (r == DL_E_NOT_FOUND || r == DL_E_INVALID)
		return 0;
	return r < 0 ? r : dl_folder_has(spot.folder, spot.leaf, ret_there, err);
}

/* The name is asked for in the folder that was held, which is asking for the
 * path as long as that leads to the same folder. */
static int take_look_again(struct change *take, const struct parent *parent, struct dl_error *err)
{
	bool there = true;
	int r = dl_folder_has(take->spot.folder, take->spot.leaf, &there, err);

	if (r == 0 && !there && !parent->stands)
		r = take_look_by_path(take, &there, err);
	if (r == 0 && there)
		r = dl_error_set(err, DL_E_STATE,
				 "it is in quarantine as %s, but its name is there again: "
				 "something puts it back",
				 take->move.id);
	return r < 0 ? take_fail(take, r, err) : 0;
}

static int take_act(struct change *take, struct dl_error *err)
{
	int r = locks_open(take->quarantine, &take->move, &take->spot, take->held, err);

	if (r == 0) {
		r = take_by_rename(take, err);
		if (r == DL_E_CROSS_DEVICE)
			r = take_by_copy(take, err);
		if (r == 0)
			r = locks_close_folder(&take->move, &take->spot, err);
		else
			locks_close_folder(&take->move, &take->spot, NULL);
	}
	if (r < 0)
		take_give_up(take);
	take->moved = r == 0;
	return r < 0 ? take_fail(take, r, err) : 0;
}

static int take_intend(struct change *take, struct dl_error *err)
{
	return dl_journal_move_add(take->quarantine->journal, &take->move, err);
}

const struct change_kind change_take = {
	.intend = take_intend,
	.act = take_act,
	.look_again = take_look_again,
	.done = DL_MOVE_DONE,
};

/* An opened object that is the approved one becomes an item of the batch. */
static int take_add(struct dl_batch *batch, struct change *take, const struct dl_errand *errand,
		    const char *path, size_t *ret_item, enum dl_reason *ret_reason,
		    struct dl_error *err)
{
	int r = errand->guard(errand->context, path, take->held, ret_reason, err);

	if (r < 0)
		return r;
	take->kind = &change_take;
	take->quarantine = batch->quarantine;
	facts_copy(dl_held_facts(take->held), &take->then);
	batch_new_id(batch, take->move.id);
	snprintf(take->move.plan_id, sizeof(take->move.plan_id), "%s", errand->plan_id);
	take->move.step = errand->step;
	take->move.about = about_new("take", path, &take->then);
	if (take->then.type == DL_TYPE_FILE && take->then.links > 1)
		json_object_set_new(take->move.about, "others", take_others(take));
	return batch_add(batch, take, ret_item, err);
}

int dl_batch_take(struct dl_batch *batch, const struct dl_errand *errand,
		  const struct dl_object *approved, size_t *ret_item, enum dl_reason *ret_reason,
		  struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_autochange take = { 0 };
	int r = dl_bytes_decode_str(approved->path, &path, err);

	if (r == 0)
		r = batch_open_spot(batch, path, &take, err);
	if (r == DL_E_INVALID)
		r = DL_E_STALE;
	if (r == 0)
		r = spot_hold(&take.spot, approved, &take.held, err);
	if (r == 0)
		r = take_add(batch, &take, errand, path, ret_item, ret_reason, err);
	return r < 0 ? dl_error_prefix(err, r, "%s", approved->path) : 0;
}

int dl_quarantine_take(struct dl_quarantine *quarantine, const struct dl_errand *errand,
		       const struct dl_object *approved, struct dl_outcome *ret_outcome,
		       struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(quarantine);
	size_t item = 0;
	int r = dl_batch_take(batch, errand, approved, &item, &ret_outcome->reason, err);

	if (r == 0)
		r = batch_run(batch, err);
	return r < 0 ? r : dl_batch_result(batch, item, ret_outcome, err);
}

int dl_quarantine_take_empty(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			     const char *path, struct dl_outcome *ret_outcome, struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(quarantine);
	dl_auto(dl_folder) folder = NULL;
	dl_autochange take = { 0 };
	size_t item = 0;
	int r = dl_folder_open(path, &folder, err);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	if (!dl_folder_is_empty(folder))
		return 0;
	r = batch_open_spot(batch, path, &take, err);
	if (r == 0)
		r = dl_held_open(take.spot.folder, take.spot.leaf, &take.held, err);
	if (r < 0 || dl_held_facts(take.held)->type != DL_TYPE_FOLDER)
		return r;
	r = take_add(batch, &take, errand, path, &item, &ret_outcome->reason, err);
	if (r == 0)
		r = batch_run(batch, err);
	return r < 0 ? r : dl_batch_result(batch, item, ret_outcome, err);
}
