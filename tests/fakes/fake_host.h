/* Fake host: a machine in memory behind the read face of agent/platform/host.h.
 *
 * Files are put by absolute path; their folders come with them. It refuses
 * what the real one refuses: a symlink in a parent, a read of what is no
 * regular file, more than the limit.
 */
#ifndef DL_TESTS_FAKES_FAKE_HOST_H
#define DL_TESTS_FAKES_FAKE_HOST_H

#include "agent/platform/host.h"

struct fake_host;

/* With /etc/passwd (root and alice), an empty package database and no systemd. */
struct fake_host *fake_host_new(void);

/* The host over it, which owns it from now on; more may be put until the host is freed. */
struct dl_host *fake_host_open(struct fake_host *fake);

/* A regular file, 0644 and root's; the facts are borrowed and may be changed. */
struct dl_host_facts *fake_file(struct fake_host *fake, const char *path, const char *content);
struct dl_host_facts *fake_bytes(struct fake_host *fake, const char *path, const void *content,
				 size_t size);
struct dl_host_facts *fake_link(struct fake_host *fake, const char *path, const char *target);
struct dl_host_facts *fake_fifo(struct fake_host *fake, const char *path);
void fake_remove(struct fake_host *fake, const char *path);

/* The package owns the file as it is now: list, checksum. `listed` is the path in the list, which
 * may be the unmerged spelling. */
void fake_owned(struct fake_host *fake, const char *package, const char *path, const char *listed);
/* The same for a conffile, whose checksum stands in the status file. */
void fake_conffile(struct fake_host *fake, const char *package, const char *path);

/* Looking at this path fails as if the disk were broken. */
void fake_broken(struct fake_host *fake, const char *path);

/* Listing this folder (borrowed) says that it holds more than was listed. */
void fake_overfull(struct fake_host *fake, const char *folder);

/* From now on systemd answers; units it was told of are loaded, others not-found. */
void fake_systemd(struct fake_host *fake);
void fake_unit(struct fake_host *fake, const char *name, const char *file_state, const char *active,
	       const char *sub);
/* systemd is there and does not answer. */
void fake_systemd_silent(struct fake_host *fake);

#endif
