#include "agent/quarantine/change.h"

#include "core/base/bytes.h"

#include <string.h>

enum { ID_SHARED_DIGITS = 8 };

void change_clear(struct change *change)
{
	spot_clear(&change->spot);
	dl_held_free(change->held);
	dl_facts_clear(&change->then);
	dl_move_clear(&change->move);
}

struct dl_batch *dl_batch_new(struct dl_quarantine *quarantine)
{
	struct dl_batch *batch = DL_NEW(struct dl_batch);

	batch->quarantine = quarantine;
	return batch;
}

void dl_batch_free(struct dl_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->count; i++)
		change_clear(&batch->items[i]);
	for (size_t i = 0; i < batch->parent_count; i++) {
		dl_folder_free(batch->parents[i].folder);
		free(batch->parents[i].path);
	}
	free(batch->items);
	free(batch->parents);
	free(batch);
}

bool dl_batch_is_empty(const struct dl_batch *batch)
{
	return batch->count == 0;
}

void batch_new_id(struct dl_batch *batch, char id[DL_ID_TEXT_SIZE])
{
	dl_random_id(id);
	if (batch->id[0])
		memcpy(id, batch->id, ID_SHARED_DIGITS);
	else
		memcpy(batch->id, id, sizeof(batch->id));
}

/* The latest first: neighbours in a plan are often neighbours on disk. */
static int batch_open_parent(struct dl_batch *batch, char *path, size_t *ret_parent,
			     struct dl_error *err)
{
	struct parent parent = { .path = path };
	int r;

	for (size_t i = batch->parent_count; i-- > 0;)
		if (strcmp(batch->parents[i].path, path) == 0) {
			free(path);
			*ret_parent = i;
			return 0;
		}
	r = dl_folder_open(path, &parent.folder, err);
	if (r < 0) {
		free(path);
		return r;
	}
	batch->parents = dl_realloc(batch->parents, batch->parent_count + 1,
				    sizeof(*batch->parents));
	*ret_parent = batch->parent_count;
	batch->parents[batch->parent_count++] = parent;
	return 0;
}

int batch_open_spot(struct dl_batch *batch, const char *path, struct change *change,
		    struct dl_error *err)
{
	char *folder_path = NULL;
	int r = path_split(path, &folder_path, &change->spot.leaf, err);

	if (r == 0)
		r = batch_open_parent(batch, folder_path, &change->parent, err);
	if (r < 0)
		return r;
	change->spot.folder = batch->parents[change->parent].folder;
	change->spot.shared = true;
	return 0;
}

int batch_add(struct dl_batch *batch, struct change *change, size_t *ret_item, struct dl_error *err)
{
	if (batch->count == DL_BATCH_MAX)
		return dl_error_set(err, DL_E_LIMIT, "a batch takes %d objects", DL_BATCH_MAX);
	batch->items = dl_realloc(batch->items, batch->count + 1, sizeof(*batch->items));
	*ret_item = batch->count;
	batch->items[batch->count++] = *change;
	*change = (struct change){ 0 };
	return 0;
}

/* ---- who has them open ---- */

static json_t *holders_to_json(const struct dl_holders *holders)
{
	json_t *list = json_array();

	for (size_t i = 0; i < holders->count; i++) {
		const struct dl_holder *holder = &holders->items[i];
		dl_autofree char *executable = dl_bytes_encode_str(holder->executable);
		dl_autofree char *user = dl_bytes_encode_str(holder->user);

		json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:b}", "pid",
						      (json_int_t)holder->pid, "executable",
						      executable, "user", user, "runs",
						      (int)holder->runs));
	}
	return list;
}

static bool change_can_be_held(const struct change *change)
{
	return change->kind == &change_take && change->then.type == DL_TYPE_FILE;
}

/* Before the act: a crash after it would lose who held the object. */
void dl_batch_find_holders(struct dl_batch *batch)
{
	struct dl_held *held[DL_BATCH_MAX];
	struct change *of[DL_BATCH_MAX];
	dl_autofree struct dl_holders *holders = dl_alloc(batch->count + 1, sizeof(*holders));
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (change_can_be_held(&batch->items[i])) {
			of[count] = &batch->items[i];
			held[count++] = batch->items[i].held;
		}
	dl_holders_find(held, count, holders, NULL);
	for (size_t i = 0; i < count; i++) {
		json_object_set_new(of[i]->move.about, "holders", holders_to_json(&holders[i]));
		dl_holders_clear(&holders[i]);
	}
}

/* ---- intend, act, conclude ---- */

int dl_batch_intend(struct dl_batch *batch, struct dl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		r = batch->items[i].kind->intend(&batch->items[i], err);
	return r;
}

static void change_fail(struct change *change, int error, const struct dl_error *why)
{
	change->moved = false;
	change->result = error;
	change->why = *why;
}

/* Whether a fresh look at its path finds the same folder. */
static bool parent_stands(const struct parent *parent)
{
	dl_auto(dl_folder) now = NULL;

	return dl_folder_open(parent->path, &now, NULL) == 0 &&
	       dl_folder_is(now, parent->folder);
}

/* A failed sync is final: what the disk has is not known any more, and only
 * recovery, which looks, may say. */
static void batch_sync(struct dl_batch *batch)
{
	struct dl_error why = { 0 };
	bool any = false;
	int store = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i].moved)
			any = batch->parents[batch->items[i].parent].touched = true;
	if (any)
		store = dl_folder_sync(batch->quarantine->store, &why);
	for (size_t i = 0; i < batch->parent_count; i++) {
		struct parent *parent = &batch->parents[i];

		parent->why = why;
		parent->result = store;
		if (parent->touched && store == 0)
			parent->result = dl_folder_sync(parent->folder, &parent->why);
		parent->stands = parent_stands(parent);
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct change *change = &batch->items[i];
		const struct parent *parent = &batch->parents[change->parent];

		if (change->moved && parent->result < 0)
			change_fail(change, parent->result, &parent->why);
	}
}

static void batch_look_again(struct dl_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct change *change = &batch->items[i];

		if (change->result == 0 && change->kind->look_again)
			change->result = change->kind->look_again(
				change, &batch->parents[change->parent], &change->why);
	}
}

void dl_batch_act(struct dl_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct change *change = &batch->items[i];

		change->result = change->kind->act(change, &change->why);
	}
	batch_sync(batch);
	batch_look_again(batch);
}

static int change_conclude(struct change *change, struct dl_error *err)
{
	struct dl_journal *journal = change->quarantine->journal;

	if (change->noted)
		return dl_journal_move_to(journal, &change->move, change->kind->done, err);
	return dl_journal_move_state(journal, &change->move, change->kind->done, err);
}

int dl_batch_conclude(struct dl_batch *batch, struct dl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		if (batch->items[i].moved)
			r = change_conclude(&batch->items[i], err);
	return r;
}

static int batch_journal(struct dl_batch *batch, int (*phase)(struct dl_batch *, struct dl_error *),
			 struct dl_error *err)
{
	dl_autogroup group = { NULL };
	int r = dl_journal_group_begin(&group, batch->quarantine->journal, err);

	if (r == 0)
		r = phase(batch, err);
	return r < 0 ? r : dl_journal_group_end(&group, err);
}

int batch_run(struct dl_batch *batch, struct dl_error *err)
{
	int r;

	dl_batch_find_holders(batch);
	r = batch_journal(batch, dl_batch_intend, err);
	if (r < 0)
		return r;
	dl_batch_act(batch);
	return batch_journal(batch, dl_batch_conclude, err);
}

/* ---- what came of it ---- */

int dl_batch_result(const struct dl_batch *batch, size_t item, struct dl_outcome *ret_outcome,
		    struct dl_error *err)
{
	const struct change *change = &batch->items[item];

	ret_outcome->reason = change->result < 0 ? reason_of(change->result) : DL_REASON_NONE;
	if (change->moved)
		memcpy(ret_outcome->id, change->move.id, sizeof(ret_outcome->id));
	return change->result < 0 ? dl_error_set(err, change->result, "%s", change->why.text) : 0;
}

const struct dl_move *dl_batch_move(const struct dl_batch *batch, size_t item)
{
	return &batch->items[item].move;
}
