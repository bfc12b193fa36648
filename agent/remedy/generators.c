/* systemd runs every program in its generator folders, as root, at each
 * daemon-reload (systemd.generator(7)); environment generators too. A foothold
 * there would run because we reload, so we look first. */
#include "agent/remedy/work.h"

#include <stdio.h>
#include <string.h>

static const char *const generator_folders[] = {
	"/run/systemd/system-generators",
	"/etc/systemd/system-generators",
	"/usr/local/lib/systemd/system-generators",
	"/usr/lib/systemd/system-generators",
	"/run/systemd/system-environment-generators",
	"/etc/systemd/system-environment-generators",
	"/usr/local/lib/systemd/system-environment-generators",
	"/usr/lib/systemd/system-environment-generators",
};

enum { GENERATOR_EXECUTE_BITS = 0111 };

#define dl_autogenerator __attribute__((cleanup(dl_object_clear))) struct dl_object

/* Masked, or not executable: systemd would not run it. */
static bool generator_is_inert(const struct dl_object *object)
{
	if (object->type == DL_TYPE_SYMLINK)
		return object->link_target && strcmp(object->link_target, "/dev/null") == 0;
	return object->type != DL_TYPE_FILE || !(object->mode & GENERATOR_EXECUTE_BITS);
}

/* Why it is not proved to be its package's program, or NULL. No checksum to
 * compare with proves nothing. */
static const char *generator_doubt(const struct dl_object *object)
{
	if (!object->package)
		return "no package owns it";
	if (object->baseline == DL_BASELINE_DIFFERENT)
		return "it is not as its package ships it";
	if (object->baseline != DL_BASELINE_SAME)
		return "it cannot be checked, for its package keeps no checksum of it";
	return NULL;
}

/* A package's link is what it leads to; missing when it leads nowhere. */
static int generator_follow(struct work *work, const char *path, struct dl_object *object,
			    struct dl_error *err)
{
	dl_autofree char *real = NULL;
	int r = dl_host_canonical(work->host, path, true, &real, err);

	if (r < 0 && r != DL_E_NOT_FOUND)
		return r;
	dl_object_clear(object);
	*object = (struct dl_object){ .type = DL_TYPE_MISSING };
	return real ? dl_host_object(work->host, real, DL_ROLE_PAYLOAD, object, err) : 0;
}

static int generator_check(struct work *work, const char *folder, const char *name,
			   struct dl_error *err)
{
	dl_autogenerator object = { 0 };
	char path[DL_HOST_PATH_MAX];
	const char *doubt;
	int r;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	r = dl_host_object(work->host, path, DL_ROLE_PAYLOAD, &object, err);
	if (r == 0 && object.type == DL_TYPE_SYMLINK && object.package)
		r = generator_follow(work, path, &object, err);
	if (r < 0)
		return r;
	doubt = generator_is_inert(&object) ? NULL : generator_doubt(&object);
	if (!doubt)
		return 0;
	return dl_error_set(err, DL_E_DENIED,
			    "%s would run when systemd reloads, and %s. Examine it and remove it "
			    "first.",
			    object.path, doubt);
}

int generators_are_owned(struct work *work, struct dl_error *err)
{
	for (size_t i = 0; i < DL_COUNT(generator_folders); i++) {
		dl_autonames names = { 0 };
		int r = dl_host_list(work->host, generator_folders[i], &names, err);

		if (r == DL_E_NOT_FOUND)
			continue;
		if (r < 0)
			return r;
		if (names.cut)
			return dl_error_set(err, DL_E_DENIED, "%s holds too many programs to judge",
					    generator_folders[i]);
		for (size_t n = 0; n < names.count; n++) {
			r = generator_check(work, generator_folders[i], names.names[n], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
