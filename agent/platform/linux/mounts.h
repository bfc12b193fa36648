/* Mounts: whose answer one waits for, told without asking it. */
#ifndef DL_AGENT_PLATFORM_LINUX_MOUNTS_H
#define DL_AGENT_PLATFORM_LINUX_MOUNTS_H

#include "core/base/error.h"

/* DL_E_UNSUPPORTED when `path` (absolute, without symlinks) lies on a file
 * system that a process serves (fuse(4)), other than the root: the process
 * need not be honest, and every call to it can wait for ever. Read from
 * /proc/self/mountinfo (proc(5)), which asks no file system. One that is
 * mounted between this and the next call is not seen. */
int dl_mounts_check(const char *path, struct dl_error *err);

#endif
