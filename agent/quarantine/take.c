/* Taking an object off the host: intent, rename, look again, seal. */
#include "agent/quarantine/store.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"

#include <stdio.h>
#include <string.h>

/* What a copy leaves free on the disk that it goes to. */
enum { TAKE_SPARE_BYTES = 32 * 1024 * 1024 };

/* One take under way. */
struct take {
	struct dl_quarantine *quarantine;
	struct spot *spot;
	struct dl_held *held;
	struct dl_move *move;
	struct dl_facts then; /* when the intent was written */
};

static void take_clear(struct take *take)
{
	dl_facts_clear(&take->then);
}
#define dl_autotake __attribute__((cleanup(take_clear))) struct take

int dl_quarantine_check(const struct dl_object *approved, struct dl_held **ret_held,
			struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_auto(dl_held) held = NULL;
	dl_autospot spot = { 0 };
	int r = dl_bytes_decode_str(approved->path, &path, err);

	if (r == 0)
		r = spot_open(path, &spot, err);
	if (r == 0)
		r = dl_held_open(spot.folder, spot.leaf, &held, err);
	if (r == DL_E_INVALID)
		return dl_error_prefix(err, DL_E_STALE, "%s", approved->path);
	if (r == 0)
		r = facts_compare_approved(dl_held_facts(held), approved, err);
	if (r < 0)
		return dl_error_prefix(err, r, "%s", approved->path);
	if (ret_held)
		*ret_held = DL_TAKE(held);
	return 0;
}

/* The rename took something else: an attacker was faster. Back with it; if its
 * name is occupied by now it stays, recorded for undo with its own facts. */
static int take_put_back(struct take *take, const struct dl_folder *where, struct dl_error *err)
{
	const char *id = take->move->id;
	dl_auto(dl_held) stray = NULL;
	int r = dl_folder_move(where, id, take->spot->folder, take->spot->leaf, err);

	if (r == 0) {
		dl_folder_sync(take->spot->folder, NULL);
		return dl_error_set(err, DL_E_STALE,
				    "it was replaced while it was being moved; put back");
	}
	if (where == take->quarantine->store && dl_held_open(where, id, &stray, NULL) == 0) {
		json_object_set_new(take->move->about, "facts", facts_to_json(dl_held_facts(stray)));
		json_object_set_new(take->move->about, "stray", json_true());
		dl_journal_move_to(take->quarantine->journal, take->move, DL_MOVE_DONE, NULL);
	}
	return dl_error_set(err, DL_E_STATE,
			    "it was replaced while it was being moved, and its name is occupied: "
			    "what was moved is in %s as %s",
			    stray ? "quarantine" : "a folder .dislodge-… at the root of its mount",
			    id);
}

static bool take_still_empty(const struct take *take, const struct dl_folder *where)
{
	dl_auto(dl_folder) folder = NULL;

	return dl_folder_open_in(where, take->move->id, &folder, NULL) == 0 &&
	       dl_folder_is_empty(folder);
}

/* A writer that had it open could still change it after the rename. */
static int take_seal(struct take *take, const struct dl_folder *where, struct dl_error *err)
{
	int r;

	if (take->then.type == DL_TYPE_FOLDER && !take_still_empty(take, where))
		return dl_error_set(err, DL_E_STALE, "the folder is not empty any more");
	if (dl_held_has_writer(take->held))
		json_object_set_new(take->move->about, "writer", json_true());
	r = dl_held_refresh(take->held, err);
	if (r == 0)
		r = facts_compare(dl_held_facts(take->held), &take->then, false, err);
	return r < 0 ? r : dl_held_sync(take->held, err);
}

static int take_by_rename(struct take *take, struct dl_error *err)
{
	struct dl_folder *store = take->quarantine->store;
	int r = dl_folder_move(take->spot->folder, take->spot->leaf, store, take->move->id, err);

	if (r < 0)
		return r;
	if (!dl_held_is_at(take->held, store, take->move->id))
		return take_put_back(take, store, err);
	r = take_seal(take, store, err);
	if (r == DL_E_STALE)
		return take_put_back(take, store, err);
	if (r == 0)
		r = dl_folder_sync(store, err);
	return r < 0 ? r : dl_folder_sync(take->spot->folder, err);
}

/* Only ever removes the name `id` in our own private folder, and only when the
 * held object, whose copy is already safe, is what it stands for. */
static int take_aside(struct take *take, const struct dl_folder *aside, struct dl_error *err)
{
	int r = dl_folder_move(take->spot->folder, take->spot->leaf, aside, take->move->id, err);

	if (r < 0)
		return r;
	if (!dl_held_is_at(take->held, aside, take->move->id))
		return take_put_back(take, aside, err);
	r = take_seal(take, aside, err);
	if (r == DL_E_STALE)
		return take_put_back(take, aside, err);
	if (r == 0)
		r = dl_folder_sync(take->spot->folder, err);
	if (r < 0)
		return r;
	return dl_folder_unlink(aside, take->move->id, take->then.type, err);
}

/* Plain overlay file systems refuse to rename a folder. An empty one is its
 * facts: removing it fails unless it is empty, and the held handle says
 * whether the right one went. */
static int take_empty_folder(struct take *take, struct dl_error *err)
{
	int r = dl_folder_unlink(take->spot->folder, take->spot->leaf, DL_TYPE_FOLDER, err);

	if (r < 0)
		return r;
	if (dl_held_is_unlinked(take->held))
		return dl_folder_sync(take->spot->folder, err);
	r = dl_folder_make_like(take->spot->folder, take->spot->leaf, &take->then, err);
	return r < 0 ? r : dl_error_set(err, DL_E_STALE, "it was replaced by another empty folder");
}

static int take_from_mount(struct take *take, const struct dl_folder *mount, struct dl_error *err)
{
	dl_auto(dl_folder) aside = NULL;
	char name[ASIDE_NAME_SIZE];
	int r;

	aside_name(take->move->id, name);
	r = dl_folder_make_private(mount, name, &aside, err);
	if (r < 0)
		return r;
	r = take_aside(take, aside, err);
	if (r == DL_E_CROSS_DEVICE && take->then.type == DL_TYPE_FOLDER)
		r = take_empty_folder(take, err);
	dl_folder_unlink(mount, name, DL_TYPE_FOLDER, NULL);
	return r;
}

/* A copy must not be what fills the host's disk (I10). */
static int take_check_room(const struct take *take, struct dl_error *err)
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
static int take_by_copy(struct take *take, struct dl_error *err)
{
	struct dl_folder *store = take->quarantine->store;
	dl_auto(dl_folder) mount = NULL;
	dl_auto(dl_held) copy = NULL;
	int r;

	json_object_set_new(take->move->about, "copied", json_true());
	r = take_check_room(take, err);
	if (r == 0)
		r = dl_journal_move_to(take->quarantine->journal, take->move, DL_MOVE_INTENT, err);
	if (r == 0)
		r = dl_held_copy(take->held, store, take->move->id, err);
	if (r < 0)
		return r;
	copy = held_matching(store, take->move->id, &take->then, true);
	if (!copy)
		r = dl_error_set(err, DL_E_IO, "the copy in quarantine is not the original");
	if (r == 0)
		r = dl_folder_open_mount(take->spot->folder, &mount, err);
	if (r == 0)
		r = take_from_mount(take, mount, err);
	/* As long as the original is at its place the copy is one too many. */
	if (r < 0 && dl_held_is_at(take->held, take->spot->folder, take->spot->leaf))
		dl_folder_unlink(store, take->move->id, take->then.type, NULL);
	return r;
}

static int take_act(struct take *take, struct dl_error *err)
{
	int r = locks_open(take->quarantine, take->move, take->spot, take->held, err);

	if (r < 0)
		return r;
	r = take_by_rename(take, err);
	if (r == DL_E_CROSS_DEVICE)
		r = take_by_copy(take, err);
	locks_close_folder(take->move, take->spot);
	return r;
}

/* After a failure: at its place again, with its locks, and nothing to undo. A
 * move that got stuck elsewhere stays an intent, which recovery settles. */
static void take_give_up(struct take *take)
{
	if (take->move->state != DL_MOVE_INTENT ||
	    !dl_held_is_at(take->held, take->spot->folder, take->spot->leaf))
		return;
	locks_close(take->move, take->spot, take->held);
	dl_journal_move_to(take->quarantine->journal, take->move, DL_MOVE_VOID, NULL);
}

static json_t *take_others(const struct take *take)
{
	char **names = dl_held_siblings(take->held, take->spot->folder, take->spot->leaf);
	dl_autobuf words = DL_BUF_INIT;

	for (size_t i = 0; names[i]; i++) {
		dl_autofree char *spelled = dl_bytes_encode_str(names[i]);

		dl_buf_printf(&words, "%s%s", i ? ", " : "", spelled);
		free(names[i]);
	}
	free(names);
	return json_string(words.data ? words.data : "");
}

static json_t *take_holders(const struct take *take)
{
	dl_autoholders holders = { 0 };
	json_t *list = json_array();

	if (dl_held_holders(take->held, &holders, NULL) < 0)
		return list;
	for (size_t i = 0; i < holders.count; i++) {
		const struct dl_holder *holder = &holders.items[i];
		dl_autofree char *executable = dl_bytes_encode_str(holder->executable);
		dl_autofree char *user = dl_bytes_encode_str(holder->user);

		json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:b}", "pid",
						      (json_int_t)holder->pid, "executable",
						      executable, "user", user, "runs",
						      (int)holder->runs));
	}
	return list;
}

/* Before the act: afterwards the other names are just as easy to find, but a
 * crash in between would lose who held it. */
static void take_describe(const struct take *take)
{
	if (take->then.type != DL_TYPE_FILE)
		return;
	json_object_set_new(take->move->about, "holders", take_holders(take));
	if (take->then.links > 1)
		json_object_set_new(take->move->about, "others", take_others(take));
}

static int take_look_again(const struct take *take, struct dl_error *err)
{
	bool there = true;
	int r = dl_folder_has(take->spot->folder, take->spot->leaf, &there, err);

	if (r < 0)
		return r;
	if (there)
		return dl_error_set(err, DL_E_STATE,
				    "it is in quarantine as %s, but its name is there again: "
				    "something puts it back",
				    take->move->id);
	return 0;
}

static int take_run(struct take *take, struct dl_outcome *outcome, struct dl_error *err)
{
	int r;

	take_describe(take);
	r = dl_journal_move_add(take->quarantine->journal, take->move, err);
	if (r < 0)
		return r;
	r = take_act(take, err);
	if (r < 0) {
		take_give_up(take);
		return r;
	}
	r = dl_journal_move_to(take->quarantine->journal, take->move, DL_MOVE_DONE, err);
	if (r < 0)
		return r;
	memcpy(outcome->id, take->move->id, sizeof(outcome->id));
	return take_look_again(take, err);
}

/* From an opened object that is the approved one to the journal's last word. */
static int take_held(struct dl_quarantine *quarantine, const struct dl_errand *errand,
		     const char *path, struct spot *spot, struct dl_held *held,
		     struct dl_outcome *outcome, struct dl_error *err)
{
	dl_automove move = { .step = errand->step };
	dl_autotake take = { quarantine, spot, held, &move, { 0 } };
	int r = errand->guard(errand->context, path, held, &outcome->reason, err);

	if (r < 0)
		return r;
	dl_random_id(move.id);
	snprintf(move.plan_id, sizeof(move.plan_id), "%s", errand->plan_id);
	move.about = about_new("take", path, dl_held_facts(held));
	r = about_facts(&move, &take.then, err);
	if (r == 0)
		r = take_run(&take, outcome, err);
	if (r < 0)
		outcome->reason = reason_of(r);
	return r;
}

int dl_quarantine_take(struct dl_quarantine *quarantine, const struct dl_errand *errand,
		       const struct dl_object *approved, struct dl_outcome *ret_outcome,
		       struct dl_error *err)
{
	dl_autofree char *path = NULL;
	dl_auto(dl_held) held = NULL;
	dl_autospot spot = { 0 };
	int r = dl_bytes_decode_str(approved->path, &path, err);

	if (r == 0)
		r = spot_open(path, &spot, err);
	if (r == 0)
		r = dl_held_open(spot.folder, spot.leaf, &held, err);
	if (r == DL_E_INVALID)
		r = DL_E_STALE;
	if (r == 0)
		r = facts_compare_approved(dl_held_facts(held), approved, err);
	if (r == 0)
		r = take_held(quarantine, errand, path, &spot, held, ret_outcome, err);
	return r < 0 ? dl_error_prefix(err, r, "%s", approved->path) : 0;
}

int dl_quarantine_take_empty(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			     const char *path, struct dl_outcome *ret_outcome, struct dl_error *err)
{
	dl_auto(dl_folder) folder = NULL;
	dl_auto(dl_held) held = NULL;
	dl_autospot spot = { 0 };
	int r = dl_folder_open(path, &folder, err);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	if (!dl_folder_is_empty(folder))
		return 0;
	r = spot_open(path, &spot, err);
	if (r == 0)
		r = dl_held_open(spot.folder, spot.leaf, &held, err);
	if (r < 0 || dl_held_facts(held)->type != DL_TYPE_FOLDER)
		return r;
	return take_held(quarantine, errand, path, &spot, held, ret_outcome, err);
}
