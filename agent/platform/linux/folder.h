/* What the Linux bodies of agent/platform/change.h share. */
#ifndef DL_AGENT_PLATFORM_LINUX_FOLDER_H
#define DL_AGENT_PLATFORM_LINUX_FOLDER_H

#include "agent/platform/change.h"
#include "agent/platform/linux/root.h"

#include <sys/stat.h>
#include <unistd.h>

struct dl_folder {
	int handle; /* O_RDONLY | O_DIRECTORY, so that it can be synced and listed */
};

struct dl_held {
	int handle; /* O_PATH for symlinks, else O_RDONLY */
	struct stat stat;
	struct dl_facts facts;
};

/* Hands a descriptor on: its value is returned, the variable becomes -1. */
#define DL_TAKE_FD(handle)                                                                         \
	__extension__({                                                                            \
		int dl_taken_ = (handle);                                                          \
		(handle) = -1;                                                                     \
		dl_taken_;                                                                         \
	})

/* ioctl_iflags(2) of an open object; file systems without flags have none. */
int dl_locks_get(int handle, uint32_t *ret_locks, struct dl_error *err);
int dl_locks_set(int handle, uint32_t locks, struct dl_error *err);

/* Asks for a lease (F_RDLCK, F_WRLCK) and gives it back at once: 0 when it was
 * granted, else the errno, of which EAGAIN says that others have it open. */
int dl_lease_try(int handle, int kind);

/* Name of the object behind a handle in /proc, for calls that take only names. */
enum { DL_HANDLE_PATH_SIZE = 40 };
void dl_handle_path(int handle, char out[DL_HANDLE_PATH_SIZE]);

/* Owner, mode, exactly these xattrs and, unless NULL, the time onto an object just made, which
 * nobody else can have got at. */
int dl_facts_put(int handle, const struct dl_facts *facts, const struct timespec *mtime,
		 struct dl_error *err);

#endif
