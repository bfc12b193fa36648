#include "agent/quarantine/store.h"

#include "core/base/bytes.h"
#include "core/base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
/* File times come from a clock that may lag by a tick of the kernel. */
enum { SECOND_MARGIN_MS = 20 };

int dl_quarantine_open(int state_folder, struct dl_journal *journal,
		       struct dl_quarantine **ret_quarantine, struct dl_error *err)
{
	dl_auto(dl_quarantine) quarantine = DL_NEW(struct dl_quarantine);
	dl_auto(dl_folder) state = NULL;
	int r = dl_folder_duplicate(state_folder, &state, err);

	if (r == 0)
		r = dl_folder_make_private(state, "quarantine", &quarantine->store, err);
	if (r < 0)
		return r;
	quarantine->journal = journal;
	*ret_quarantine = DL_TAKE(quarantine);
	return 0;
}

void dl_quarantine_free(struct dl_quarantine *quarantine)
{
	if (!quarantine)
		return;
	dl_folder_free(quarantine->store);
	free(quarantine);
}

void spot_clear(struct spot *spot)
{
	if (!spot->shared)
		dl_folder_free(spot->folder);
	free(spot->leaf);
	*spot = (struct spot){ 0 };
}

int path_split(const char *path, char **ret_folder, char **ret_leaf, struct dl_error *err)
{
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || !slash[1])
		return dl_error_set(err, DL_E_INVALID, "'%s' names no object", path);
	*ret_folder = slash == path ? dl_strdup("/") : dl_strndup(path, (size_t)(slash - path));
	*ret_leaf = dl_strdup(slash + 1);
	return 0;
}

int spot_open(const char *path, struct spot *ret_spot, struct dl_error *err)
{
	dl_autofree char *folder_path = NULL;
	dl_autospot spot = { 0 };
	int r = path_split(path, &folder_path, &spot.leaf, err);

	if (r == 0)
		r = dl_folder_open(folder_path, &spot.folder, err);
	if (r < 0)
		return r;
	*ret_spot = spot;
	spot = (struct spot){ 0 };
	return 0;
}

json_t *about_new(const char *what, const char *path, const struct dl_facts *facts)
{
	dl_autofree char *spelled = dl_bytes_encode_str(path);

	return json_pack("{s:s,s:s,s:o}", "what", what, "path", spelled, "facts",
			 facts_to_json(facts));
}

const char *about_text(const struct dl_move *move, const char *name)
{
	const char *text = json_string_value(json_object_get(move->about, name));

	return text ? text : "";
}

bool about_is(const struct dl_move *move, const char *what)
{
	return strcmp(about_text(move, "what"), what) == 0;
}

bool about_flag(const struct dl_move *move, const char *name)
{
	return json_is_true(json_object_get(move->about, name));
}

int about_path(const struct dl_move *move, char **ret_path, struct dl_error *err)
{
	return dl_bytes_decode_str(about_text(move, "path"), ret_path, err);
}

int about_facts(const struct dl_move *move, struct dl_facts *ret_facts, struct dl_error *err)
{
	return facts_from_json(json_object_get(move->about, "facts"), ret_facts, err);
}

static uint32_t locks_recorded(const json_t *where, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(where, name));
}

int locks_open(struct dl_quarantine *quarantine, struct dl_move *move, const struct spot *spot,
	       const struct dl_held *held, struct dl_error *err)
{
	uint32_t folder_locks = 0;
	int r = dl_folder_locks(spot->folder, &folder_locks, err);

	if (r == 0 && folder_locks) {
		json_object_set_new(move->about, "folder_locks", json_integer(folder_locks));
		r = dl_journal_move_to(quarantine->journal, move, DL_MOVE_INTENT, err);
		if (r == 0)
			r = dl_folder_set_locks(spot->folder, 0, err);
	}
	if (r == 0 && dl_held_facts(held)->locks)
		r = dl_held_set_locks(held, 0, err);
	return r;
}

int locks_close_folder(const struct dl_move *move, const struct spot *spot, struct dl_error *err)
{
	uint32_t locks = locks_recorded(move->about, "folder_locks");
	int r = locks && spot->folder ? dl_folder_set_locks(spot->folder, locks, err) : 0;

	return r < 0 ? dl_error_prefix(err, r, "giving its folder's flags back") : 0;
}

int locks_close(const struct dl_move *move, const struct spot *spot, const struct dl_held *held,
		struct dl_error *err)
{
	uint32_t locks = locks_recorded(json_object_get(move->about, "facts"), "locks");
	int r = locks && held ? dl_held_set_locks(held, locks, err) : 0;

	if (r < 0)
		return dl_error_prefix(err, r, "giving its flags back");
	return locks_close_folder(move, spot, err);
}

void aside_name(const char *id, char out[ASIDE_NAME_SIZE])
{
	snprintf(out, ASIDE_NAME_SIZE, ".dislodge-%s", id);
}

struct dl_held *held_matching(const struct dl_folder *folder, const char *name,
			      const struct dl_facts *facts, bool exact)
{
	dl_auto(dl_held) held = NULL;

	if (dl_held_open(folder, name, &held, NULL) < 0)
		return NULL;
	if (facts_compare(dl_held_facts(held), facts, exact, NULL) < 0)
		return NULL;
	return DL_TAKE(held);
}

int discard_content(const struct dl_folder *folder, const char *name, const char *sha256,
		    struct dl_error *err)
{
	dl_auto(dl_held) held = NULL;
	int r = dl_held_open(folder, name, &held, err);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	if (!sha256[0] || strcmp(dl_held_facts(held)->sha256, sha256) != 0)
		return dl_error_set(err, DL_E_STALE, "'%s' is not the agent's own copy", name);
	if (dl_held_facts(held)->locks)
		dl_held_set_locks(held, 0, NULL);
	return dl_folder_unlink(folder, name, DL_TYPE_FILE, err);
}

static bool second_is_old(int64_t now_ms, const int64_t *times_ns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (times_ns[i] / NS_PER_S == now_ms / 1000)
			return true;
	return false;
}

void wait_for_new_second(const int64_t *times_ns, size_t count)
{
	int64_t now = dl_time_now_ms();

	while (now % 1000 < SECOND_MARGIN_MS || second_is_old(now, times_ns, count)) {
		struct timespec pause = { .tv_nsec = SECOND_MARGIN_MS / 2 * NS_PER_MS };

		nanosleep(&pause, NULL);
		now = dl_time_now_ms();
	}
}

enum dl_reason reason_of(int error)
{
	switch (error) {
	case DL_E_DENIED:
		return DL_REASON_IMMUTABLE_REFUSED;
	case DL_E_BUSY:
		return DL_REASON_BUSY_MOUNT;
	case DL_E_NO_SPACE:
		return DL_REASON_NO_SPACE;
	case DL_E_CROSS_DEVICE:
		return DL_REASON_CROSS_DEVICE;
	case DL_E_EXISTS:
		return DL_REASON_PRECONDITION;
	case DL_E_STATE:
		return DL_REASON_NEEDS_ATTENTION;
	case DL_E_UNSUPPORTED:
		return DL_REASON_UNSUPPORTED;
	case DL_E_STALE:
	case DL_E_NOT_FOUND:
		return DL_REASON_NONE;
	default:
		return DL_REASON_IO_ERROR;
	}
}
