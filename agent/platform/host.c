#include "agent/platform/host_state.h"

#include <string.h>

struct dl_host *dl_host_new(const struct dl_host_driver *driver, void *self)
{
	struct dl_host *host = DL_NEW(struct dl_host);
	host->driver = driver;
	host->self = self;
	return host;
}

void dl_host_free(struct dl_host *host)
{
	if (!host)
		return;
	dl_users_free(host->users);
	dl_packages_free(host->packages);
	dl_never_free(host->never);
	host->driver->release(host->self);
	free(host);
}

bool dl_host_is_live(const struct dl_host *host)
{
	return host->driver->live;
}

void dl_host_names_clear(struct dl_host_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct dl_host_names){ 0 };
}

int dl_host_list(struct dl_host *host, const char *folder, struct dl_host_names *ret_names,
		 struct dl_error *err)
{
	int r = dl_path_check(folder, err);
	return r < 0 ? r : host->driver->list(host->self, folder, ret_names, err);
}

int dl_host_read(struct dl_host *host, const char *path, size_t limit, char **ret_data,
		 size_t *ret_size, struct dl_error *err)
{
	int r = dl_path_check(path, err);
	return r < 0 ? r : host->driver->read(host->self, path, limit, ret_data, ret_size, err);
}

int dl_host_look(struct dl_host *host, const char *path, bool hash, struct dl_host_facts *ret_facts,
		 struct dl_error *err)
{
	int r = dl_path_check(path, err);
	if (r < 0)
		return r;
	if (host->hash_bytes >= (int64_t)DL_HOST_HASH_TOTAL_MIB * 1024 * 1024)
		hash = false;
	host->looks++;
	r = host->driver->look(host->self, path, hash, ret_facts, err);
	/* Read in vain is read, too. */
	if (r == 0 && hash && ret_facts->type == DL_TYPE_FILE &&
	    ret_facts->size <= DL_HOST_HASH_MAX)
		host->hash_bytes += ret_facts->size;
	return r;
}

int64_t dl_host_looks(const struct dl_host *host)
{
	return host->looks;
}

void dl_host_unit_clear(struct dl_host_unit *unit)
{
	free(unit->load_state);
	free(unit->active_state);
	free(unit->sub_state);
	free(unit->unit_file_state);
	free(unit->fragment_path);
	free(unit->triggered_by);
	*unit = (struct dl_host_unit){ 0 };
}

int dl_host_unit_ask(struct dl_host *host, const char *name, struct dl_host_unit *ret_unit,
		     struct dl_error *err)
{
	return host->driver->unit_ask(host->self, name, ret_unit, err);
}

void dl_host_identity_clear(struct dl_host_identity *identity)
{
	free(identity->hostname);
	free(identity->os);
	free(identity->kernel);
	free(identity->architecture);
	free(identity->boot_id);
	*identity = (struct dl_host_identity){ 0 };
}

int dl_host_identify(struct dl_host *host, struct dl_host_identity *ret_identity,
		     struct dl_error *err)
{
	return host->driver->identify(host->self, ret_identity, err);
}
