/* A private folder with a state folder, a journal and a quarantine in it; all
 * that these tests touch lies below it (or below a second one on a tmpfs). */
#ifndef DL_TESTS_AGENT_REMEDY_WORLD_H
#define DL_TESTS_AGENT_REMEDY_WORLD_H

#include "agent/journal/journal.h"
#include "agent/quarantine/quarantine.h"

enum { WORLD_PATH_SIZE = 512, WORLD_PATHS = 64 };

struct world {
	char folder[WORLD_PATH_SIZE];
	char elsewhere[WORLD_PATH_SIZE]; /* on another file system */
	int state;
	struct dl_journal *journal;
	struct dl_quarantine *quarantine;
	struct dl_errand errand;
	enum dl_reason forbid; /* what the guard answers */
};

/* cmocka's fixtures; the world is *state. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* A start and an end of the agent: journal and quarantine. */
void world_open(struct world *world);
void world_close(struct world *world);

/* Paths below the world's folders; each stays valid for the next WORLD_PATHS calls. */
const char *world_path(const struct world *world, const char *name);
const char *elsewhere_path(const struct world *world, const char *name);

void write_file(const char *path, const char *content);
/* Owned by the caller; NULL if the file is not there. */
char *read_file(const char *path);
bool is_there(const char *path);

/* What stands there, held open. Owned by the caller. */
struct dl_held *hold(const char *path);
/* The object that an approval of the present state would name; cleared by the caller. */
struct dl_object approve(const char *path);
#define dl_autoobject __attribute__((cleanup(dl_object_clear))) struct dl_object

/* The step's only move; cleared by the caller. */
struct dl_move only_move(struct world *world);
/* How many things lie in quarantine. */
size_t count_kept(const struct world *world);

#endif
