#include "core/plan/object.h"

#include "core/base/mem.h"

#include <string.h>

static const char *const role_names[DL_ROLE_COUNT] = {
	[DL_ROLE_UNIT] = "unit",   [DL_ROLE_DROPIN] = "dropin",   [DL_ROLE_LINK] = "link",
	[DL_ROLE_TABLE] = "table", [DL_ROLE_PAYLOAD] = "payload", [DL_ROLE_VALUE] = "value",
};

static const char *const type_names[DL_TYPE_COUNT] = {
	[DL_TYPE_MISSING] = "missing", [DL_TYPE_FILE] = "file",	  [DL_TYPE_SYMLINK] = "symlink",
	[DL_TYPE_FOLDER] = "folder",   [DL_TYPE_OTHER] = "other", [DL_TYPE_REGISTRY] = "registry",
};

static const char *const baseline_names[DL_BASELINE_COUNT] = {
	[DL_BASELINE_NONE] = "none",
	[DL_BASELINE_ABSENT] = "absent",
	[DL_BASELINE_SAME] = "same",
	[DL_BASELINE_DIFFERENT] = "different",
};

const char *dl_object_role_name(enum dl_object_role role)
{
	return role_names[role];
}

const char *dl_object_type_name(enum dl_object_type type)
{
	return type_names[type];
}

const char *dl_baseline_name(enum dl_baseline baseline)
{
	return baseline_names[baseline];
}

void dl_object_clear(struct dl_object *object)
{
	free(object->path);
	free(object->link_target);
	free(object->owner);
	free(object->sha256);
	free(object->package);
	free(object->package_source);
	free(object->protected_by);
	*object = (struct dl_object){ 0 };
}

static char *copy_text(const char *text)
{
	return text ? dl_strdup(text) : NULL;
}

void dl_object_copy(const struct dl_object *from, struct dl_object *to)
{
	*to = *from;
	to->path = copy_text(from->path);
	to->link_target = copy_text(from->link_target);
	to->owner = copy_text(from->owner);
	to->sha256 = copy_text(from->sha256);
	to->package = copy_text(from->package);
	to->package_source = copy_text(from->package_source);
	to->protected_by = copy_text(from->protected_by);
}

json_t *dl_object_to_json(const struct dl_object *object)
{
	json_t *json = json_object();
	dl_json_put_str(json, "role", role_names[object->role]);
	dl_json_put_str(json, "type", type_names[object->type]);
	dl_json_put_str(json, "path", object->path);
	dl_json_put_str(json, "link_target", object->link_target);
	dl_json_put_int(json, "size", object->size);
	dl_json_put_int(json, "uid", object->uid);
	dl_json_put_int(json, "gid", object->gid);
	dl_json_put_str(json, "owner", object->owner);
	dl_json_put_int(json, "mode", object->mode);
	dl_json_put_int(json, "mtime_ns", object->mtime_ns);
	dl_json_put_int(json, "links", object->links);
	dl_json_put_str(json, "sha256", object->sha256);
	dl_json_put_str(json, "package", object->package);
	dl_json_put_str(json, "package_source", object->package_source);
	dl_json_put_bool(json, "conffile", object->conffile);
	dl_json_put_str(json, "baseline", baseline_names[object->baseline]);
	dl_json_put_bool(json, "immutable", object->immutable);
	dl_json_put_str(json, "protected_by", object->protected_by);
	return json;
}

static int read_choice(const json_t *json, const char *member, const char *const *names,
		       size_t count, size_t *ret_index, struct dl_error *err)
{
	const char *text = NULL;
	int r = dl_json_str(json, member, DL_NAME_MAX_BYTES, &text, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "'%s' has no such value", member);
}

static int read_choices(const json_t *json, struct dl_object *object, struct dl_error *err)
{
	size_t role = 0, type = 0, baseline = 0;
	int r = read_choice(json, "role", role_names, DL_ROLE_COUNT, &role, err);
	if (r == 0)
		r = read_choice(json, "type", type_names, DL_TYPE_COUNT, &type, err);
	if (r == 0)
		r = read_choice(json, "baseline", baseline_names, DL_BASELINE_COUNT, &baseline,
				err);
	object->role = (enum dl_object_role)role;
	object->type = (enum dl_object_type)type;
	object->baseline = (enum dl_baseline)baseline;
	return r;
}

static int read_numbers(const json_t *json, struct dl_object *object, struct dl_error *err)
{
	int r = dl_json_int(json, "size", 0, INT64_MAX, &object->size, err);
	if (r == 0)
		r = dl_json_int(json, "uid", 0, UINT32_MAX, &object->uid, err);
	if (r == 0)
		r = dl_json_int(json, "gid", 0, UINT32_MAX, &object->gid, err);
	if (r == 0)
		r = dl_json_int(json, "mode", 0, 07777, &object->mode, err);
	if (r == 0)
		r = dl_json_int(json, "mtime_ns", INT64_MIN, INT64_MAX, &object->mtime_ns, err);
	if (r == 0)
		r = dl_json_int(json, "links", 0, UINT32_MAX, &object->links, err);
	if (r == 0)
		r = dl_json_bool_opt(json, "conffile", &object->conffile, err);
	if (r == 0)
		r = dl_json_bool_opt(json, "immutable", &object->immutable, err);
	return r;
}

static int read_texts(const json_t *json, struct dl_object *object, struct dl_error *err)
{
	int r = dl_json_bytes_opt(json, "path", DL_PATH_MAX_BYTES, &object->path, err);
	if (r == 0 && (!object->path || !*object->path))
		r = dl_error_set(err, DL_E_INVALID, "'path' is missing");
	if (r == 0)
		r = dl_json_bytes_opt(json, "link_target", DL_PATH_MAX_BYTES,
				      &object->link_target, err);
	if (r == 0)
		r = dl_json_words_opt(json, "owner", DL_NAME_MAX_BYTES, &object->owner, err);
	if (r == 0)
		r = dl_json_words_opt(json, "package", DL_NAME_MAX_BYTES, &object->package, err);
	if (r == 0)
		r = dl_json_words_opt(json, "package_source", DL_WORDS_MAX_BYTES,
				      &object->package_source, err);
	if (r == 0)
		r = dl_json_words_opt(json, "protected_by", DL_WORDS_MAX_BYTES,
				      &object->protected_by, err);
	return r;
}

static int read_hash(const json_t *json, struct dl_object *object, struct dl_error *err)
{
	const char *text = NULL;
	if (!json_object_get(json, "sha256"))
		return 0;
	int r = dl_json_hex(json, "sha256", 32, &text, err);
	if (r == 0)
		object->sha256 = dl_strdup(text);
	return r;
}

static int read_object(const json_t *json, struct dl_object *object, struct dl_error *err)
{
	static const char *const members[] = {
		"role",	 "type",   "path",    "link_target",	"size",	    "uid",
		"gid",	 "owner",  "mode",    "mtime_ns",	"links",    "sha256",
		"package", "package_source", "conffile", "baseline", "immutable",
		"protected_by", NULL,
	};
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = read_choices(json, object, err);
	if (r == 0)
		r = read_texts(json, object, err);
	if (r == 0)
		r = read_numbers(json, object, err);
	if (r == 0)
		r = read_hash(json, object, err);
	return r;
}

int dl_object_from_json(const json_t *json, struct dl_object *ret_object, struct dl_error *err)
{
	struct dl_object object = { 0 };
	int r = read_object(json, &object, err);
	if (r < 0) {
		dl_object_clear(&object);
		return dl_error_prefix(err, r, "object");
	}
	*ret_object = object;
	return 0;
}
