/* Confine: takes away from a process, for good, what its work does not need.
 *
 * Two fences that the kernel keeps: Landlock (landlock(7)) for files, TCP ports
 * to listen on and signals; seccomp (seccomp(2)) for system calls. Both bind
 * the calling thread, its future threads and children, and cannot be lifted.
 */
#ifndef DL_AGENT_PLATFORM_CONFINE_H
#define DL_AGENT_PLATFORM_CONFINE_H

#include "core/base/error.h"

enum { DL_CONFINE_WORDS_MAX = 256 };

/* For a network client that has read everything it keeps: from now on it reads
 * what name resolution and TLS read (below /etc, the libraries, the resolver's
 * run-time files), writes and executes nothing, listens on no TCP port and makes
 * no system call that is not on the list in the body; such a call fails with
 * EPERM. Call it before the first thread is started.
 *
 * An older kernel keeps what it can: `ret_missing` gets that in words, "" when
 * nothing is missing. Fails, with nothing promised, when the kernel knows
 * seccomp or Landlock and refuses them all the same. */
int dl_confine_to_network(char ret_missing[DL_CONFINE_WORDS_MAX], struct dl_error *err);

#endif
