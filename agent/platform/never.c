/* The never-list: what must stay whatever an order says. By path, and by
 * device and inode, so that hard links and bind mounts do not help. */
#include "agent/platform/host_state.h"

#include "core/base/buf.h"

#include <string.h>

#define LOCAL_LIST "/etc/dislodge/never-list"

enum {
	NEVER_MAX = 4096,        /* objects remembered by inode */
	LOCAL_ENTRIES_MAX = 256, /* paths in the local list */
	PARENTS_MAX = 128,
};

/* `path` ending in '/' is a folder with all that is in it. */
struct rule {
	const char *path;
	const char *words;
};

static const struct rule compiled[] = {
	{ "/", "the root folder" },
	{ "/sbin/init", "the first process" },
	{ "/usr/lib/systemd/systemd", "the first process" },
	{ "/usr/lib/systemd/systemd-executor", "the first process" },
	{ "/boot/", "the boot path" },
	{ "/efi/", "the boot path" },
	{ "/etc/initramfs-tools/", "the boot path" },
	{ "/etc/grub.d/", "the boot path" },
	{ "/etc/default/grub", "the boot path" },
	{ "/usr/lib/grub/", "the boot path" },
	{ "/lib64/ld-linux-x86-64.so.2", "the dynamic loader" },
	{ "/lib/ld-linux-aarch64.so.1", "the dynamic loader" },
	{ "/lib/ld-linux.so.2", "the dynamic loader" },
	{ "/usr/lib/x86_64-linux-gnu/libc.so.6", "the C library" },
	{ "/usr/lib/aarch64-linux-gnu/libc.so.6", "the C library" },
	{ "/usr/lib/i386-linux-gnu/libc.so.6", "the C library" },
	{ "/usr/lib64/libc.so.6", "the C library" },
	{ "/bin/sh", "a shell" },
	{ "/bin/bash", "a shell" },
	{ "/bin/dash", "a shell" },
	{ "/bin/zsh", "a shell" },
	{ "/bin/ksh", "a shell" },
	{ "/bin/busybox", "a shell" },
	{ "/usr/bin/fish", "a shell" },
	{ "/etc/passwd", "the list of users" },
	{ "/etc/shadow", "the list of users" },
	{ "/etc/group", "the list of users" },
	{ "/etc/gshadow", "the list of users" },
	{ "/etc/sudoers", "the rights of users" },
	{ "/etc/fstab", "the list of file systems" },
	{ "/etc/nsswitch.conf", "the name services" },
	{ "/etc/pam.d/", "the log-in rules" },
	{ "/etc/pam.conf", "the log-in rules" },
	{ "/var/lib/dpkg/", "the package database" },
	{ "/var/lib/rpm/", "the package database" },
	{ "/usr/sbin/sshd", "the way in" },
	{ "/etc/ssh/", "the way in" },
	{ "/usr/lib/systemd/system/ssh.service", "the way in" },
	{ "/usr/lib/systemd/system/sshd.service", "the way in" },
	{ "/proc/", "a file system of the kernel" },
	{ "/sys/", "a file system of the kernel" },
	{ "/usr/bin/dislodge-agent", "the agent itself" },
	{ "/etc/dislodge/", "the agent itself" },
	{ "/var/lib/dislodge/", "the agent itself" },
	{ "/run/dislodge/", "the agent itself" },
	{ "/usr/lib/systemd/system/dislodge-agent.service", "the agent itself" },
	{ "/usr/lib/systemd/system/dislodge-link.service", "the agent itself" },
	{ "/usr/lib/systemd/system/dislodge-executor.service", "the agent itself" },
};

/* One protected object as it stands on this host. */
struct held {
	char *path; /* canonical */
	bool folder;
	uint64_t device, inode; /* 0, 0: not there now */
	const char *words;
};

/* The folder whose parents were looked at last and are not protected: most
 * objects of an order have it in common with the one before. */
struct clear_folder {
	char *path;
	uint64_t device, inode;
};

struct dl_never {
	struct held list[NEVER_MAX];
	size_t count;
	struct clear_folder clear;
};

void dl_never_free(struct dl_never *never)
{
	if (!never)
		return;
	for (size_t i = 0; i < never->count; i++)
		free(never->list[i].path);
	free(never->clear.path);
	free(never);
}

static void hold(struct dl_host *host, struct dl_never *never, const char *path, bool folder,
		 const char *words)
{
	struct dl_host_facts facts;
	if (never->count == NEVER_MAX || dl_host_look(host, path, false, &facts, NULL) < 0)
		return;
	never->list[never->count++] = (struct held){ .path = dl_strdup(path), .folder = folder,
		.device = facts.device, .inode = facts.inode, .words = words };
}

/* Both the name itself, which may be a symlink, and what it leads to. */
static void hold_rule(struct dl_host *host, struct dl_never *never, const char *path,
		      const char *words)
{
	size_t length = strlen(path);
	bool folder = length > 1 && path[length - 1] == '/';
	dl_autofree char *name = NULL, *real = NULL;
	if (dl_host_canonical(host, path, false, &name, NULL) == 0)
		hold(host, never, name, folder, words);
	if (dl_host_canonical(host, path, true, &real, NULL) == 0 &&
	    (!name || strcmp(name, real) != 0))
		hold(host, never, real, folder, words);
}

/* Files in the folders whose single files matter, so that a hard link to one
 * of them elsewhere is known. */
static void hold_files_of(struct dl_host *host, struct dl_never *never, const char *folder,
			  const char *words)
{
	dl_autonames names = { 0 };
	if (dl_host_list(host, folder, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		dl_autofree char *path = dl_path_join(folder, names.names[i]);
		hold(host, never, path, false, words);
	}
}

/* The administrator's own list counts only while nobody but root can write it. */
static void hold_local_list(struct dl_host *host, struct dl_never *never)
{
	struct dl_host_facts facts;
	dl_autofree char *text = NULL;
	size_t size, entries = 0;
	if (dl_host_look(host, LOCAL_LIST, false, &facts, NULL) < 0 ||
	    facts.type != DL_TYPE_FILE || facts.uid != 0 || facts.mode & 022 ||
	    dl_host_read(host, LOCAL_LIST, DL_HOST_FILE_MAX, &text, &size, NULL) < 0)
		return;
	for (char *at = text; at && entries < LOCAL_ENTRIES_MAX; entries++) {
		const char *line = strsep(&at, "\n");
		if (*line == '/')
			hold_rule(host, never, line, "the never-list of this host");
	}
}

static struct dl_never *load(struct dl_host *host)
{
	struct dl_never *never = DL_NEW(struct dl_never);
	for (size_t i = 0; i < DL_COUNT(compiled); i++)
		hold_rule(host, never, compiled[i].path, compiled[i].words);
	hold_files_of(host, never, "/boot", "the boot path");
	hold_files_of(host, never, "/etc/pam.d", "the log-in rules");
	hold_files_of(host, never, "/etc/ssh", "the way in");
	if (dl_host_is_live(host))
		hold_rule(host, never, "/proc/self/exe", "the agent itself");
	hold_local_list(host, never);
	return never;
}

static const char *held_by_path(const struct dl_never *never, const char *path)
{
	for (size_t i = 0; i < never->count; i++) {
		const struct held *held = &never->list[i];
		if (held->folder ? dl_path_is_under(path, held->path) :
				   strcmp(path, held->path) == 0)
			return held->words;
	}
	/* /dev/shm is a plain folder that malware likes; the rest of /dev is the kernel's. */
	if (dl_path_is_under(path, "/dev") && strncmp(path, "/dev/shm/", 9) != 0)
		return "a file system of the kernel";
	return NULL;
}

static const char *held_by_inode(const struct dl_never *never, const struct dl_host_facts *facts,
				 bool folders_only)
{
	for (size_t i = 0; i < never->count; i++) {
		const struct held *held = &never->list[i];
		if ((held->folder || !folders_only) && held->inode &&
		    held->device == facts->device && held->inode == facts->inode)
			return held->words;
	}
	return NULL;
}

/* A folder that is mounted a second time has the same inode under another path. */
static const char *held_by_ancestors(struct dl_host *host, const struct dl_never *never,
				     char *folder)
{
	for (int i = 0; i < PARENTS_MAX; i++) {
		struct dl_host_facts facts;
		if (dl_host_look(host, folder, false, &facts, NULL) == 0) {
			const char *words = held_by_inode(never, &facts, true);
			if (words)
				return words;
		}
		char *slash = strrchr(folder, '/');
		if (slash == folder)
			return NULL;
		*slash = '\0';
	}
	return "a path deeper than we follow";
}

static bool is_clear(const struct clear_folder *clear, const char *folder,
		     const struct dl_host_facts *facts)
{
	return clear->path && facts->type == DL_TYPE_FOLDER && clear->device == facts->device &&
	       clear->inode == facts->inode && strcmp(clear->path, folder) == 0;
}

static const char *held_by_parent(struct dl_host *host, struct dl_never *never, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return NULL;
	dl_autofree char *folder = dl_strndup(path, (size_t)(slash - path));
	struct dl_host_facts facts = { .type = DL_TYPE_MISSING };
	if (dl_host_look(host, folder, false, &facts, NULL) == 0 &&
	    is_clear(&never->clear, folder, &facts))
		return NULL;
	dl_autofree char *climbing = dl_strdup(folder);
	const char *words = held_by_ancestors(host, never, climbing);
	if (words)
		return words;
	free(never->clear.path);
	never->clear = (struct clear_folder){ DL_TAKE(folder), facts.device, facts.inode };
	return NULL;
}

char *dl_host_protected_by(struct dl_host *host, const char *path,
			   const struct dl_host_facts *facts)
{
	if (!host->never)
		host->never = load(host);
	const char *words = held_by_path(host->never, path);
	if (!words && facts->type != DL_TYPE_MISSING)
		words = held_by_inode(host->never, facts, false);
	if (!words)
		words = held_by_parent(host, host->never, path);
	return words ? dl_strdup(words) : NULL;
}
