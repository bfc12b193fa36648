/* New objects that are whole from the moment their name exists. */
#include "agent/platform/linux/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

enum { COPY_CHUNK = 64 * 1024 };
#define NS_PER_S INT64_C(1000000000)
#define COPY_DRAFT "draft"

/* Before 1970 the nanoseconds still count forward. */
static struct timespec copy_time(int64_t ns)
{
	struct timespec time = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	if (time.tv_nsec < 0) {
		time.tv_sec--;
		time.tv_nsec += NS_PER_S;
	}
	return time;
}

/* The default ACL of a folder dresses what is made in it (acl(5)). */
static void copy_drop_acls(const char *path)
{
	removexattr(path, "system.posix_acl_access");
	removexattr(path, "system.posix_acl_default");
}

/* Owner before mode (chown clears set-id bits), mode before xattrs (a POSIX
 * ACL decides the group bits), time last. The handle may be O_PATH. */
int dl_facts_put(int handle, const struct dl_facts *facts, const struct timespec *mtime,
		 struct dl_error *err)
{
	char path[DL_HANDLE_PATH_SIZE];

	dl_handle_path(handle, path);
	copy_drop_acls(path);
	if (fchownat(handle, "", (uid_t)facts->uid, (gid_t)facts->gid, AT_EMPTY_PATH) < 0)
		return dl_error_errno(err, errno, "setting the owner");
	if (facts->type != DL_TYPE_SYMLINK && chmod(path, (mode_t)facts->mode) < 0)
		return dl_error_errno(err, errno, "setting the mode");
	for (size_t i = 0; i < facts->xattr_count; i++) {
		const struct dl_xattr *xattr = &facts->xattrs[i];

		if (setxattr(path, xattr->name, xattr->value, xattr->size, 0) < 0)
			return dl_error_errno(err, errno, "setting attribute '%s'", xattr->name);
	}
	if (mtime && utimensat(AT_FDCWD, path, (struct timespec[]){ { .tv_nsec = UTIME_OMIT },
								    *mtime }, 0) < 0)
		return dl_error_errno(err, errno, "setting the time");
	return 0;
}

static int copy_write(int to, const char *data, size_t size, struct dl_error *err)
{
	while (size > 0) {
		ssize_t put = write(to, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return dl_error_errno(err, errno, "writing a copy");
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

static int copy_bytes(int from, int to, struct dl_error *err)
{
	dl_autofree char *chunk = dl_alloc(1, COPY_CHUNK);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(from, chunk, COPY_CHUNK, at)) > 0) {
		int r = copy_write(to, chunk, (size_t)got, err);

		if (r < 0)
			return r;
		at += got;
	}
	return got < 0 ? dl_error_errno(err, errno, "reading for a copy") : 0;
}

/* A file without a name: after a crash nothing of it is left. */
static int copy_open_nameless(const struct dl_folder *folder, int *ret_handle, struct dl_error *err)
{
	int handle = openat(folder->handle, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (handle < 0)
		return dl_error_errno(err, errno, "making a file without a name");
	*ret_handle = handle;
	return 0;
}

/* Gives it its name once everything is on the disk; an occupied name is EEXIST. */
static int copy_publish(int handle, const struct dl_folder *folder, const char *name,
			struct dl_error *err)
{
	char path[DL_HANDLE_PATH_SIZE];

	dl_handle_path(handle, path);
	if (fsync(handle) < 0)
		return dl_error_errno(err, errno, "syncing a copy");
	if (linkat(AT_FDCWD, path, folder->handle, name, AT_SYMLINK_FOLLOW) < 0)
		return dl_error_errno(err, errno, "naming a copy '%s'", name);
	return dl_folder_sync(folder, err);
}

static int copy_file(const struct dl_held *held, const struct dl_folder *folder, const char *name,
		     struct dl_error *err)
{
	dl_autofd handle = -1;
	int r = copy_open_nameless(folder, &handle, err);

	if (r == 0)
		r = copy_bytes(held->handle, handle, err);
	if (r == 0)
		r = dl_facts_put(handle, &held->facts, &held->stat.st_mtim, err);
	return r < 0 ? r : copy_publish(handle, folder, name, err);
}

static int copy_make_draft(const struct dl_folder *ours, const struct dl_facts *like,
			   const struct timespec *mtime, struct dl_error *err)
{
	dl_autofd handle = -1;
	int r = like->type == DL_TYPE_SYMLINK ? symlinkat(like->target, ours->handle, COPY_DRAFT) :
						mkdirat(ours->handle, COPY_DRAFT, 0700);

	if (r < 0)
		return dl_error_errno(err, errno, "making a draft");
	handle = openat(ours->handle, COPY_DRAFT, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0)
		return dl_error_errno(err, errno, "opening a draft");
	return dl_facts_put(handle, like, mtime, err);
}

/* Only a folder that nobody else can have made or written to. */
int dl_draft_clear(const struct dl_folder *folder, const char *draft, struct dl_error *err)
{
	dl_auto(dl_folder) ours = NULL;
	struct stat facts;
	bool there = false;
	int r;

	if (dl_folder_open_in(folder, draft, &ours, NULL) < 0 ||
	    fstat(ours->handle, &facts) < 0 || facts.st_uid != geteuid() ||
	    (facts.st_mode & 07777) != 0700)
		return 0;
	dl_folder_unlink(ours, COPY_DRAFT, DL_TYPE_FILE, NULL);
	dl_folder_unlink(ours, COPY_DRAFT, DL_TYPE_FOLDER, NULL);
	dl_folder_unlink(folder, draft, DL_TYPE_FOLDER, NULL);
	r = dl_folder_has(ours, COPY_DRAFT, &there, err);
	return r == 0 && there ? dl_error_set(err, DL_E_IO, "a draft cannot be removed") : r;
}

/* Links and folders cannot be made without a name. Where others may write,
 * they could put something else under it before owner and mode are set: so
 * the draft lies in a folder of our own and leaves it complete. */
static int copy_dressed(const struct dl_folder *folder, const char *name, const char *draft,
			const struct dl_facts *like, const struct timespec *mtime,
			struct dl_error *err)
{
	dl_auto(dl_folder) ours = NULL;
	int r = dl_draft_clear(folder, draft, err);

	if (r == 0)
		r = dl_folder_make_private(folder, draft, &ours, err);
	if (r == 0)
		r = copy_make_draft(ours, like, mtime, err);
	if (r == 0)
		r = dl_folder_move(ours, COPY_DRAFT, folder, name, err);
	dl_draft_clear(folder, draft, NULL);
	return r < 0 ? r : dl_folder_sync(folder, err);
}

int dl_held_copy(const struct dl_held *held, const struct dl_folder *folder, const char *name,
		 const char *draft, struct dl_error *err)
{
	if (held->facts.type == DL_TYPE_FILE)
		return copy_file(held, folder, name, err);
	return copy_dressed(folder, name, draft, &held->facts, &held->stat.st_mtim, err);
}

int dl_folder_make_like(const struct dl_folder *parent, const char *name, const char *draft,
			const struct dl_facts *like, struct dl_error *err)
{
	struct timespec mtime = copy_time(like->mtime_ns);

	return copy_dressed(parent, name, draft, like, &mtime, err);
}

int dl_file_make(const struct dl_folder *folder, const char *name, const void *data, size_t size,
		 const struct dl_facts *like, struct dl_error *err)
{
	dl_autofd handle = -1;
	int r = copy_open_nameless(folder, &handle, err);

	if (r == 0)
		r = copy_write(handle, data, size, err);
	if (r == 0)
		r = dl_facts_put(handle, like, NULL, err);
	return r < 0 ? r : copy_publish(handle, folder, name, err);
}
