/* Which processes hold an object: /proc/PID/{exe,map_files,fd} by device and inode (proc(5)). */
#include "agent/platform/linux/folder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

enum { HOLDERS_LINKS_MAX = 100000, HOLDERS_NAME_SIZE = 300 };

static void holders_close(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}
#define dl_autodir __attribute__((cleanup(holders_close))) DIR

void dl_holders_clear(struct dl_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++) {
		free(holders->items[i].executable);
		free(holders->items[i].user);
	}
	*holders = (struct dl_holders){ 0 };
}

/* What is looked for, and which of it the process in hand was found to have. */
struct search {
	struct dl_held *const *held;
	size_t count;
	bool wanted[DL_HOLDERS_OBJECTS_MAX];
	bool runs[DL_HOLDERS_OBJECTS_MAX], holds[DL_HOLDERS_OBJECTS_MAX];
};

/* File systems whose files are opened, run and mapped by their own inode; on a
 * stacked one a mapping counts for the inode below. */
static bool holders_own_inode(int handle)
{
	struct statfs facts;

	return fstatfs(handle, &facts) == 0 &&
	       (facts.f_type == EXT4_SUPER_MAGIC || facts.f_type == XFS_SUPER_MAGIC ||
		facts.f_type == BTRFS_SUPER_MAGIC || facts.f_type == TMPFS_MAGIC);
}

/* A write lease is granted only while no other open file description leads to
 * the file, and whoever runs, maps or holds it has one (fcntl(2),
 * check_conflicting_open in the kernel's fs/locks.c). Whatever else is said
 * proves nothing. */
static bool holders_nobody(const struct dl_held *held)
{
	return held->facts.type == DL_TYPE_FILE && holders_own_inode(held->handle) &&
	       dl_lease_try(held->handle, F_WRLCK) == 0;
}

/* /proc's links lead to the object itself, whatever its name is now. */
static void holders_mark(const struct search *search, int process, const char *link, bool *marks)
{
	struct stat facts;

	if (fstatat(process, link, &facts, 0) < 0)
		return;
	for (size_t i = 0; i < search->count; i++)
		if (search->wanted[i] && facts.st_ino == search->held[i]->stat.st_ino &&
		    facts.st_dev == search->held[i]->stat.st_dev)
			marks[i] = true;
}

static void holders_mark_all(const struct search *search, int process, const char *folder,
			     bool *marks)
{
	int handle = openat(process, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dl_autodir *stream = handle < 0 ? NULL : fdopendir(handle);
	const struct dirent *entry;

	for (int seen = 0; stream && seen < HOLDERS_LINKS_MAX; seen++) {
		entry = readdir(stream);
		if (!entry)
			return;
		if (entry->d_name[0] != '.')
			holders_mark(search, dirfd(stream), entry->d_name, marks);
	}
}

/* /etc/passwd itself: NSS would load modules that the attacker may have put there. */
static char *holders_user(uid_t uid)
{
	FILE *accounts = fopen("/etc/passwd", "re");
	const struct passwd *account;
	char number[24];
	char *name = NULL;

	while (accounts && !name && (account = fgetpwent(accounts)))
		if (account->pw_uid == uid)
			name = dl_strdup(account->pw_name);
	if (accounts)
		fclose(accounts);
	if (name)
		return name;
	snprintf(number, sizeof(number), "%u", uid);
	return dl_strdup(number);
}

static void holders_add(struct dl_holders *holders, int process, const char *pid, bool runs)
{
	char executable[DL_FACTS_TARGET_MAX] = "";
	struct stat facts = { 0 };
	struct dl_holder *holder;
	ssize_t size;

	if (holders->count == DL_HOLDERS_MAX) {
		holders->more = true;
		return;
	}
	size = readlinkat(process, "exe", executable, sizeof(executable) - 1);
	executable[size < 0 ? 0 : size] = '\0';
	fstat(process, &facts);
	holder = &holders->items[holders->count++];
	*holder = (struct dl_holder){
		.pid = strtoll(pid, NULL, 10),
		.executable = dl_strdup(executable),
		.user = holders_user(facts.st_uid),
		.runs = runs,
	};
}

static void holders_look(struct search *search, struct dl_holders *holders, int proc,
			 const char *pid)
{
	dl_autofd process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A process that ended meanwhile holds nothing. */
	if (process < 0)
		return;
	memset(search->runs, 0, sizeof(search->runs));
	memset(search->holds, 0, sizeof(search->holds));
	holders_mark(search, process, "exe", search->runs);
	holders_mark_all(search, process, "map_files", search->runs);
	holders_mark_all(search, process, "fd", search->holds);
	for (size_t i = 0; i < search->count; i++)
		if (search->runs[i] || search->holds[i])
			holders_add(&holders[i], process, pid, search->runs[i]);
}

static int holders_walk(struct search *search, struct dl_holders *ret_holders, struct dl_error *err)
{
	dl_autodir *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return dl_error_set(err, DL_E_UNAVAILABLE, "/proc cannot be read");
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    strtoll(entry->d_name, NULL, 10) != getpid())
			holders_look(search, ret_holders, dirfd(proc), entry->d_name);
	return 0;
}

int dl_holders_find(struct dl_held *const *held, size_t count, struct dl_holders *ret_holders,
		    struct dl_error *err)
{
	struct search search = { .held = held, .count = count };
	bool any = false;

	if (count > DL_HOLDERS_OBJECTS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "holders of too many objects at once");
	for (size_t i = 0; i < count; i++) {
		search.wanted[i] = !holders_nobody(held[i]);
		any = any || search.wanted[i];
	}
	return any ? holders_walk(&search, ret_holders, err) : 0;
}
