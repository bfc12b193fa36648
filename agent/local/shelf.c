/* Acts on the quarantine: looked at, given back, destroyed. */
#include "agent/local/errand.h"
#include "agent/quarantine/items.h"
#include "core/base/time.h"

#include <string.h>

enum { ID_BYTES = (DL_ID_TEXT_SIZE - 1) / 2 };

int act_items(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	      struct dl_error *err)
{
	(void)ask;
	return dl_items_list(local->journal, ret_answer, err);
}

int act_item(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	     struct dl_error *err)
{
	const char *id;
	int r = dl_json_hex(ask, "id", ID_BYTES, &id, err);
	return r < 0 ? r : dl_items_show(local->journal, id, ret_answer, err);
}

static int give_back(const struct dl_local *local, struct dl_move *move, struct dl_error *err)
{
	int r = dl_quarantine_can_restore(move, err);
	return r < 0 ? r : dl_quarantine_restore(local->quarantine, move, err);
}

/* One item of an act on the quarantine: an object for the answer and the record. */
static json_t *do_item(const struct dl_local *local, const char *id, const char *done,
		       int (*act)(const struct dl_local *, struct dl_move *, struct dl_error *))
{
	dl_automove move = { 0 };
	dl_autojson *item = NULL;
	struct dl_error error = { 0 };
	int r = dl_items_show(local->journal, id, &item, &error);
	if (r >= 0)
		r = dl_journal_move(local->journal, id, &move, &error);
	if (r >= 0)
		r = act(local, &move, &error);
	const json_t *path = json_object_get(item, "path");
	json_t *told = json_pack("{s:s,s:s,s:s}", "id", id, "path",
				 path ? json_string_value(path) : "", "state",
				 r >= 0 ? done : "failed");
	dl_json_put_str(told, "detail", r >= 0 ? "" : error.text);
	return told;
}

static int purge(const struct dl_local *local, struct dl_move *move, struct dl_error *err)
{
	return dl_quarantine_purge(local->quarantine, move, err);
}

static int do_items(const struct dl_local *local, const char *act, const json_t *by,
		    const json_t *ids, json_t **ret_answer, struct dl_error *err)
{
	bool restores = strcmp(act, "restore") == 0;
	char plan_id[DL_ID_TEXT_SIZE];
	dl_autojson *items = json_array();
	dl_autojson *errand = json_pack("{s:i,s:s,s:s,s:O,s:I,s:O}", "local", 1, "act", act, "of",
					"", "by", by, "time", (json_int_t)dl_time_now_ms(), "items",
					ids);
	size_t i;
	json_t *id;
	dl_random_id(plan_id);
	int r = errand_begin(local, plan_id, errand, err);
	if (r < 0)
		return r;
	json_array_foreach(ids, i, id)
		json_array_append_new(items, do_item(local, json_string_value(id),
						     restores ? "restored" : "purged",
						     restores ? give_back : purge));
	dl_autojson *content = errand_content(plan_id, errand, json_array(), json_array(),
					   json_incref(items));
	r = errand_end(local, plan_id, content, err);
	if (r >= 0)
		*ret_answer = json_pack("{s:s,s:O}", "plan_id", plan_id, "items", items);
	return r;
}

static int check_ids(const struct dl_local *local, const json_t *ids, struct dl_error *err)
{
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id) {
		dl_autojson *item = NULL;
		dl_autojson *holder = json_pack("{s:O}", "id", id);
		const char *text;
		int r = dl_json_hex(holder, "id", ID_BYTES, &text, err);
		if (r >= 0)
			r = dl_items_show(local->journal, text, &item, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int act_items_by(const struct dl_local *local, const json_t *ask, const char *act,
			json_t **ret_answer, struct dl_error *err)
{
	json_t *by, *ids;
	int r = errand_by(ask, &by, err);
	if (r >= 0)
		r = dl_json_array(ask, "ids", DL_LOCAL_PURGE_MAX, &ids, err);
	if (r >= 0)
		r = check_ids(local, ids, err);
	return r < 0 ? r : do_items(local, act, by, ids, ret_answer, err);
}

int act_restore(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		struct dl_error *err)
{
	return act_items_by(local, ask, "restore", ret_answer, err);
}

int act_purge(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	      struct dl_error *err)
{
	return act_items_by(local, ask, "purge", ret_answer, err);
}

/* ---- retention ---- */

static json_t *ids_older_than(const json_t *items, int64_t limit)
{
	json_t *ids = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		int64_t taken = json_integer_value(json_object_get(item, "taken"));
		if (taken > 0 && taken < limit && json_array_size(ids) < DL_LOCAL_PURGE_MAX)
			json_array_append(ids, json_object_get(item, "id"));
	}
	return ids;
}

int dl_local_retain(const struct dl_local *local, struct dl_error *err)
{
	static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	dl_auto(dl_host) host = NULL;
	dl_autojson *list = NULL, *answer = NULL;
	struct dl_limits limits;
	int r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_limits_read(host, &limits, err);
	if (r < 0 || limits.purge_after_days == 0)
		return r;
	r = dl_items_list(local->journal, &list, err);
	if (r < 0)
		return r;
	dl_autojson *ids = ids_older_than(json_object_get(list, "items"),
					  dl_time_now_ms() - limits.purge_after_days * day_ms);
	dl_autojson *by = json_pack("{s:i,s:s}", "uid", 0, "login", "purge_after_days");
	if (json_array_size(ids) == 0)
		return 0;
	return do_items(local, "purge", by, ids, &answer, err);
}
