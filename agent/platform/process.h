/* Process: children with fewer rights, and being told to stop. */
#ifndef DL_AGENT_PLATFORM_PROCESS_H
#define DL_AGENT_PLATFORM_PROCESS_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Closes a descriptor of the caller's at the scope's end; -1 is none. */
void dl_handle_close(int *handle);
#define dl_autohandle __attribute__((cleanup(dl_handle_close))) int

struct dl_account {
	int64_t uid, gid;
};

bool dl_process_is_root(void);

/* For good: no groups, the account's ids, no new privileges, no core dumps. */
int dl_process_become(const struct dl_account *account, struct dl_error *err);

/* A child process that runs `body` and ends with what it returns; it gets
 * SIGTERM when its parent dies. It has a copy of the parent's memory, so it is
 * started before there is a secret in it; of descriptors it has the standard
 * ones and its end of a channel to the parent. */
struct dl_child;
typedef int (*dl_child_body)(void *context, int channel);
int dl_child_start(const struct dl_account *account, dl_child_body body, void *context,
		   struct dl_child **ret, struct dl_error *err);

/* All that the child will be told: it then reads an end. A few KiB at most; more could wait for
 * a child that does not read. */
int dl_child_tell(struct dl_child *child, const void *data, size_t size, struct dl_error *err);

/* Everything the child writes, up to `limit` bytes, until it closes its end.
 * DL_E_LIMIT, DL_E_TIMEOUT. */
int dl_child_read(struct dl_child *child, size_t limit, int64_t timeout_ms, char **ret_text,
		  size_t *ret_size, struct dl_error *err);

/* Readable when the child ended. */
int dl_child_descriptor(const struct dl_child *child);

/* Waits for the end; *ret_status is the exit status, or 128 + the signal. */
int dl_child_wait(struct dl_child *child, int *ret_status, struct dl_error *err);

void dl_child_stop(struct dl_child *child); /* asks with SIGTERM */

/* Stops (SIGKILL) and waits if it has not been waited for. */
void dl_child_free(struct dl_child *child);
DL_DEFINE_AUTO(dl_child, dl_child_free)

/* The child's side of dl_child_tell and dl_child_read. */
int dl_parent_read(int channel, size_t limit, int64_t timeout_ms, char **ret_text,
		   size_t *ret_size, struct dl_error *err);
int dl_parent_write(int channel, const void *data, size_t size, struct dl_error *err);

/* From now on SIGTERM and SIGINT make *ret_descriptor readable instead of
 * ending the process. The descriptor lasts as long as the process. */
int dl_stop_watch(int *ret_descriptor, struct dl_error *err);

#endif
