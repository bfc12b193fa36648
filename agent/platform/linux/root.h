/* Root: a Linux host's files through one folder handle. Used by the bodies of
 * host.h and change.h in this folder.
 */
#ifndef DL_AGENT_PLATFORM_LINUX_ROOT_H
#define DL_AGENT_PLATFORM_LINUX_ROOT_H

#include "agent/platform/host.h"

#include <sys/stat.h>
#include <unistd.h>

static inline void dl_fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define dl_autofd __attribute__((cleanup(dl_fd_release))) int

/* The O_PATH handle of the root folder, borrowed; -1 if the host has another body. */
int dl_root_fd(struct dl_host *host);

/* Opens `path` under `root` with no symlink in any part (the leaf included).
 * *ret_fd is owned. ELOOP becomes DL_E_INVALID. */
int dl_root_open(int root, const char *path, int flags, int *ret_fd, struct dl_error *err);

/* The folder of `path` as O_PATH | O_DIRECTORY, and the leaf's name borrowed from `path`. */
int dl_root_open_parent(int root, const char *path, int *ret_parent, const char **ret_leaf,
			struct dl_error *err);

/* The facts of the leaf, seen through its parent's handle; hashed from the one descriptor that
 * was examined. A missing leaf is DL_TYPE_MISSING. */
int dl_root_look(int parent, const char *leaf, bool hash, struct dl_host_facts *ret_facts,
		 struct dl_error *err);

#endif
