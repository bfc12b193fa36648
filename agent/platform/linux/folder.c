/* Folders of agent/platform/change.h on Linux. */
#include "agent/platform/linux/folder.h"

#include "agent/platform/linux/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

enum { MOUNT_DEPTH_MAX = 4096 };

/* Takes the handle. */
static struct dl_folder *folder_adopt(int handle)
{
	struct dl_folder *folder = DL_NEW(struct dl_folder);

	folder->handle = handle;
	return folder;
}

static int folder_openat2(int parent, const char *path, struct dl_folder **ret_folder,
			  struct dl_error *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int handle = (int)syscall(SYS_openat2, parent, path, &how, sizeof(how));

	if (handle < 0 && errno == EPERM) {
		/* O_NOATIME asks for ownership, which root in a user namespace may lack. */
		how.flags &= ~(uint64_t)O_NOATIME;
		handle = (int)syscall(SYS_openat2, parent, path, &how, sizeof(how));
	}
	if (handle < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EXDEV))
		return dl_error_set(err, DL_E_INVALID,
				    "folder '%s': a part of it is a link or no folder", path);
	if (handle < 0)
		return dl_error_errno(err, errno, "folder '%s'", path);
	*ret_folder = folder_adopt(handle);
	return 0;
}

int dl_folder_open(const char *path, struct dl_folder **ret_folder, struct dl_error *err)
{
	dl_autofd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *inside = path + strspn(path, "/");
	int r;

	if (path[0] != '/')
		return dl_error_set(err, DL_E_INVALID, "path '%s' is not absolute", path);
	if (root < 0)
		return dl_error_errno(err, errno, "opening /");
	r = dl_mounts_check(path, err);
	if (r < 0)
		return r;
	return folder_openat2(root, *inside ? inside : ".", ret_folder, err);
}

/* A leaf is one name: never a path, never a way up. */
static bool folder_name_ok(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int folder_check_name(const char *name, struct dl_error *err)
{
	return folder_name_ok(name) ? 0 : dl_error_set(err, DL_E_INVALID, "'%s' is no name", name);
}

int dl_folder_open_in(const struct dl_folder *parent, const char *name,
		      struct dl_folder **ret_folder, struct dl_error *err)
{
	int r = folder_check_name(name, err);

	return r < 0 ? r : folder_openat2(parent->handle, name, ret_folder, err);
}

static int folder_mount_id(int handle, uint64_t *ret_mount, uint64_t *ret_inode,
			   struct dl_error *err)
{
	struct statx facts = { 0 };

	if (statx(handle, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &facts) < 0)
		return dl_error_errno(err, errno, "statx");
	if (!(facts.stx_mask & STATX_MNT_ID))
		return dl_error_set(err, DL_E_UNSUPPORTED,
				    "this kernel does not tell mounts apart");
	*ret_mount = facts.stx_mnt_id;
	*ret_inode = facts.stx_ino;
	return 0;
}

/* Climbs while the mount stays the same; only ".." of a held handle is followed. */
int dl_folder_open_mount(const struct dl_folder *folder, struct dl_folder **ret_folder,
			 struct dl_error *err)
{
	dl_autofd here = openat(folder->handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t mount = 0, inode = 0;
	int r;

	if (here < 0)
		return dl_error_errno(err, errno, "opening a folder again");
	r = folder_mount_id(here, &mount, &inode, err);
	for (int depth = 0; r == 0 && depth < MOUNT_DEPTH_MAX; depth++) {
		int up = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		uint64_t up_mount = 0, up_inode = 0;

		if (up < 0)
			return dl_error_errno(err, errno, "climbing to the mount's root");
		r = folder_mount_id(up, &up_mount, &up_inode, err);
		if (r < 0 || up_mount != mount || up_inode == inode) {
			close(up);
			break;
		}
		close(here);
		here = up;
		inode = up_inode;
	}
	if (r < 0)
		return r;
	*ret_folder = folder_adopt(DL_TAKE_FD(here));
	return 0;
}

void dl_folder_free(struct dl_folder *folder)
{
	if (!folder)
		return;
	close(folder->handle);
	free(folder);
}

int dl_folder_duplicate(int handle, struct dl_folder **ret_folder, struct dl_error *err)
{
	int own = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own < 0)
		return dl_error_errno(err, errno, "opening a folder again");
	*ret_folder = folder_adopt(own);
	return 0;
}

/* Ours alone: made by this user, and nobody else may look in or write. The group that a
 * set-group-id parent hands down gets nothing by it. */
static int folder_check_private(int handle, const char *name, struct dl_error *err)
{
	struct stat facts;

	if (fstat(handle, &facts) < 0)
		return dl_error_errno(err, errno, "folder '%s'", name);
	if (facts.st_uid != geteuid() || (facts.st_mode & 07777 & ~S_ISGID) != 0700)
		return dl_error_set(err, DL_E_DENIED,
				    "folder '%s' must belong to this user with mode 0700", name);
	return 0;
}

int dl_folder_make_private(const struct dl_folder *parent, const char *name,
			   struct dl_folder **ret_folder, struct dl_error *err)
{
	dl_auto(dl_folder) folder = NULL;
	int r = folder_check_name(name, err);

	if (r < 0)
		return r;
	if (mkdirat(parent->handle, name, 0700) < 0 && errno != EEXIST)
		return dl_error_errno(err, errno, "making folder '%s'", name);
	r = dl_folder_open_in(parent, name, &folder, err);
	if (r == 0)
		r = folder_check_private(folder->handle, name, err);
	if (r == 0)
		r = dl_folder_sync(parent, err);
	if (r < 0)
		return r;
	*ret_folder = DL_TAKE(folder);
	return 0;
}

int dl_state_folder_open(const char *path, int *ret_handle, struct dl_error *err)
{
	dl_autofd handle = -1;
	int r;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return dl_error_errno(err, errno, "making state folder '%s'", path);
	handle = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0)
		return dl_error_errno(err, errno, "state folder '%s'", path);
	r = folder_check_private(handle, path, err);
	if (r < 0)
		return r;
	*ret_handle = DL_TAKE_FD(handle);
	return 0;
}

bool dl_folder_is(const struct dl_folder *folder, const struct dl_folder *other)
{
	struct stat one, two;

	return fstat(folder->handle, &one) == 0 && fstat(other->handle, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

int dl_folder_sync(const struct dl_folder *folder, struct dl_error *err)
{
	return fsync(folder->handle) < 0 ? dl_error_errno(err, errno, "syncing a folder") : 0;
}

int dl_folder_mtime(const struct dl_folder *folder, int64_t *ret_ns, struct dl_error *err)
{
	struct stat facts;

	if (fstat(folder->handle, &facts) < 0)
		return dl_error_errno(err, errno, "time of a folder");
	*ret_ns = dl_nanoseconds(&facts.st_mtim);
	return 0;
}

int dl_folder_room(const struct dl_folder *folder, int64_t *ret_bytes, struct dl_error *err)
{
	struct statvfs facts;

	if (fstatvfs(folder->handle, &facts) < 0)
		return dl_error_errno(err, errno, "asking for free space");
	*ret_bytes = (int64_t)(facts.f_bavail * facts.f_frsize);
	return 0;
}

static void folder_closedir(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}

bool dl_folder_is_empty(const struct dl_folder *folder)
{
	dl_autofd handle = openat(folder->handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(folder_closedir))) DIR *stream = handle < 0 ? NULL :
								fdopendir(handle);
	const struct dirent *entry;

	if (!stream)
		return false;
	handle = -1;
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
	return true;
}

int dl_folder_has(const struct dl_folder *folder, const char *name, bool *ret_has,
		  struct dl_error *err)
{
	struct stat facts;

	if (fstatat(folder->handle, name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
		*ret_has = true;
	else if (errno == ENOENT)
		*ret_has = false;
	else
		return dl_error_errno(err, errno, "looking for '%s'", name);
	return 0;
}

int dl_locks_get(int handle, uint32_t *ret_locks, struct dl_error *err)
{
	int flags = 0;

	*ret_locks = 0;
	if (ioctl(handle, FS_IOC_GETFLAGS, &flags) < 0) {
		if (errno == ENOTTY || errno == EOPNOTSUPP || errno == EINVAL || errno == EBADF)
			return 0;
		return dl_error_errno(err, errno, "reading file flags");
	}
	*ret_locks = (uint32_t)flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
	return 0;
}

int dl_locks_set(int handle, uint32_t locks, struct dl_error *err)
{
	int flags = 0;

	if (ioctl(handle, FS_IOC_GETFLAGS, &flags) < 0)
		return locks ? dl_error_errno(err, errno, "reading file flags") : 0;
	if (((uint32_t)flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) == locks)
		return 0;
	flags = (int)(((uint32_t)flags & ~(uint32_t)(FS_IMMUTABLE_FL | FS_APPEND_FL)) | locks);
	return ioctl(handle, FS_IOC_SETFLAGS, &flags) < 0 ?
		       dl_error_errno(err, errno, "setting file flags") :
		       0;
}

int dl_folder_locks(const struct dl_folder *folder, uint32_t *ret_locks, struct dl_error *err)
{
	return dl_locks_get(folder->handle, ret_locks, err);
}

int dl_folder_set_locks(const struct dl_folder *folder, uint32_t locks, struct dl_error *err)
{
	return dl_locks_set(folder->handle, locks, err);
}

static int folder_rename(const struct dl_folder *from, const char *name, const struct dl_folder *to,
			 const char *to_name, unsigned int how, struct dl_error *err)
{
	int r = folder_check_name(name, err);

	if (r == 0)
		r = folder_check_name(to_name, err);
	if (r < 0)
		return r;
	if (renameat2(from->handle, name, to->handle, to_name, how) < 0)
		return dl_error_errno(err, errno, "renaming '%s'", name);
	return 0;
}

int dl_folder_move(const struct dl_folder *from, const char *name, const struct dl_folder *to,
		   const char *to_name, struct dl_error *err)
{
	return folder_rename(from, name, to, to_name, RENAME_NOREPLACE, err);
}

int dl_folder_exchange(const struct dl_folder *one, const char *name, const struct dl_folder *other,
		       const char *other_name, struct dl_error *err)
{
	return folder_rename(one, name, other, other_name, RENAME_EXCHANGE, err);
}

int dl_folder_unlink(const struct dl_folder *folder, const char *name, enum dl_object_type type,
		     struct dl_error *err)
{
	int flags = type == DL_TYPE_FOLDER ? AT_REMOVEDIR : 0;
	int r = folder_check_name(name, err);

	if (r < 0)
		return r;
	return unlinkat(folder->handle, name, flags) < 0 ?
		       dl_error_errno(err, errno, "removing '%s'", name) :
		       0;
}
