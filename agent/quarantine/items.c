#include "agent/quarantine/items.h"

#include "agent/journal/list.h"
#include "agent/quarantine/store.h"

/* A note of a unit's state has no object. */
static bool is_item(const struct dl_move *move)
{
	return move->state == DL_MOVE_DONE && (about_is(move, "take") || about_is(move, "replace"));
}

static int64_t taken_at(struct dl_journal *journal, const struct dl_move *move)
{
	dl_autojson *run = NULL;

	if (dl_journal_run(journal, move->plan_id, move->step, &run, NULL) < 0)
		return 0;
	return json_integer_value(json_object_get(run, "finished"));
}

static json_t *item_new(struct dl_journal *journal, const struct dl_move *move)
{
	static const char *const facts_told[] = { "type", "size", "mode", "uid", "gid", "mtime_ns",
						  "sha256", "target", "links" };
	const json_t *facts = json_object_get(move->about, "facts");
	json_t *item = json_pack("{s:s,s:s,s:I,s:O,s:O,s:I,s:b}", "id", move->id, "plan_id",
				 move->plan_id, "step", (json_int_t)move->step, "what",
				 json_object_get(move->about, "what"), "path",
				 json_object_get(move->about, "path"), "taken",
				 (json_int_t)taken_at(journal, move), "purging",
				 (int)about_flag(move, "purging"));

	for (size_t i = 0; i < DL_COUNT(facts_told); i++) {
		json_t *fact = json_object_get(facts, facts_told[i]);

		if (fact)
			json_object_set(item, facts_told[i], fact);
	}
	return item;
}

static int64_t size_of(const json_t *item)
{
	return json_integer_value(json_object_get(item, "size"));
}

int dl_items_list(struct dl_journal *journal, json_t **ret_list, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	bool more = false;
	json_t *items;
	int64_t bytes = 0;
	int r = dl_journal_moves_done(journal, DL_ITEMS_MAX, &moves, &more, err);

	if (r < 0)
		return r;
	items = json_array();
	for (size_t i = 0; i < moves.count; i++) {
		json_t *item;

		if (!is_item(&moves.items[i]))
			continue;
		item = item_new(journal, &moves.items[i]);
		bytes += size_of(item);
		json_array_append_new(items, item);
	}
	*ret_list = json_pack("{s:o,s:I,s:b}", "items", items, "bytes", (json_int_t)bytes, "more",
			      (int)more);
	return 0;
}

int dl_items_show(struct dl_journal *journal, const char *id, json_t **ret_item,
		  struct dl_error *err)
{
	dl_automove move = { 0 };
	int r = dl_journal_move(journal, id, &move, err);

	if (r == 0 && !is_item(&move))
		r = DL_E_NOT_FOUND;
	if (r == DL_E_NOT_FOUND)
		return dl_error_set(err, r, "there is no %s in quarantine", id);
	if (r < 0)
		return r;
	*ret_item = item_new(journal, &move);
	if (json_object_get(move.about, "holders"))
		json_object_set(*ret_item, "holders", json_object_get(move.about, "holders"));
	if (json_object_get(move.about, "others"))
		json_object_set(*ret_item, "others", json_object_get(move.about, "others"));
	return 0;
}

/* An immutable object cannot be unlinked. */
static int destroy(const struct dl_folder *store, const char *id, struct dl_error *err)
{
	dl_auto(dl_held) held = NULL;
	int r = dl_held_open(store, id, &held, err);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r == 0 && dl_held_facts(held)->locks)
		r = dl_held_set_locks(held, 0, err);
	if (r == 0)
		r = dl_folder_unlink(store, id, dl_held_facts(held)->type, err);
	return r < 0 ? r : dl_folder_sync(store, err);
}

int dl_quarantine_purge(struct dl_quarantine *quarantine, struct dl_move *move,
			struct dl_error *err)
{
	int r;

	if (!is_item(move))
		return dl_error_set(err, DL_E_STATE, "item %s is not in quarantine", move->id);
	json_object_set_new(move->about, "purging", json_true());
	r = dl_journal_move_to(quarantine->journal, move, DL_MOVE_DONE, err);
	if (r == 0)
		r = destroy(quarantine->store, move->id, err);
	if (r < 0)
		return r;
	json_object_set_new(move->about, "purged", json_true());
	return dl_journal_move_to(quarantine->journal, move, DL_MOVE_VOID, err);
}
