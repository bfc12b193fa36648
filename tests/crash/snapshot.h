/* Snapshot: everything below the scratch host's root that undo has to give
 * back, one line of facts for each name; two of them can be compared. */
#ifndef DL_TESTS_CRASH_SNAPSHOT_H
#define DL_TESTS_CRASH_SNAPSHOT_H

#include "core/base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct snapshot;

/* Leaves out the agent's state, /dev, /proc and /run. */
struct snapshot *snapshot_take(void);
struct snapshot *snapshot_copy(const struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);
DL_DEFINE_AUTO(snapshot, snapshot_free)

/* Takes this path, as the scratch host names it, out of the comparison. */
void snapshot_forget(struct snapshot *snapshot, const char *path);
/* The first difference in words, owned; NULL if there is none. */
char *snapshot_difference(const struct snapshot *before, const struct snapshot *after);
/* A name that only the agent makes (".dislodge-…"), owned by the snapshot; NULL if there is none. */
const char *snapshot_leftover(const struct snapshot *snapshot);

enum facts_depth {
	FACTS_WHOLE, /* bytes, type, mode, owner, time, xattrs, target */
	FACTS_EXACT, /* these, and flags and the count of links */
};
/* One line, owned; NULL if nothing is there. `path` is the harness's own. A
 * folder's time counts only while it is empty: else it is that of its content. */
char *facts_read(const char *path, enum facts_depth depth);

#endif
