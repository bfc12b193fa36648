/* Which processes hold an object: /proc/PID/{exe,map_files,fd} by device and inode (proc(5)). */
#include "agent/platform/linux/folder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

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

/* /proc's links lead to the object itself, whatever its name is now. */
static bool holders_same(int process, const char *link, const struct stat *wanted)
{
	struct stat facts;

	return fstatat(process, link, &facts, 0) == 0 && facts.st_dev == wanted->st_dev &&
	       facts.st_ino == wanted->st_ino;
}

static bool holders_any_of(int process, const char *folder, const struct stat *wanted)
{
	int handle = openat(process, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dl_autodir *stream = handle < 0 ? NULL : fdopendir(handle);
	const struct dirent *entry;

	for (int seen = 0; stream && seen < HOLDERS_LINKS_MAX; seen++) {
		entry = readdir(stream);
		if (!entry)
			return false;
		if (entry->d_name[0] != '.' && holders_same(dirfd(stream), entry->d_name, wanted))
			return true;
	}
	return false;
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

static void holders_look(struct dl_holders *holders, int proc, const char *pid,
			 const struct stat *wanted)
{
	dl_autofd process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A process that ended meanwhile holds nothing. */
	if (process < 0)
		return;
	if (holders_same(process, "exe", wanted) || holders_any_of(process, "map_files", wanted))
		holders_add(holders, process, pid, true);
	else if (holders_any_of(process, "fd", wanted))
		holders_add(holders, process, pid, false);
}

int dl_held_holders(const struct dl_held *held, struct dl_holders *ret_holders, struct dl_error *err)
{
	dl_autodir *proc = opendir("/proc");
	dl_autoholders holders = { 0 };
	const struct dirent *entry;

	if (!proc)
		return dl_error_set(err, DL_E_UNAVAILABLE, "/proc cannot be read");
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    strtoll(entry->d_name, NULL, 10) == getpid())
			continue;
		holders_look(&holders, dirfd(proc), entry->d_name, &held->stat);
	}
	*ret_holders = holders;
	holders = (struct dl_holders){ 0 };
	return 0;
}
