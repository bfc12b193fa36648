/* Scratch host: a root folder of its own for the agent to work on, in a mount
 * and process namespace of its own, from which the machine's files cannot be
 * reached. It lives on a tmpfs and is made anew for every trial.
 *
 * Trouble of the harness itself (no root, no memory) ends the process with
 * words: a trial that could not be set up proves nothing.
 */
#ifndef DL_TESTS_CRASH_SCRATCH_H
#define DL_TESTS_CRASH_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#define SCRATCH_ROOT  "/host"                /* as the harness sees it, inside */
#define SCRATCH_STATE "/var/lib/dislodge"    /* as the scratch host sees it */
#define SCRATCH_STORE SCRATCH_STATE "/quarantine"

enum { SCRATCH_PATH_SIZE = 8192, SCRATCH_PATHS = 32 };

/* Runs `body` as the first process of new namespaces, with nothing but an empty
 * tmpfs, /dev and /proc below it. Returns the body's exit code. */
int scratch_enter(int (*body)(void *), void *context);

/* A fresh host on a tmpfs; `elsewhere` (or NULL) is a folder of it on a file system of its own. */
void scratch_raise(const char *elsewhere);
/* What every host has (users, a package database, bystanders), on a root that is mounted already. */
void scratch_furnish(void);
void scratch_raze(void);

/* SCRATCH_ROOT and `path`; valid for the next SCRATCH_PATHS calls. */
const char *scratch_path(const char *path);
void scratch_folder(const char *path, unsigned int mode);
void scratch_file(const char *path, const void *data, size_t size, unsigned int mode);
void scratch_text(const char *path, const char *text, unsigned int mode);
/* FS_IMMUTABLE_FL and its like, exactly. */
void scratch_set_flags(const char *path, int flags);
bool scratch_has(const char *path);

#endif
