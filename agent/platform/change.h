/* Change: the write face over one machine's files.
 *
 * Everything here works on handles. A path is resolved once, by
 * dl_folder_open; from then on a name means "this name in that open folder",
 * and an object is the one whose handle is held: (device, inode) identify it
 * for as long as the handle lives and never leave this execution.
 *
 * No function here decides anything: what may be changed and in which order
 * is agent/quarantine's and agent/remedy's to say. Names and paths are raw
 * bytes. Sources: openat2(2), renameat2(2), open(2) (O_TMPFILE), fcntl(2)
 * (leases), ioctl_iflags(2), xattr(7).
 */
#ifndef DL_AGENT_PLATFORM_CHANGE_H
#define DL_AGENT_PLATFORM_CHANGE_H

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/crypto/sha256.h"
#include "core/json/json.h"
#include "core/plan/object.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DL_FACTS_XATTRS_MAX = 4096,
	DL_FACTS_XATTR_BYTES_MAX = 64 * 1024,        /* of one value; the kernel's own limit */
	DL_FACTS_XATTRS_BYTES_MAX = 4 * 1024 * 1024, /* of all: the journal keeps them */
	DL_FACTS_TARGET_MAX = 4096,
	DL_HOLDERS_MAX = 32,
	DL_SIBLINGS_MAX = 16,
	DL_SIBLING_NAMES_MAX = 20000, /* names looked at for a sibling */
};

/* ---- folders ---- */

struct dl_folder; /* a folder held open, with a handle that can be synced */

/* Refuses a symlink anywhere in the path (openat2: BENEATH, NO_SYMLINKS,
 * NO_MAGICLINKS). DL_E_NOT_FOUND: it is not there. */
int dl_folder_open(const char *path, struct dl_folder **ret_folder, struct dl_error *err);
/* A folder by name inside an open one, by the same rules. */
int dl_folder_open_in(const struct dl_folder *parent, const char *name,
		      struct dl_folder **ret_folder, struct dl_error *err);
/* The root of the mount that `folder` is on; a rename reaches it without crossing mounts. */
int dl_folder_open_mount(const struct dl_folder *folder, struct dl_folder **ret_folder,
			 struct dl_error *err);
void dl_folder_free(struct dl_folder *folder);
DL_DEFINE_AUTO(dl_folder, dl_folder_free)

/* Makes (or opens, when it is already there and owned by us with mode 0700) a private folder. */
int dl_folder_make_private(const struct dl_folder *parent, const char *name,
			   struct dl_folder **ret_folder, struct dl_error *err);
/* The agent's state folder: made 0700 when missing; a symlink, another owner
 * or a wider mode is refused (DL_E_DENIED). `*ret_handle` is a file descriptor of the caller's. */
int dl_state_folder_open(const char *path, int *ret_handle, struct dl_error *err);
/* A folder handle of its own on the same folder. */
int dl_folder_duplicate(int handle, struct dl_folder **ret_folder, struct dl_error *err);

/* Whether both are the same folder. */
bool dl_folder_is(const struct dl_folder *folder, const struct dl_folder *other);

/* fsync; a failure is final and must not be tried again. */
int dl_folder_sync(const struct dl_folder *folder, struct dl_error *err);
/* Seconds and nanoseconds of the folder's own modification time. */
int dl_folder_mtime(const struct dl_folder *folder, int64_t *ret_ns, struct dl_error *err);
/* Bytes that may still be written to the folder's file system, for anybody. */
int dl_folder_room(const struct dl_folder *folder, int64_t *ret_bytes, struct dl_error *err);
bool dl_folder_is_empty(const struct dl_folder *folder);
/* Whether the name stands for something. */
int dl_folder_has(const struct dl_folder *folder, const char *name, bool *ret_has,
		  struct dl_error *err);
/* FS_IMMUTABLE_FL and FS_APPEND_FL of the folder itself, 0 where the file system has none. */
int dl_folder_locks(const struct dl_folder *folder, uint32_t *ret_locks, struct dl_error *err);
int dl_folder_set_locks(const struct dl_folder *folder, uint32_t locks, struct dl_error *err);

/* Never replaces (RENAME_NOREPLACE). DL_E_EXISTS, DL_E_CROSS_DEVICE,
 * DL_E_DENIED (immutable or append-only), DL_E_BUSY (mounted over). */
int dl_folder_move(const struct dl_folder *from, const char *name, const struct dl_folder *to,
		   const char *to_name, struct dl_error *err);
/* Swaps what two names on one mount stand for, at once. */
int dl_folder_exchange(const struct dl_folder *one, const char *name, const struct dl_folder *other,
		       const char *other_name, struct dl_error *err);
/* Removes a name for good. Only for what was verified to be a copy, or for an empty folder. */
int dl_folder_unlink(const struct dl_folder *folder, const char *name, enum dl_object_type type,
		     struct dl_error *err);

/* ---- objects ---- */

/* What undo has to give back, exactly (I4). */
struct dl_xattr {
	char *name;
	void *value;
	size_t size;
};
struct dl_facts {
	enum dl_object_type type; /* file, symlink or folder */
	int64_t mode, uid, gid, size, mtime_ns, links;
	uint32_t locks;     /* FS_IMMUTABLE_FL, FS_APPEND_FL as the kernel spells them */
	char *target;       /* symlink; raw bytes, owned */
	/* Regular files; "" otherwise, for one larger than DL_HOST_HASH_MAX (agent/platform/host.h)
	 * and for one that grew while it was read: nobody approved such content. */
	char sha256[DL_SHA256_TEXT_SIZE];
	struct dl_xattr *xattrs; /* owned; POSIX ACLs are xattrs too */
	size_t xattr_count;
};
void dl_facts_clear(struct dl_facts *facts);
#define dl_autofacts __attribute__((cleanup(dl_facts_clear))) struct dl_facts

struct dl_held; /* one object, held open */

/* Opens what the name stands for, never following it. A regular file, a
 * symlink itself or a folder; anything else is DL_E_INVALID and is not opened
 * for reading. A file is hashed. DL_E_NOT_FOUND: nothing is there. DL_E_LIMIT:
 * more or larger extended attributes than above. DL_E_TIMEOUT: a process has
 * a lease on the file and keeps it. */
int dl_held_open(const struct dl_folder *folder, const char *name, struct dl_held **ret_held,
		 struct dl_error *err);
void dl_held_free(struct dl_held *held);
DL_DEFINE_AUTO(dl_held, dl_held_free)

/* As read at open or by the last dl_held_refresh. Borrowed. */
const struct dl_facts *dl_held_facts(const struct dl_held *held);
int dl_held_refresh(struct dl_held *held, struct dl_error *err);
void dl_held_identity(const struct dl_held *held, uint64_t *ret_device, uint64_t *ret_inode);
/* Whether the name stands for exactly this object now. */
bool dl_held_is_at(const struct dl_held *held, const struct dl_folder *folder, const char *name);
/* Whether no name on the file system leads to it any more. */
bool dl_held_is_unlinked(const struct dl_held *held);
/* Content of a regular file of at most `limit` bytes; owned by the caller, NUL after it. */
int dl_held_read(const struct dl_held *held, size_t limit, char **ret_data, size_t *ret_size,
		 struct dl_error *err);
/* Sets exactly these of FS_IMMUTABLE_FL and FS_APPEND_FL. */
int dl_held_set_locks(const struct dl_held *held, uint32_t locks, struct dl_error *err);
/* Data and metadata of a regular file to the disk. */
int dl_held_sync(const struct dl_held *held, struct dl_error *err);
/* As much of that as the next dl_folder_sync on the same file system does not
 * do: many files then share one sync. */
int dl_held_write_out(const struct dl_held *held, struct dl_error *err);
/* True when somebody has the file open for writing (a read lease is refused). */
bool dl_held_has_writer(const struct dl_held *held);

/* A second object with the same content and every fact but the locks, under a
 * new name, complete from the moment the name exists (O_TMPFILE, linkat).
 * Synced. DL_E_NO_SPACE, DL_E_EXISTS. */
int dl_held_copy(const struct dl_held *held, const struct dl_folder *folder, const char *name,
		 const char *draft, struct dl_error *err);
/* The same for given content: mode, owner and xattrs are the facts', the time is now. */
int dl_file_make(const struct dl_folder *folder, const char *name, const void *data, size_t size,
		 const struct dl_facts *like, struct dl_error *err);
/* An empty folder with the facts' mode, owner, xattrs and time. */
int dl_folder_make_like(const struct dl_folder *parent, const char *name, const char *draft,
			const struct dl_facts *like, struct dl_error *err);
/* Links and folders are made in a private folder `draft` beside their name,
 * which nobody can guess; removes what a crash left of it. Fails when what lies
 * in it would stay; the folder itself may, empty. */
int dl_draft_clear(const struct dl_folder *folder, const char *draft, struct dl_error *err);

/* ---- who else has it ---- */

/* A process that runs, maps or holds the object, from /proc by device and inode. */
struct dl_holder {
	int64_t pid;
	char *executable; /* raw bytes, owned */
	char *user;       /* name, or the number */
	bool runs;        /* the object is its program or mapped; else an open file */
};
struct dl_holders {
	struct dl_holder items[DL_HOLDERS_MAX];
	size_t count;
	bool more;
};
void dl_holders_clear(struct dl_holders *holders);
/* Who holds each of the `count` objects, at most DL_HOLDERS_OBJECTS_MAX:
 * `ret_holders` has room for as many and is cleared by the caller. /proc is
 * walked once for all of them, and not at all when the kernel vouches that
 * nobody has any of them open. */
enum { DL_HOLDERS_OBJECTS_MAX = 128 };
int dl_holders_find(struct dl_held *const *held, size_t count, struct dl_holders *ret_holders,
		    struct dl_error *err);

/* Other names of the object in this folder (hard links): only where one
 * looks cheaply. An array of raw names, owned, NULL-terminated. */
char **dl_held_siblings(const struct dl_held *held, const struct dl_folder *folder,
			const char *but);

#endif
