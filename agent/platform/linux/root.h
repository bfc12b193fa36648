/* Root: a Linux host's files, reached through the handle of its root folder. */
#ifndef DL_AGENT_PLATFORM_LINUX_ROOT_H
#define DL_AGENT_PLATFORM_LINUX_ROOT_H

#include "agent/platform/host.h"

#include <time.h>
#include <unistd.h>

static inline void dl_fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define dl_autofd __attribute__((cleanup(dl_fd_release))) int

/* Nanoseconds since 1970; a time that no file of today has ends at the type's limits. */
int64_t dl_nanoseconds(const struct timespec *time);

/* Somebody who holds a lease on a file is given this long to let go of it. The kernel takes it
 * away after lease-break-time, which is 45 s unless an administrator changed it (fcntl(2)). */
enum { DL_LEASE_WAIT_MS = 60 * 1000 };

/* Opens for reading the very object behind an O_PATH handle: between a look and an open by name
 * it could become a FIFO or a device. Does not touch its access time, and never waits but for a
 * lease, at most *wait_ms, from which the wait is taken off. `flags` may add O_DIRECTORY.
 * DL_E_TIMEOUT: the lease is still held. */
int dl_root_reopen(int handle, int flags, int64_t *wait_ms, int *ret_fd, struct dl_error *err);

/* Opens `path` under `root` with no symlink in any part (the leaf included).
 * *ret_fd is owned. A symlink is DL_E_INVALID;
 * a part that is no folder is DL_E_NOT_FOUND. */
int dl_root_open(int root, const char *path, int flags, int *ret_fd, struct dl_error *err);

/* The folder of `path` as O_PATH | O_DIRECTORY, and the leaf's name borrowed from `path`. */
int dl_root_open_parent(int root, const char *path, int *ret_parent, const char **ret_leaf,
			struct dl_error *err);

/* Opens a regular file as dl_root_reopen does, and says what it is. DL_E_INVALID: it is something
 * else. */
int dl_root_open_file(int parent, const char *leaf, int64_t *wait_ms, int *ret_fd,
		      struct dl_host_facts *ret_facts, struct dl_error *err);

/* The facts of the leaf, seen through its parent's handle; hashed from the one descriptor that
 * was examined, for which a lease is waited for. A missing leaf is DL_TYPE_MISSING. */
int dl_root_look(int parent, const char *leaf, bool hash, int64_t *wait_ms,
		 struct dl_host_facts *ret_facts, struct dl_error *err);

#endif
