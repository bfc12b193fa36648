/* What the Linux driver keeps, and its parts in bus.c and machine.c. */
#ifndef DL_AGENT_PLATFORM_LINUX_DISK_H
#define DL_AGENT_PLATFORM_LINUX_DISK_H

#include "agent/platform/host.h"

struct sd_bus;

struct dl_disk {
	int root;           /* O_PATH */
	struct sd_bus *bus; /* to PID 1; NULL until first asked */
	int64_t wait_ms;    /* left for waiting for leases, for all files together */
};

int dl_disk_read(void *self, const char *path, size_t limit, char **ret_data, size_t *ret_size,
		 struct dl_error *err);

int dl_bus_unit_ask(void *self, const char *name, struct dl_host_unit *ret_unit,
		    struct dl_error *err);
void dl_bus_close(struct dl_disk *disk);
int dl_folder_unit_ask(void *self, const char *name, struct dl_host_unit *ret_unit,
		       struct dl_error *err);

int dl_machine_identify(void *self, struct dl_host_identity *ret_identity, struct dl_error *err);
int dl_folder_identify(void *self, struct dl_host_identity *ret_identity, struct dl_error *err);

#endif
