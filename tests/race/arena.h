/* Arena: a folder with the approved object in it, a victim that must not be
 * touched, and an attacker's thread that swaps one for the other without
 * pause, as one of some classes of attack. */
#ifndef DL_TESTS_RACE_ARENA_H
#define DL_TESTS_RACE_ARENA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define ARENA_TARGET "/arena/folder/target" /* what was approved, and where */
#define ARENA_APPROVED_TEXT "approved: malware"

struct arena;

struct attack_class {
	const char *name;
	bool elsewhere; /* on another file system than the quarantine */
	bool naive_can_lose;
	bool slow; /* an attempt costs so much that the short form makes a tenth of them */
	void (*plant)(struct arena *arena);
	bool (*swap)(struct arena *arena, unsigned long turn); /* one move of the attacker */
};
/* Ends with a class without name. */
extern const struct attack_class attack_classes[];

struct arena {
	const struct attack_class *class;
	int approved, victim; /* handles (O_PATH) on both, wherever they are named */
	ino_t approved_inode, victim_inode;
	nlink_t victim_links;
	int folders[2]; /* the approved object's and the victim's, whatever their names are now */
	atomic_bool stop;
	atomic_ulong swaps; /* the attacker's moves that worked */
	pthread_t attacker;
};

/* Makes everything anew, and starts the attacker. The caller is in a scratch namespace. */
void arena_open(struct arena *arena, const struct attack_class *class);
void arena_close(struct arena *arena);

/* Whether the victim has lost a name. */
bool arena_victim_is_hurt(const struct arena *arena);
/* A mount that came too late for the name travels with the object into
 * quarantine: off with it, to see what is really there. */
void arena_unmount(const char *path);
/* Gives the approved object (or a victim) at `path` the name back that is
 * missing; the attacker may be at it just now, so this may try for a while. */
void arena_put_back(const struct arena *arena, const char *path);
/* What the agent could not put back lies in its folder at the root of the
 * mount; true if there was something. */
bool arena_empty_aside(const struct arena *arena);

#endif
