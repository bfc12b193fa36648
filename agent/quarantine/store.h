/* What take, replace, restore and recover share; private to agent/quarantine. */
#ifndef DL_AGENT_QUARANTINE_STORE_H
#define DL_AGENT_QUARANTINE_STORE_H

#include "agent/quarantine/facts.h"
#include "agent/quarantine/quarantine.h"

struct dl_quarantine {
	struct dl_folder *store;
	struct dl_journal *journal; /* borrowed */
};

/* A raw, absolute path in its two parts, owned by the caller. */
int path_split(const char *path, char **ret_folder, char **ret_leaf, struct dl_error *err);

/* A name in its open folder. */
struct spot {
	struct dl_folder *folder;
	char *leaf;  /* owned */
	bool shared; /* the folder is a batch's, which outlives the spot */
};
void spot_clear(struct spot *spot);
#define dl_autospot __attribute__((cleanup(spot_clear))) struct spot
/* `path` is raw and absolute. DL_E_NOT_FOUND: its folder is not there. */
int spot_open(const char *path, struct spot *ret_spot, struct dl_error *err);

/* A move's record: what it is ("take", "replace"), where, of which object. */
json_t *about_new(const char *what, const char *path, const struct dl_facts *facts);
bool about_is(const struct dl_move *move, const char *what);
bool about_flag(const struct dl_move *move, const char *name);
const char *about_text(const struct dl_move *move, const char *name); /* "" if absent */
/* The raw path; owned by the caller. */
int about_path(const struct dl_move *move, char **ret_path, struct dl_error *err);
int about_facts(const struct dl_move *move, struct dl_facts *ret_facts, struct dl_error *err);

/* +i and +a stand in the way of a rename, on the object and on its folder. The
 * folder's are recorded in the move before they are cleared and given back
 * right after the act; the object's are given back by undo. */
int locks_open(struct dl_quarantine *quarantine, struct dl_move *move, const struct spot *spot,
	       const struct dl_held *held, struct dl_error *err);
int locks_close_folder(const struct dl_move *move, const struct spot *spot, struct dl_error *err);
int locks_close(const struct dl_move *move, const struct spot *spot, const struct dl_held *held,
		struct dl_error *err);

enum { ASIDE_NAME_SIZE = DL_ID_TEXT_SIZE + 16 };
/* ".dislodge-ID": a draft beside a table, or the folder aside on a foreign mount. */
void aside_name(const char *id, char out[ASIDE_NAME_SIZE]);

/* Opens folder/name when it holds exactly what the facts say; `exact` as in
 * facts_compare. NULL is a fine answer: not there, or something else. */
struct dl_held *held_matching(const struct dl_folder *folder, const char *name,
			      const struct dl_facts *facts, bool exact);
/* Removes folder/name if it is a file with this content: our own copy or draft. */
int discard_content(const struct dl_folder *folder, const char *name, const char *sha256,
		    struct dl_error *err);

/* Waits until the present second is none of these (cron compares whole seconds). */
void wait_for_new_second(const int64_t *times_ns, size_t count);

enum dl_reason reason_of(int error);

#endif
