#include "agent/platform/host_state.h"

#include "core/base/bytes.h"

#include <string.h>

static void fill_facts(struct dl_host *host, const struct dl_host_facts *facts,
		       struct dl_object *object)
{
	const struct dl_host_user *owner = dl_host_user_by_uid(host, facts->uid);
	object->size = facts->size;
	object->uid = facts->uid;
	object->gid = facts->gid;
	object->owner = owner ? dl_bytes_encode_str(owner->name) : NULL;
	object->mode = facts->mode;
	object->mtime_ns = facts->mtime_ns;
	object->links = facts->links;
	object->immutable = facts->immutable;
	if (facts->hashed)
		object->sha256 = dl_strdup(facts->sha256);
	if (facts->type == DL_TYPE_SYMLINK)
		object->link_target = dl_bytes_encode_str(facts->target);
}

static enum dl_baseline baseline_of(const struct dl_host_package *package,
				    const struct dl_host_facts *facts)
{
	if (!package->name)
		return DL_BASELINE_ABSENT;
	if (!*package->md5 || !facts->hashed)
		return DL_BASELINE_NONE;
	return strcmp(package->md5, facts->md5) == 0 ? DL_BASELINE_SAME : DL_BASELINE_DIFFERENT;
}

/* A database that cannot be read leaves the baseline at `none`: no proof. */
static int fill_package(struct dl_host *host, const char *path, const struct dl_host_facts *facts,
			struct dl_object *object, struct dl_error *err)
{
	dl_autopackage package = { 0 };
	int r = dl_host_package_of(host, path, &package, err);
	if (r == DL_E_UNSUPPORTED)
		return 0;
	if (r < 0)
		return r;
	object->baseline = baseline_of(&package, facts);
	if (!package.name)
		return 0;
	object->package = dl_bytes_encode_str(package.name);
	object->package_source = dl_bytes_encode_str(package.source);
	object->conffile = package.conffile;
	return 0;
}

int dl_host_object(struct dl_host *host, const char *path, enum dl_object_role role,
		   struct dl_object *ret_object, struct dl_error *err)
{
	struct dl_host_facts facts;
	int r = dl_host_look(host, path, true, &facts, err);
	if (r < 0)
		return r;
	struct dl_object object = { .role = role, .type = facts.type };
	if (facts.type != DL_TYPE_MISSING) {
		r = fill_package(host, path, &facts, &object, err);
		if (r < 0)
			return r;
		fill_facts(host, &facts, &object);
	}
	object.path = dl_bytes_encode_str(path);
	object.protected_by = dl_host_protected_by(host, path, &facts);
	*ret_object = object;
	return 0;
}
