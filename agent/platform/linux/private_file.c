#include "agent/platform/private_file.h"

#include "agent/platform/linux/root.h"
#include "core/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRIVATE_READ_CHUNK = 4096 };

int dl_private_folder(const char *path, const struct dl_account *owner, struct dl_error *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return dl_error_errno(err, errno, "making the folder '%s'", path);
	dl_autofd folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return dl_error_errno(err, errno, "opening the folder '%s'", path);
	struct stat facts;
	if (fstat(folder, &facts) < 0)
		return dl_error_errno(err, errno, "looking at '%s'", path);
	if (facts.st_uid != 0 && facts.st_uid != (uid_t)owner->uid)
		return dl_error_set(err, DL_E_DENIED, "'%s' belongs to somebody else", path);
	if (fchown(folder, (uid_t)owner->uid, (gid_t)owner->gid) < 0 || fchmod(folder, 0700) < 0)
		return dl_error_errno(err, errno, "closing '%s' to others", path);
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int dl_private_file_write(const char *folder, const char *name, const struct dl_account *owner,
			  const void *data, size_t size, struct dl_error *err)
{
	dl_autofd at = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return dl_error_errno(err, errno, "opening the folder '%s'", folder);
	char fresh[NAME_MAX + 1];
	if (snprintf(fresh, sizeof(fresh), ".%s.new", name) >= (int)sizeof(fresh))
		return dl_error_set(err, DL_E_LIMIT, "the name '%s' is too long", name);
	if (unlinkat(at, fresh, 0) < 0 && errno != ENOENT)
		return dl_error_errno(err, errno, "removing '%s/%s'", folder, fresh);
	dl_autofd file = openat(at, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return dl_error_errno(err, errno, "making '%s/%s'", folder, fresh);
	if (fchown(file, (uid_t)owner->uid, (gid_t)owner->gid) < 0 || fchmod(file, 0600) < 0 ||
	    write_all(file, data, size) < 0 || fsync(file) < 0 ||
	    renameat(at, fresh, at, name) < 0 || fsync(at) < 0) {
		int r = dl_error_errno(err, errno, "writing '%s/%s'", folder, name);
		unlinkat(at, fresh, 0);
		return r;
	}
	return 0;
}

static int open_private(const char *path, int *ret_fd, struct dl_error *err)
{
	dl_autofd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat facts;
	if (fd < 0 || fstat(fd, &facts) < 0)
		return dl_error_errno(err, errno, "opening '%s'", path);
	if (!S_ISREG(facts.st_mode))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a regular file", path);
	if (facts.st_mode & 077)
		return dl_error_set(err, DL_E_DENIED,
			"'%s' holds a secret but others may read or write it (mode %04o): "
			"chmod 0600 it", path, facts.st_mode & 07777u);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int dl_private_file_read(const char *path, size_t limit, char **ret_data, size_t *ret_size,
			 struct dl_error *err)
{
	dl_autofd opened = -1;
	int fd = STDIN_FILENO;
	if (strcmp(path, "-") != 0) {
		int r = open_private(path, &opened, err);
		if (r < 0)
			return r;
		fd = opened;
	}
	dl_autobuf text = DL_BUF_INIT;
	for (;;) {
		char chunk[PRIVATE_READ_CHUNK];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dl_error_errno(err, errno, "reading '%s'", path);
		if (n == 0)
			break;
		if (text.size + (size_t)n > limit)
			return dl_error_set(err, DL_E_LIMIT, "'%s' is larger than %zu bytes", path,
					    limit);
		dl_buf_append(&text, chunk, (size_t)n);
	}
	*ret_size = text.size;
	*ret_data = dl_buf_take(&text);
	return 0;
}
