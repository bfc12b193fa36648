/* Private file: a small secret on disk, for one account's eyes. */
#ifndef DL_AGENT_PLATFORM_PRIVATE_FILE_H
#define DL_AGENT_PLATFORM_PRIVATE_FILE_H

#include "agent/platform/process.h"

/* The folder exists afterwards, mode 0700, owned by the account; its parent
 * must exist. DL_E_DENIED: something else stands there. */
int dl_private_folder(const char *path, const struct dl_account *owner, struct dl_error *err);

/* Replaces the file as a whole (temporary name, fsync, rename), mode 0600. */
int dl_private_file_write(const char *folder, const char *name, const struct dl_account *owner,
			  const void *data, size_t size, struct dl_error *err);

/* The content of a regular file of at most `limit` bytes that nobody but its
 * owner and root may read or write; "-" is standard input, without that rule. */
int dl_private_file_read(const char *path, size_t limit, char **ret_data, size_t *ret_size,
			 struct dl_error *err);

#endif
