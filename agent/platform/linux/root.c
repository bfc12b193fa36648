#include "agent/platform/linux/root.h"

#include "agent/platform/host_driver.h"
#include "core/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { READ_CHUNK = 64 * 1024, RACE_RETRIES = 16, LEASE_PAUSE_MS = 20 };

/* BENEATH makes the kernel answer EAGAIN when somebody renames on the way. */
static int open_beneath(int root, const char *path, int flags)
{
	const char *relative = path + strspn(path, "/");
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	for (int i = 0; i < RACE_RETRIES; i++) {
		int fd = (int)syscall(SYS_openat2, root, *relative ? relative : ".", &how,
				      sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
	}
	return -1;
}

int dl_root_open(int root, const char *path, int flags, int *ret_fd, struct dl_error *err)
{
	int fd = open_beneath(root, path, flags);
	if (fd < 0 && errno == ELOOP)
		return dl_error_set(err, DL_E_INVALID, "a symlink is in the way");
	if (fd < 0 && errno == ENOTDIR)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such folder");
	if (fd < 0)
		return dl_error_errno(err, errno, "opening it");
	*ret_fd = fd;
	return 0;
}

int dl_root_open_parent(int root, const char *path, int *ret_parent, const char **ret_leaf,
			struct dl_error *err)
{
	const char *leaf = strrchr(path, '/') + 1;
	dl_autofree char *folder = dl_strndup(path, (size_t)(leaf - path));
	int r = dl_root_open(root, folder, O_PATH | O_DIRECTORY, ret_parent, err);
	if (r == 0)
		*ret_leaf = *leaf ? leaf : ".";
	return r;
}

int64_t dl_nanoseconds(const struct timespec *time)
{
	int64_t ns;
	if (__builtin_mul_overflow((int64_t)time->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, time->tv_nsec, &ns))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static enum dl_object_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return DL_TYPE_FILE;
	case S_IFLNK:
		return DL_TYPE_SYMLINK;
	case S_IFDIR:
		return DL_TYPE_FOLDER;
	default:
		return DL_TYPE_OTHER;
	}
}

static void facts_of_stat(const struct stat *st, struct dl_host_facts *facts)
{
	*facts = (struct dl_host_facts){
		.type = type_of(st->st_mode), .size = st->st_size, .uid = st->st_uid,
		.gid = st->st_gid, .mode = st->st_mode & 07777,
		.mtime_ns = dl_nanoseconds(&st->st_mtim), .links = (int64_t)st->st_nlink,
		.device = st->st_dev, .inode = st->st_ino,
	};
}

static int reopen(const char *path, int flags)
{
	int fd = open(path, flags | O_NOATIME);
	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

/* The first open tells the lease's holder to let go, so that asking again and again is enough;
 * an open that waits by itself would do so for as long as the administrator's limit. */
int dl_root_reopen(int handle, int flags, int64_t *wait_ms, int *ret_fd, struct dl_error *err)
{
	static const struct timespec pause = { .tv_nsec = LEASE_PAUSE_MS * 1000 * 1000 };
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	flags |= O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = reopen(path, flags);
	for (; fd < 0 && errno == EWOULDBLOCK && *wait_ms > 0; *wait_ms -= LEASE_PAUSE_MS) {
		nanosleep(&pause, NULL);
		fd = reopen(path, flags);
	}
	if (fd < 0 && errno == EWOULDBLOCK)
		return dl_error_set(err, DL_E_TIMEOUT,
				    "a process holds a lease on it and does not let go");
	if (fd < 0)
		return dl_error_errno(err, errno, "opening it");
	*ret_fd = fd;
	return 0;
}

int dl_root_open_file(int parent, const char *leaf, int64_t *wait_ms, int *ret_fd,
		      struct dl_host_facts *ret_facts, struct dl_error *err)
{
	dl_autofd handle = openat(parent, leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (handle < 0 || fstat(handle, &st) < 0)
		return dl_error_errno(err, errno, "opening it");
	if (!S_ISREG(st.st_mode))
		return dl_error_set(err, DL_E_INVALID, "not a regular file");
	facts_of_stat(&st, ret_facts);
	return dl_root_reopen(handle, 0, wait_ms, ret_fd, err);
}

/* ---- hashing ---- */

static void md5_release(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* A build of OpenSSL without MD5 leaves the text empty: nothing is then "as the package has it". */
static EVP_MD_CTX *md5_start(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context && EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return context;
}

static void md5_finish(EVP_MD_CTX *context, char out[33])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	out[0] = '\0';
	if (context && EVP_DigestFinal_ex(context, digest, &size) == 1 && size == 16)
		dl_hex_encode(digest, size, out);
}

void dl_host_md5(const void *data, size_t size, char out[33])
{
	__attribute__((cleanup(md5_release))) EVP_MD_CTX *md5 = md5_start();
	if (md5)
		EVP_DigestUpdate(md5, data, size);
	md5_finish(md5, out);
}

/* A file that grows while it is read, or cannot be read, has no hash. */
static void hash_file(int fd, struct dl_host_facts *facts)
{
	dl_auto(dl_sha256) sha256 = dl_sha256_new();
	__attribute__((cleanup(md5_release))) EVP_MD_CTX *md5 = md5_start();
	dl_autofree char *chunk = dl_alloc(READ_CHUNK, 1);
	int64_t total = 0;
	for (;;) {
		ssize_t n = read(fd, chunk, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			break;
		total += n;
		if (n < 0 || total > facts->size)
			return;
		dl_sha256_add(sha256, chunk, (size_t)n);
		if (md5)
			EVP_DigestUpdate(md5, chunk, (size_t)n);
	}
	uint8_t digest[DL_SHA256_SIZE];
	dl_sha256_finish(sha256, digest);
	dl_hex_encode(digest, sizeof(digest), facts->sha256);
	md5_finish(md5, facts->md5);
	facts->hashed = true;
}

/* A file that cannot be opened has its bare facts. */
static void examine_file(int handle, bool hash, int64_t *wait_ms, struct dl_host_facts *facts)
{
	dl_autofd fd = -1;
	int64_t no_wait = 0;
	if (dl_root_reopen(handle, 0, hash ? wait_ms : &no_wait, &fd, NULL) < 0)
		return;
	int flags = 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0)
		facts->immutable = flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
	if (hash && facts->size <= DL_HOST_HASH_MAX)
		hash_file(fd, facts);
}

static int examine_symlink(int handle, struct dl_host_facts *facts, struct dl_error *err)
{
	ssize_t n = readlinkat(handle, "", facts->target, sizeof(facts->target) - 1);
	if (n < 0)
		return dl_error_errno(err, errno, "reading the link");
	facts->target[n] = '\0';
	return 0;
}

int dl_root_look(int parent, const char *leaf, bool hash, int64_t *wait_ms,
		 struct dl_host_facts *ret_facts, struct dl_error *err)
{
	*ret_facts = (struct dl_host_facts){ .type = DL_TYPE_MISSING };
	dl_autofd handle = openat(parent, leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0 && (errno == ENOENT || errno == ENAMETOOLONG))
		return 0;
	struct stat st;
	if (handle < 0 || fstat(handle, &st) < 0)
		return dl_error_errno(err, errno, "looking at it");
	facts_of_stat(&st, ret_facts);
	if (ret_facts->type == DL_TYPE_FILE)
		examine_file(handle, hash, wait_ms, ret_facts);
	if (ret_facts->type == DL_TYPE_SYMLINK)
		return examine_symlink(handle, ret_facts, err);
	return 0;
}
