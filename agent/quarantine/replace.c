/* New content in the place of an old object: draft beside it, exchange, look
 * again, keep the old one. An exchange loses nothing when somebody saved the
 * file in between: what was swapped out is then not the held object, and the
 * two are swapped back. */
#include "agent/quarantine/store.h"

#include <stdio.h>
#include <string.h>

struct replace {
	struct dl_quarantine *quarantine;
	const struct dl_draft *draft;
	struct spot spot;
	struct dl_move move;
	char beside[ASIDE_NAME_SIZE];
	char after[DL_SHA256_TEXT_SIZE];
};

static void replace_clear(struct replace *replace)
{
	spot_clear(&replace->spot);
	dl_move_clear(&replace->move);
}
#define dl_autoreplace __attribute__((cleanup(replace_clear))) struct replace

static int replace_write(struct replace *replace, struct dl_error *err)
{
	const struct dl_draft *draft = replace->draft;
	const struct dl_facts *like = dl_held_facts(draft->held);
	int64_t times[2] = { like->mtime_ns, 0 };
	int r = dl_folder_mtime(replace->spot.folder, &times[1], err);

	if (r < 0)
		return r;
	wait_for_new_second(times, DL_COUNT(times));
	return dl_file_make(replace->spot.folder, replace->beside, draft->data, draft->size, like,
			    err);
}

static int replace_swap(struct replace *replace, struct dl_error *err)
{
	const struct spot *spot = &replace->spot;
	const struct dl_held *held = replace->draft->held;
	dl_auto(dl_held) old = NULL;
	int r = dl_folder_exchange(spot->folder, replace->beside, spot->folder, spot->leaf, err);

	if (r < 0)
		return r;
	old = held_matching(spot->folder, replace->beside, dl_held_facts(held), true);
	if (old && dl_held_is_at(held, spot->folder, replace->beside))
		return 0;
	r = dl_folder_exchange(spot->folder, replace->beside, spot->folder, spot->leaf, err);
	if (r < 0)
		return dl_error_prefix(err, DL_E_STATE, "swapping back what was saved meanwhile");
	return dl_error_set(err, DL_E_STALE, "it was changed while it was being edited");
}

/* The folder of a table is root's, so its names are safe to act on here. */
static int replace_keep_old(struct replace *replace, struct dl_error *err)
{
	struct dl_folder *store = replace->quarantine->store;
	const struct dl_held *held = replace->draft->held;
	const char *id = replace->move.id;
	dl_auto(dl_held) copy = NULL;
	int r = dl_folder_move(replace->spot.folder, replace->beside, store, id, err);

	if (r != DL_E_CROSS_DEVICE)
		return r;
	r = dl_held_copy(held, store, id, replace->beside, err);
	if (r < 0)
		return r;
	copy = held_matching(store, id, dl_held_facts(held), true);
	if (!copy || !dl_held_is_at(held, replace->spot.folder, replace->beside))
		return dl_error_set(err, DL_E_IO, "the copy in quarantine is not the original");
	return dl_folder_unlink(replace->spot.folder, replace->beside, DL_TYPE_FILE, err);
}

static int replace_sync(const struct replace *replace, struct dl_error *err)
{
	int r = dl_folder_sync(replace->quarantine->store, err);

	return r < 0 ? r : dl_folder_sync(replace->spot.folder, err);
}

static int replace_verify(const struct replace *replace, struct dl_error *err)
{
	dl_auto(dl_held) now = NULL;
	int r = dl_held_open(replace->spot.folder, replace->spot.leaf, &now, err);

	if (r < 0)
		return r;
	if (strcmp(dl_held_facts(now)->sha256, replace->after) != 0)
		return dl_error_set(err, DL_E_STATE, "it was changed again right after the edit");
	/* A file that was locked before is locked again: the edit changes a line, nothing else. */
	return dl_held_facts(replace->draft->held)->locks ?
		       dl_held_set_locks(now, dl_held_facts(replace->draft->held)->locks, err) :
		       0;
}

/* The draft goes; the old object was swapped back or never left. */
static void replace_give_up(struct replace *replace)
{
	const struct spot *spot = &replace->spot;

	if (!dl_held_is_at(replace->draft->held, spot->folder, spot->leaf) &&
	    dl_held_is_at(replace->draft->held, spot->folder, replace->beside))
		return;
	if (discard_content(spot->folder, replace->beside, replace->after, NULL) < 0)
		return;
	if (locks_close(&replace->move, spot, replace->draft->held, NULL) < 0)
		return;
	dl_journal_move_to(replace->quarantine->journal, &replace->move, DL_MOVE_VOID, NULL);
}

static int replace_act(struct replace *replace, struct dl_error *err)
{
	int r = locks_open(replace->quarantine, &replace->move, &replace->spot,
			   replace->draft->held, err);

	if (r == 0)
		r = replace_write(replace, err);
	if (r == 0)
		r = replace_swap(replace, err);
	if (r < 0) {
		replace_give_up(replace);
		return r;
	}
	r = replace_keep_old(replace, err);
	if (r == 0)
		r = replace_sync(replace, err);
	if (r == 0)
		return locks_close_folder(&replace->move, &replace->spot, err);
	locks_close_folder(&replace->move, &replace->spot, NULL);
	return r;
}

static int replace_prepare(struct replace *replace, const struct dl_errand *errand,
			   struct dl_outcome *outcome, struct dl_error *err)
{
	const struct dl_draft *draft = replace->draft;
	struct dl_move *move = &replace->move;
	int r = spot_open(draft->path, &replace->spot, err);

	if (r < 0)
		return r;
	if (!dl_held_is_at(draft->held, replace->spot.folder, replace->spot.leaf))
		return dl_error_set(err, DL_E_STALE, "it was replaced since it was read");
	r = errand->guard(errand->context, draft->path, draft->held, &outcome->reason, err);
	if (r < 0)
		return r;
	dl_random_id(move->id);
	aside_name(move->id, replace->beside);
	snprintf(move->plan_id, sizeof(move->plan_id), "%s", errand->plan_id);
	move->step = errand->step;
	dl_sha256_text(draft->data, draft->size, replace->after);
	move->about = about_new("replace", draft->path, dl_held_facts(draft->held));
	json_object_set_new(move->about, "after", json_string(replace->after));
	if (draft->note)
		json_object_set_new(move->about, "note", json_deep_copy(draft->note));
	return 0;
}

int dl_quarantine_replace(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			  const struct dl_draft *draft, struct dl_outcome *ret_outcome,
			  struct dl_error *err)
{
	dl_autoreplace replace = { .quarantine = quarantine, .draft = draft };
	int r = replace_prepare(&replace, errand, ret_outcome, err);

	if (r < 0)
		return r;
	r = dl_journal_move_add(quarantine->journal, &replace.move, err);
	if (r == 0)
		r = replace_act(&replace, err);
	if (r == 0)
		r = dl_journal_move_to(quarantine->journal, &replace.move, DL_MOVE_DONE, err);
	if (r < 0) {
		ret_outcome->reason = reason_of(r);
		return r;
	}
	memcpy(ret_outcome->id, replace.move.id, sizeof(ret_outcome->id));
	r = replace_verify(&replace, err);
	if (r < 0)
		ret_outcome->reason = DL_REASON_NEEDS_ATTENTION;
	return r;
}
