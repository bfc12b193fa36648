/* Host: the read face over one machine.
 *
 * Everything a survey, a check or a dry run learns about a host comes through
 * here; nothing here changes it (agent/platform/change.h does). Three bodies
 * stand behind the same face: the running machine, a folder that holds a
 * machine's files (`survey --root`), and the tests' in-memory host.
 *
 * Paths are raw bytes as the host has them: absolute, NUL-terminated, without
 * empty, "." or ".." parts (dl_host_canonical takes those too). They are
 * resolved inside the host's root by openat2(2) with NO_SYMLINKS,
 * NO_MAGICLINKS and BENEATH: a path with a symlink in any
 * parent is refused (DL_E_INVALID), so callers use dl_host_canonical first.
 * Files are opened O_NONBLOCK | O_NOFOLLOW | O_NOATIME and must be regular.
 *
 * Users, packages and the never-list are read once and kept for the life of
 * the handle: open a new handle for each survey and each order.
 */
#ifndef DL_AGENT_PLATFORM_HOST_H
#define DL_AGENT_PLATFORM_HOST_H

#include "core/crypto/sha256.h"
#include "core/plan/object.h"

struct dl_host;

enum {
	DL_HOST_PATH_MAX = 4096,              /* bytes with the NUL, as the kernel counts */
	DL_HOST_FILE_MAX = 1024 * 1024,       /* a unit or a table; more is DL_E_LIMIT */
	DL_HOST_FOLDER_MAX = 20000,           /* names of one folder; more is cut and said */
	DL_HOST_HASH_MAX = 256 * 1024 * 1024, /* larger files get facts but no hash */
	DL_HOST_HASH_TOTAL_MIB = 4096,        /* read for hashes by one handle, and no more */
	DL_HOST_LINKS_MAX = 40,               /* symlinks on one path, as the kernel counts */
	DL_HOST_PARTS_MAX = 4096,             /* names on one path, those of its symlinks too */
};

/* `root` NULL is the running machine; else the folder that holds the files of
 * another one, of which systemd and the kernel cannot be asked. */
int dl_host_open(const char *root, struct dl_host **ret_host, struct dl_error *err);
void dl_host_free(struct dl_host *host);
DL_DEFINE_AUTO(dl_host, dl_host_free)

/* ---- files ---- */

/* The names in a folder, sorted by bytes, without "." and "..". */
struct dl_host_names {
	char **names; /* owned */
	size_t count;
	bool cut; /* the folder holds more than DL_HOST_FOLDER_MAX */
};
void dl_host_names_clear(struct dl_host_names *names);
#define dl_autonames __attribute__((cleanup(dl_host_names_clear))) struct dl_host_names

/* DL_E_NOT_FOUND: no such folder. DL_E_INVALID: reached through a symlink. */
int dl_host_list(struct dl_host *host, const char *folder, struct dl_host_names *ret_names,
		 struct dl_error *err);

/* The content of a regular file of at most `limit` bytes, NUL-terminated (not
 * counted), owned by the caller. DL_E_INVALID: not a regular file. */
int dl_host_read(struct dl_host *host, const char *path, size_t limit, char **ret_data,
		 size_t *ret_size, struct dl_error *err);

/* What a name holds, as lstat says. Device and inode identify the object
 * within one execution only and never leave the agent. */
struct dl_host_facts {
	enum dl_object_type type; /* DL_TYPE_MISSING when the name is not there */
	int64_t size, uid, gid, mode, mtime_ns, links;
	uint64_t device, inode;
	bool immutable;
	bool hashed;
	char sha256[DL_SHA256_TEXT_SIZE]; /* regular files, when asked for and not too large */
	char md5[33];                     /* dpkg's comparison; no proof against an attacker */
	char target[DL_HOST_PATH_MAX];    /* symlinks: the stored bytes */
};

/* A missing name, or a missing parent, is no error. `hash` reads the file's content. */
int dl_host_look(struct dl_host *host, const char *path, bool hash, struct dl_host_facts *ret_facts,
		 struct dl_error *err);

/* How many names were looked at through this handle: the measure of what a search over hostile
 * names may cost. */
int64_t dl_host_looks(const struct dl_host *host);

/* Fills `ret_object` (released first by the caller) with every fact about a canonical path: what
 * dl_host_look says with the hash, owner, package, baseline and the never-list.
 * Baseline: owned by a package, `same` or `different` by its checksum (`none` if the package has
 * none); owned by no package, `absent`; no package database on this host, `none`. */
int dl_host_object(struct dl_host *host, const char *path, enum dl_object_role role,
		   struct dl_object *ret_object, struct dl_error *err);

/* The same path with no symlink in any parent, by the host's own links (usrmerge: /lib/x is
 * /usr/lib/x). The leaf need not exist; with `follow_leaf` a symlink there is followed too, and
 * DL_E_NOT_FOUND says that it leads nowhere. DL_E_INVALID: a loop, a relative path, more than
 * DL_HOST_PARTS_MAX names on the way. */
int dl_host_canonical(struct dl_host *host, const char *path, bool follow_leaf, char **ret_path,
		      struct dl_error *err);

/* ---- users: /etc/passwd, parsed here and never through NSS ---- */

struct dl_host_user {
	char *name, *home, *shell; /* raw bytes */
	int64_t uid, gid;
};
/* Borrowed; NULL when there is none. The first entry wins, as with getpwuid. */
const struct dl_host_user *dl_host_user_by_uid(struct dl_host *host, int64_t uid);
const struct dl_host_user *dl_host_user_by_name(struct dl_host *host, const char *name);
/* All entries in the file's order. Fails as reading the file does; a line that is no entry is
 * passed over, as getpwent does. */
int dl_host_users(struct dl_host *host, const struct dl_host_user **ret_users, size_t *ret_count,
		  struct dl_error *err);

/* ---- packages: dpkg's database ----
 * The database is evidence, not proof: malware with root can write into it. */

struct dl_host_package {
	char *name;   /* "cron"; NULL: no package owns the path */
	char *source; /* "dpkg: cron.list" */
	bool conffile;
	char md5[33]; /* what the package shipped; "" when it does not say */
};
void dl_host_package_clear(struct dl_host_package *package);
#define dl_autopackage __attribute__((cleanup(dl_host_package_clear))) struct dl_host_package

/* `path` is canonical; both spellings of merged folders and diversions are looked up.
 * DL_E_UNSUPPORTED: this host has no database that we can read. */
int dl_host_package_of(struct dl_host *host, const char *path, struct dl_host_package *ret_package,
		       struct dl_error *err);

/* Whether these bytes are what the package shipped; false when it does not say. */
bool dl_host_package_shipped(const struct dl_host_package *package, const void *data, size_t size);

/* ---- the never-list ---- */

/* Why nothing may be done to this path, in words (owned), or NULL. Compared by path, by device
 * and inode of the object (hard links) and of every parent (bind mounts). Compiled in, plus the
 * paths in /etc/dislodge/never-list if root owns it and nobody else may write to it. */
char *dl_host_protected_by(struct dl_host *host, const char *path,
			   const struct dl_host_facts *facts);

/* ---- systemd ---- */

/* Texts are owned, raw, and "" where systemd says nothing. */
struct dl_host_unit {
	char *load_state;      /* loaded, not-found, masked, bad-setting … */
	char *active_state;    /* active, inactive, failed, activating … */
	char *sub_state;       /* running, waiting, dead … */
	char *unit_file_state; /* enabled, disabled, static, generated, transient … */
	char *fragment_path;
	char *triggered_by;    /* the timers, paths and sockets that start it, by spaces */
	int64_t main_pid;      /* services; 0 if none */
	bool need_reload;      /* files changed since systemd read them */
	bool transient;
};
void dl_host_unit_clear(struct dl_host_unit *unit);
#define dl_autounit __attribute__((cleanup(dl_host_unit_clear))) struct dl_host_unit

/* Asks PID 1 over /run/systemd/private, else over the system bus at its fixed address. A unit
 * that nobody knows has load_state "not-found". DL_E_UNSUPPORTED: no systemd here (none booted,
 * or the host is a folder); DL_E_UNAVAILABLE: it does not answer. */
int dl_host_unit_ask(struct dl_host *host, const char *name, struct dl_host_unit *ret_unit,
		     struct dl_error *err);

/* ---- the machine ---- */

struct dl_host_identity {
	char *hostname, *os, *kernel, *architecture; /* raw; "unknown" where a folder cannot tell */
	char *boot_id;                               /* "" for a folder */
};
void dl_host_identity_clear(struct dl_host_identity *identity);
int dl_host_identify(struct dl_host *host, struct dl_host_identity *ret_identity,
		     struct dl_error *err);

/* True for the running machine, false for a folder. */
bool dl_host_is_live(const struct dl_host *host);

#endif
