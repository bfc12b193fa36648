/* Root: a Linux host's files, reached through the handle of its root folder.
 */
#ifndef DL_AGENT_PLATFORM_LINUX_ROOT_H
#define DL_AGENT_PLATFORM_LINUX_ROOT_H

#include "agent/platform/host.h"

#include <unistd.h>

static inline void dl_fd_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define dl_autofd __attribute__((cleanup(dl_fd_release))) int

/* Opens `path` under `root` with no symlink in any part (the leaf included).
 * *ret_fd is owned. A symlink is DL_E_INVALID;
 * a part that is no folder is DL_E_NOT_FOUND. */
int dl_root_open(int root, const char *path, int flags, int *ret_fd, struct dl_error *err);

/* The folder of `path` as O_PATH | O_DIRECTORY, and the leaf's name borrowed from `path`. */
int dl_root_open_parent(int root, const char *path, int *ret_parent, const char **ret_leaf,
			struct dl_error *err);

/* Opens a regular file for reading, without waiting and without touching its access time, and
 * says what it is. DL_E_INVALID: it is something else. */
int dl_root_open_file(int parent, const char *leaf, int *ret_fd, struct dl_host_facts *ret_facts,
		      struct dl_error *err);

/* The facts of the leaf, seen through its parent's handle; hashed from the one descriptor that
 * was examined. A missing leaf is DL_TYPE_MISSING. */
int dl_root_look(int parent, const char *leaf, bool hash, struct dl_host_facts *ret_facts,
		 struct dl_error *err);

#endif
