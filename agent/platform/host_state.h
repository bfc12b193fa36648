/* What a host handle keeps: its driver, and what was read once. Private to
 * agent/platform. */
#ifndef DL_AGENT_PLATFORM_HOST_STATE_H
#define DL_AGENT_PLATFORM_HOST_STATE_H

#include "agent/platform/host_driver.h"

struct dl_users;
struct dl_packages;
struct dl_never;

struct dl_host {
	const struct dl_host_driver *driver;
	void *self;
	int64_t hash_bytes; /* read for hashes so far */
	int64_t looks;      /* names looked at so far */
	struct dl_users *users;       /* NULL until first asked, like the next two */
	struct dl_packages *packages;
	struct dl_never *never;
};

void dl_users_free(struct dl_users *users);
void dl_packages_free(struct dl_packages *packages);
void dl_never_free(struct dl_never *never);

/* DL_E_INVALID unless `path` has the form that host.h asks for. */
int dl_path_check(const char *path, struct dl_error *err);

/* folder + "/" + name, owned; "/" + name for the root folder. */
char *dl_path_join(const char *folder, const char *name);

/* Whether `path` is `folder` or lies below it. */
bool dl_path_is_under(const char *path, const char *folder);

#endif
