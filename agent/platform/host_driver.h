/* The inside of a host: what a body provides. Included by bodies (linux/,
 * tests/fakes/) and by host.c only.
 *
 * A driver gives the bare facts; everything that follows from them (canonical
 * paths, users, packages, the never-list, objects) is written once, above it.
 * Contracts of the functions: host.h. Paths were checked by the caller.
 */
#ifndef DL_AGENT_PLATFORM_HOST_DRIVER_H
#define DL_AGENT_PLATFORM_HOST_DRIVER_H

#include "agent/platform/host.h"

struct dl_host_driver {
	int (*list)(void *self, const char *folder, struct dl_host_names *ret_names,
		    struct dl_error *err);
	int (*read)(void *self, const char *path, size_t limit, char **ret_data, size_t *ret_size,
		    struct dl_error *err);
	int (*look)(void *self, const char *path, bool hash, struct dl_host_facts *ret_facts,
		    struct dl_error *err);
	int (*unit_ask)(void *self, const char *name, struct dl_host_unit *ret_unit,
			struct dl_error *err);
	int (*identify)(void *self, struct dl_host_identity *ret_identity, struct dl_error *err);
	void (*release)(void *self);
	bool live;
};

/* `self` is released with the host. */
struct dl_host *dl_host_new(const struct dl_host_driver *driver, void *self);

/* MD5 as lower-case hexadecimal: dpkg's checksum, used for nothing else. */
void dl_host_md5(const void *data, size_t size, char out[33]);

#endif
