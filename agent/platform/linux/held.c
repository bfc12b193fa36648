/* Objects held open, of agent/platform/change.h on Linux. */
#include "agent/platform/linux/folder.h"
#include "core/base/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

enum { HELD_CHUNK = 64 * 1024, HELD_NAMES_MAX = 64 * 1024 };

void dl_handle_path(int handle, char out[DL_HANDLE_PATH_SIZE])
{
	snprintf(out, DL_HANDLE_PATH_SIZE, "/proc/self/fd/%d", handle);
}

static void facts_clear_xattrs(struct dl_facts *facts)
{
	for (size_t i = 0; i < facts->xattr_count; i++) {
		free(facts->xattrs[i].name);
		free(facts->xattrs[i].value);
	}
	free(facts->xattrs);
	facts->xattrs = NULL;
	facts->xattr_count = 0;
}

void dl_facts_clear(struct dl_facts *facts)
{
	facts_clear_xattrs(facts);
	free(facts->target);
	*facts = (struct dl_facts){ 0 };
}

static enum dl_object_type held_type(mode_t mode)
{
	if (S_ISREG(mode))
		return DL_TYPE_FILE;
	if (S_ISLNK(mode))
		return DL_TYPE_SYMLINK;
	return S_ISDIR(mode) ? DL_TYPE_FOLDER : DL_TYPE_OTHER;
}

static int held_read_xattr(const char *path, const char *name, size_t *room,
			   struct dl_facts *facts, struct dl_error *err)
{
	dl_autofree char *value = dl_alloc(1, DL_FACTS_XATTR_BYTES_MAX);
	ssize_t size = getxattr(path, name, value, DL_FACTS_XATTR_BYTES_MAX);
	struct dl_xattr *xattr;

	if (size < 0 && errno == ENODATA)
		return 0;
	if (size < 0)
		return dl_error_errno(err, errno, "reading attribute '%s'", name);
	if (facts->xattr_count == DL_FACTS_XATTRS_MAX || (size_t)size > *room)
		return dl_error_set(err, DL_E_LIMIT,
				    "more than %d extended attributes, or than %d bytes in them",
				    DL_FACTS_XATTRS_MAX, DL_FACTS_XATTRS_BYTES_MAX);
	*room -= (size_t)size;
	facts->xattrs = dl_realloc(facts->xattrs, facts->xattr_count + 1, sizeof(*facts->xattrs));
	xattr = &facts->xattrs[facts->xattr_count++];
	*xattr = (struct dl_xattr){ dl_strdup(name), dl_memdup(value, (size_t)size), (size_t)size };
	return 0;
}

/* Through the handle's name in /proc: for an O_PATH handle on a symlink the
 * kernel stops at the symlink itself. */
static int held_read_xattrs(int handle, struct dl_facts *facts, struct dl_error *err)
{
	dl_autofree char *names = NULL;
	char path[DL_HANDLE_PATH_SIZE];
	size_t room = DL_FACTS_XATTRS_BYTES_MAX;
	ssize_t size;
	int r = 0;

	facts_clear_xattrs(facts);
	size = flistxattr(handle, NULL, 0);
	if (size == 0)
		return 0;
	dl_handle_path(handle, path);
	names = dl_alloc(1, HELD_NAMES_MAX);
	size = listxattr(path, names, HELD_NAMES_MAX);
	if (size < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		return 0;
	if (size < 0 && errno == E2BIG)
		return dl_error_set(err, DL_E_LIMIT, "more extended attributes than can be listed");
	if (size < 0)
		return dl_error_errno(err, errno, "listing extended attributes");
	for (ssize_t at = 0; r == 0 && at < size; at += (ssize_t)strlen(names + at) + 1)
		r = held_read_xattr(path, names + at, &room, facts, err);
	return r;
}

/* Reads no more than the size that the file had at first, and not even that of a huge one: a
 * sparse file costs its owner nothing, and one that grows has no end. One byte more is asked for, so
 * that growth shows and a small file takes one call. */
static int held_hash(int handle, int64_t limit, char out[DL_SHA256_TEXT_SIZE],
		     struct dl_error *err)
{
	size_t room = limit < HELD_CHUNK ? (size_t)limit + 1 : HELD_CHUNK;
	dl_auto(dl_sha256) hash = dl_sha256_new();
	dl_autofree char *chunk = dl_alloc(1, room);
	uint8_t digest[DL_SHA256_SIZE];
	off_t at = 0;
	ssize_t got;

	out[0] = '\0';
	if (limit > DL_HOST_HASH_MAX)
		return 0;
	do {
		got = pread(handle, chunk, room, at);
		if (got < 0)
			return dl_error_errno(err, errno, "reading a file");
		if (at + got > limit)
			return 0;
		dl_sha256_add(hash, chunk, (size_t)got);
		at += got;
	} while (got > 0 && (at < limit || (size_t)got == room));
	dl_sha256_finish(hash, digest);
	dl_hex_encode(digest, sizeof(digest), out);
	return 0;
}

static int held_read_target(int handle, struct dl_facts *facts, struct dl_error *err)
{
	char target[DL_FACTS_TARGET_MAX];
	ssize_t size = readlinkat(handle, "", target, sizeof(target));

	if (size < 0)
		return dl_error_errno(err, errno, "reading a link");
	if ((size_t)size == sizeof(target))
		return dl_error_set(err, DL_E_LIMIT, "a link's target is too long");
	free(facts->target);
	facts->target = dl_strndup(target, (size_t)size);
	return 0;
}

int dl_held_refresh(struct dl_held *held, struct dl_error *err)
{
	struct dl_facts *facts = &held->facts;
	int r = 0;

	if (fstat(held->handle, &held->stat) < 0)
		return dl_error_errno(err, errno, "reading an object's facts");
	facts->type = held_type(held->stat.st_mode);
	facts->mode = held->stat.st_mode & 07777;
	facts->uid = held->stat.st_uid;
	facts->gid = held->stat.st_gid;
	facts->size = held->stat.st_size;
	facts->mtime_ns = dl_nanoseconds(&held->stat.st_mtim);
	facts->links = (int64_t)held->stat.st_nlink;
	if (facts->type == DL_TYPE_SYMLINK)
		r = held_read_target(held->handle, facts, err);
	else
		r = dl_locks_get(held->handle, &facts->locks, err);
	if (r == 0)
		r = held_read_xattrs(held->handle, facts, err);
	if (r == 0 && facts->type == DL_TYPE_FILE)
		r = held_hash(held->handle, facts->size, facts->sha256, err);
	return r;
}

/* First a handle that opens nothing, so that no device or FIFO notices us;
 * then, for files and folders, one that reads. */
static int held_open_handle(const struct dl_folder *folder, const char *name, int *ret_handle,
			    struct dl_error *err)
{
	dl_autofd found = openat(folder->handle, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int64_t wait_ms = DL_LEASE_WAIT_MS;
	struct stat facts;

	if (found < 0)
		return dl_error_errno(err, errno, "opening '%s'", name);
	if (fstat(found, &facts) < 0)
		return dl_error_errno(err, errno, "looking at '%s'", name);
	switch (held_type(facts.st_mode)) {
	case DL_TYPE_FILE:
		return dl_root_reopen(found, 0, &wait_ms, ret_handle, err);
	case DL_TYPE_FOLDER:
		return dl_root_reopen(found, O_DIRECTORY, &wait_ms, ret_handle, err);
	case DL_TYPE_SYMLINK:
		*ret_handle = DL_TAKE_FD(found);
		return 0;
	default:
		return dl_error_set(err, DL_E_INVALID, "'%s' is no file, link or folder", name);
	}
}

int dl_held_open(const struct dl_folder *folder, const char *name, struct dl_held **ret_held,
		 struct dl_error *err)
{
	dl_auto(dl_held) held = DL_NEW(struct dl_held);
	int r;

	held->handle = -1;
	if (!*name || strchr(name, '/'))
		return dl_error_set(err, DL_E_INVALID, "'%s' is no name", name);
	r = held_open_handle(folder, name, &held->handle, err);
	if (r == 0)
		r = dl_held_refresh(held, err);
	if (r < 0)
		return r;
	*ret_held = DL_TAKE(held);
	return 0;
}

void dl_held_free(struct dl_held *held)
{
	if (!held)
		return;
	if (held->handle >= 0)
		close(held->handle);
	dl_facts_clear(&held->facts);
	free(held);
}

const struct dl_facts *dl_held_facts(const struct dl_held *held)
{
	return &held->facts;
}

void dl_held_identity(const struct dl_held *held, uint64_t *ret_device, uint64_t *ret_inode)
{
	*ret_device = held->stat.st_dev;
	*ret_inode = held->stat.st_ino;
}

bool dl_held_is_at(const struct dl_held *held, const struct dl_folder *folder, const char *name)
{
	struct stat now;

	return fstatat(folder->handle, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == held->stat.st_dev && now.st_ino == held->stat.st_ino;
}

bool dl_held_is_unlinked(const struct dl_held *held)
{
	struct stat now;

	return fstat(held->handle, &now) == 0 && now.st_nlink == 0;
}

int dl_held_read(const struct dl_held *held, size_t limit, char **ret_data, size_t *ret_size,
		 struct dl_error *err)
{
	dl_autofree char *data = dl_alloc(1, limit + 1);
	size_t size = 0;
	ssize_t got = 0;

	if (held->facts.type != DL_TYPE_FILE)
		return dl_error_set(err, DL_E_INVALID, "only a regular file has content");
	while (size < limit + 1 &&
	       (got = pread(held->handle, data + size, limit + 1 - size, (off_t)size)) > 0)
		size += (size_t)got;
	if (size > limit)
		return dl_error_set(err, DL_E_LIMIT, "the file is larger than %zu bytes", limit);
	if (got < 0)
		return dl_error_errno(err, errno, "reading a file");
	data[size] = '\0';
	*ret_size = size;
	*ret_data = DL_TAKE(data);
	return 0;
}

int dl_held_set_locks(const struct dl_held *held, uint32_t locks, struct dl_error *err)
{
	return dl_locks_set(held->handle, locks, err);
}

int dl_held_sync(const struct dl_held *held, struct dl_error *err)
{
	if (held->facts.type == DL_TYPE_SYMLINK)
		return 0;
	return fsync(held->handle) < 0 ? dl_error_errno(err, errno, "syncing a file") : 0;
}

/* ext4's journal is one for the whole file system: committing a folder commits
 * what was logged before for any file, its size and blocks too, after its data
 * was written (ext4(5), data=ordered). sync_file_range(2) starts and awaits
 * just the data, which is nothing for a file that nobody wrote lately. Other
 * file systems promise less, or commit one object alone. */
int dl_held_write_out(const struct dl_held *held, struct dl_error *err)
{
	const unsigned int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				 SYNC_FILE_RANGE_WAIT_AFTER;
	struct statfs facts;

	if (held->facts.type != DL_TYPE_FILE || fstatfs(held->handle, &facts) < 0 ||
	    facts.f_type != EXT4_SUPER_MAGIC)
		return dl_held_sync(held, err);
	return sync_file_range(held->handle, 0, 0, all) < 0 ?
		       dl_error_errno(err, errno, "writing a file out") :
		       0;
}

/* Whoever opens the file while we have the lease makes the kernel send a
 * signal, by default SIGIO, which would end us; SIGURG is ignored by default. */
int dl_lease_try(int handle, int kind)
{
	int failed = 0;

	if (fcntl(handle, F_SETSIG, SIGURG) < 0 || fcntl(handle, F_SETLEASE, kind) < 0)
		failed = errno;
	else
		fcntl(handle, F_SETLEASE, F_UNLCK);
	return failed;
}

/* A read lease is granted only while nobody has the file open for writing (fcntl(2)). */
bool dl_held_has_writer(const struct dl_held *held)
{
	return held->facts.type == DL_TYPE_FILE && dl_lease_try(held->handle, F_RDLCK) == EAGAIN;
}

static void held_close_stream(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}

char **dl_held_siblings(const struct dl_held *held, const struct dl_folder *folder, const char *but)
{
	int handle = openat(folder->handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(held_close_stream))) DIR *stream = handle < 0 ? NULL :
								 fdopendir(handle);
	char **names = dl_alloc(DL_SIBLINGS_MAX + 1, sizeof(*names));
	const struct dirent *entry;
	size_t count = 0;

	for (int seen = 0; seen < DL_SIBLING_NAMES_MAX && count < DL_SIBLINGS_MAX; seen++) {
		entry = stream ? readdir(stream) : NULL;
		if (!entry)
			break;
		if (entry->d_ino == held->stat.st_ino && strcmp(entry->d_name, but) != 0 &&
		    dl_held_is_at(held, folder, entry->d_name))
			names[count++] = dl_strdup(entry->d_name);
	}
	return names;
}
