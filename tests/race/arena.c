#include "arena.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>


#define VICTIM_TEXT   "victim: payroll"
#define BAIT          "/arena/folder/bait"
#define FOLDER        "/arena/folder"
#define TRAP          "/arena/trap"
#define HOME          "/arena/home"
#define AWAY          "/arena/away"

static void check(int r, const char *what)
{
	if (r < 0)
		err(EXIT_FAILURE, "%s", what);
}

static void write_text(const char *path, const char *text)
{
	int handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (handle < 0 || write(handle, text, strlen(text)) != (ssize_t)strlen(text))
		err(EXIT_FAILURE, "writing %s", path);
	close(handle);
}

static ino_t inode_of(int handle)
{
	struct stat facts;

	check(fstat(handle, &facts), "looking at a handle");
	return facts.st_ino;
}

/* ---- what is swapped ---- */

static int open_folder(const char *path, size_t length)
{
	char folder[256];
	int handle;

	snprintf(folder, sizeof(folder), "%.*s", (int)length, path);
	handle = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	check(handle, folder);
	return handle;
}

static void hold_victim(struct arena *arena, const char *path)
{
	struct stat facts;

	arena->folders[1] = open_folder(path, (size_t)(strrchr(path, '/') - path));
	arena->victim = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	check(arena->victim, path);
	check(fstat(arena->victim, &facts), path);
	arena->victim_inode = facts.st_ino;
	arena->victim_links = facts.st_nlink;
}

static void plant_leaf_file(struct arena *arena)
{
	write_text(BAIT, VICTIM_TEXT);
	hold_victim(arena, BAIT);
}

static void plant_leaf_symlink(struct arena *arena)
{
	write_text(HOME "/payroll", VICTIM_TEXT);
	check(symlink(HOME "/payroll", BAIT), "linking");
	hold_victim(arena, BAIT);
}

static void plant_leaf_hard_link(struct arena *arena)
{
	write_text(HOME "/payroll", VICTIM_TEXT);
	check(link(HOME "/payroll", BAIT), "linking");
	hold_victim(arena, BAIT);
}

static void plant_leaf_fifo(struct arena *arena)
{
	check(mkfifo(BAIT, 0644), "making a FIFO");
	hold_victim(arena, BAIT);
}

static void plant_leaf_folder(struct arena *arena)
{
	check(mkdir(BAIT, 0755), "making a folder");
	write_text(BAIT "/payroll", VICTIM_TEXT);
	hold_victim(arena, BAIT);
}

static void plant_home(struct arena *arena)
{
	write_text(HOME "/target", VICTIM_TEXT);
	hold_victim(arena, HOME "/target");
}

static void plant_parent_symlink(struct arena *arena)
{
	plant_home(arena);
	check(symlink(HOME, TRAP), "linking");
}

static void plant_parent_away(struct arena *arena)
{
	check(mkdir(TRAP, 0755), "making a folder");
	write_text(TRAP "/target", VICTIM_TEXT);
	hold_victim(arena, TRAP "/target");
}

/* ---- the attacker's moves ---- */

static bool swap_leaf(struct arena *arena, unsigned long turn)
{
	(void)arena;
	(void)turn;
	return renameat2(AT_FDCWD, ARENA_TARGET, AT_FDCWD, BAIT, RENAME_EXCHANGE) == 0;
}

static bool swap_parent(struct arena *arena, unsigned long turn)
{
	(void)arena;
	(void)turn;
	return renameat2(AT_FDCWD, FOLDER, AT_FDCWD, TRAP, RENAME_EXCHANGE) == 0;
}

/* The folder is away for a moment, then another one has its name. */
static bool move_parent_away(struct arena *arena, unsigned long turn)
{
	static const char *const moves[][2] = {
		{ FOLDER, AWAY }, { TRAP, FOLDER }, { FOLDER, TRAP },
		{ AWAY, FOLDER },
	};
	const char *const *move = moves[turn % 4];

	(void)arena;
	return rename(move[0], move[1]) == 0;
}

static bool mount_over(const char *what, const char *where, unsigned long turn)
{
	if (turn % 2 == 0)
		return mount(what, where, NULL, MS_BIND, NULL) == 0;
	return umount2(where, MNT_DETACH) == 0;
}

static bool mount_over_parent(struct arena *arena, unsigned long turn)
{
	(void)arena;
	return mount_over(HOME, FOLDER, turn);
}

static bool mount_over_leaf(struct arena *arena, unsigned long turn)
{
	(void)arena;
	return mount_over(HOME "/target", ARENA_TARGET, turn);
}

const struct attack_class attack_classes[] = {
	{ "leaf-file", false, true, false, plant_leaf_file, swap_leaf },
	{ "leaf-symlink", false, true, false, plant_leaf_symlink, swap_leaf },
	{ "leaf-hard-link", false, true, false, plant_leaf_hard_link, swap_leaf },
	{ "leaf-fifo", false, true, false, plant_leaf_fifo, swap_leaf },
	{ "leaf-folder", false, true, false, plant_leaf_folder, swap_leaf },
	{ "parent-symlink", false, true, false, plant_parent_symlink, swap_parent },
	{ "parent-away", false, true, false, plant_parent_away, move_parent_away },
	{ "mount-over-parent", false, true, false, plant_home, mount_over_parent },
	{ "mount-over-leaf", false, false, true, plant_home, mount_over_leaf },
	{ "leaf-file-elsewhere", true, true, true, plant_leaf_file, swap_leaf },
	{ NULL, false, false, false, NULL, NULL },
};

/* ---- the arena ---- */

static void *attack(void *argument)
{
	struct arena *arena = argument;

	for (unsigned long turn = 0; !atomic_load(&arena->stop);)
		if (arena->class->swap(arena, turn)) {
			turn++;
			atomic_fetch_add(&arena->swaps, 1);
		}
	return NULL;
}

void arena_open(struct arena *arena, const struct attack_class *class)
{
	*arena = (struct arena){ .class = class };
	check(mkdir("/arena", 0755), "making the arena");
	check(mount("arena", "/arena", "tmpfs", 0, NULL), "mounting the arena");
	check(mkdir(FOLDER, 0755), "making a folder");
	check(mkdir(HOME, 0755), "making a folder");
	write_text(ARENA_TARGET, ARENA_APPROVED_TEXT);
	arena->folders[0] = open_folder(FOLDER, strlen(FOLDER));
	arena->approved = open(ARENA_TARGET, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	check(arena->approved, ARENA_TARGET);
	arena->approved_inode = inode_of(arena->approved);
	class->plant(arena);
	if (pthread_create(&arena->attacker, NULL, attack, arena) != 0)
		errx(EXIT_FAILURE, "no thread");
}

void arena_close(struct arena *arena)
{
	atomic_store(&arena->stop, true);
	pthread_join(arena->attacker, NULL);
	close(arena->approved);
	close(arena->victim);
	close(arena->folders[0]);
	close(arena->folders[1]);
	check(umount2("/arena", MNT_DETACH), "taking the arena down");
	check(rmdir("/arena"), "taking the arena down");
}

bool arena_victim_is_hurt(const struct arena *arena)
{
	struct stat facts;

	check(fstat(arena->victim, &facts), "looking at the victim");
	return facts.st_nlink < arena->victim_links;
}

void arena_unmount(const char *path)
{
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* From another file system comes a copy; only approved objects are ever copied. */
static void make_again(const struct arena *arena, const char *path)
{
	write_text("/arena/again", ARENA_APPROVED_TEXT);
	check(unlink(path), path);
	arena_put_back(arena, "/arena/again");
}

bool arena_empty_aside(const struct arena *arena)
{
	DIR *stream = opendir("/arena");
	const struct dirent *entry;
	bool found = false;

	if (!stream)
		err(EXIT_FAILURE, "listing the arena");
	while ((entry = readdir(stream))) {
		char folder[300], object[400];

		if (strncmp(entry->d_name, ".dislodge-", 10) != 0)
			continue;
		snprintf(folder, sizeof(folder), "/arena/%s", entry->d_name);
		snprintf(object, sizeof(object), "%s/%s", folder, entry->d_name + 10);
		if (access(object, F_OK) == 0) {
			arena_put_back(arena, object);
			found = true;
		}
		rmdir(folder);
	}
	closedir(stream);
	return found;
}

void arena_put_back(const struct arena *arena, const char *path)
{
	static const char *const names[] = { "target", "bait" };

	for (unsigned int turn = 0;; turn++) {
		int folder = arena->folders[turn % 2];

		if (renameat2(AT_FDCWD, path, folder, names[turn / 2 % 2], RENAME_NOREPLACE) == 0)
			return;
		if (errno == EXDEV) {
			make_again(arena, path);
			return;
		}
		if (errno == EBUSY)
			arena_unmount(path);
	}
}
