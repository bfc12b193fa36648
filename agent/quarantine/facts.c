#include "agent/quarantine/facts.h"

#include "core/base/bytes.h"

#include <string.h>

static json_t *facts_xattrs_to_json(const struct dl_facts *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->xattr_count; i++) {
		const struct dl_xattr *xattr = &facts->xattrs[i];
		dl_autofree char *name = dl_bytes_encode_str(xattr->name);
		dl_autofree char *value = dl_alloc(1, xattr->size * 2 + 1);

		dl_hex_encode(xattr->value, xattr->size, value);
		json_array_append_new(list, json_pack("{s:s,s:s}", "name", name, "value", value));
	}
	return list;
}

json_t *facts_to_json(const struct dl_facts *facts)
{
	json_t *json = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "type",
				 dl_object_type_name(facts->type), "mode", (json_int_t)facts->mode,
				 "uid", (json_int_t)facts->uid, "gid", (json_int_t)facts->gid,
				 "size", (json_int_t)facts->size, "mtime_ns",
				 (json_int_t)facts->mtime_ns, "links", (json_int_t)facts->links,
				 "locks", (json_int_t)facts->locks);

	if (facts->target) {
		dl_autofree char *target = dl_bytes_encode_str(facts->target);

		json_object_set_new(json, "target", json_string(target));
	}
	if (facts->sha256[0])
		json_object_set_new(json, "sha256", json_string(facts->sha256));
	json_object_set_new(json, "xattrs", facts_xattrs_to_json(facts));
	return json;
}

static int facts_xattr_from_json(const json_t *json, struct dl_xattr *ret_xattr,
				 struct dl_error *err)
{
	const char *name = NULL, *value = NULL;
	int r = dl_json_str(json, "name", DL_NAME_MAX_BYTES, &name, err);

	if (r == 0)
		r = dl_json_str(json, "value", 2 * (size_t)DL_FACTS_XATTR_BYTES_MAX, &value, err);
	if (r < 0)
		return r;
	ret_xattr->size = strlen(value) / 2;
	ret_xattr->value = dl_alloc(1, ret_xattr->size + 1);
	r = dl_hex_decode(value, ret_xattr->value, ret_xattr->size, err);
	return r < 0 ? r : dl_bytes_decode_str(name, &ret_xattr->name, err);
}

static int facts_xattrs_from_json(const json_t *json, struct dl_facts *facts, struct dl_error *err)
{
	json_t *list = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "xattrs", DL_FACTS_XATTRS_MAX, &list, err);

	if (r < 0)
		return r;
	facts->xattrs = dl_alloc(json_array_size(list) + 1, sizeof(*facts->xattrs));
	json_array_foreach(list, i, entry) {
		r = facts_xattr_from_json(entry, &facts->xattrs[facts->xattr_count++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int facts_type_from_json(const json_t *json, enum dl_object_type *ret_type,
				struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_json_str(json, "type", DL_NAME_MAX_BYTES, &name, err);

	if (r < 0)
		return r;
	for (int type = 0; type < DL_TYPE_COUNT; type++)
		if (strcmp(name, dl_object_type_name((enum dl_object_type)type)) == 0) {
			*ret_type = (enum dl_object_type)type;
			return 0;
		}
	return dl_error_set(err, DL_E_INVALID, "unknown object type '%s'", name);
}

static int facts_numbers_from_json(const json_t *json, struct dl_facts *facts, struct dl_error *err)
{
	int64_t locks = 0;
	int r = dl_json_int(json, "mode", 0, 07777, &facts->mode, err);

	if (r == 0)
		r = dl_json_int(json, "uid", 0, UINT32_MAX, &facts->uid, err);
	if (r == 0)
		r = dl_json_int(json, "gid", 0, UINT32_MAX, &facts->gid, err);
	if (r == 0)
		r = dl_json_int(json, "size", 0, INT64_MAX, &facts->size, err);
	if (r == 0)
		r = dl_json_int(json, "mtime_ns", INT64_MIN, INT64_MAX, &facts->mtime_ns, err);
	if (r == 0)
		r = dl_json_int(json, "links", 0, INT64_MAX, &facts->links, err);
	if (r == 0)
		r = dl_json_int(json, "locks", 0, UINT32_MAX, &locks, err);
	facts->locks = (uint32_t)locks;
	return r;
}

int facts_from_json(const json_t *json, struct dl_facts *ret_facts, struct dl_error *err)
{
	dl_autofacts facts = { 0 };
	const char *target = NULL, *sha256 = NULL;
	int r = facts_type_from_json(json, &facts.type, err);

	if (r == 0)
		r = facts_numbers_from_json(json, &facts, err);
	if (r == 0)
		r = dl_json_str_opt(json, "target", DL_PATH_MAX_BYTES, &target, err);
	if (r == 0)
		r = dl_json_str_opt(json, "sha256", DL_SHA256_TEXT_SIZE - 1, &sha256, err);
	if (r == 0 && (facts.type == DL_TYPE_SYMLINK) != (target != NULL))
		return dl_error_set(err, DL_E_INVALID, "a link, and only a link, has a target");
	if (r == 0 && target)
		r = dl_bytes_decode_str(target, &facts.target, err);
	if (r == 0)
		r = facts_xattrs_from_json(json, &facts, err);
	if (r < 0)
		return r;
	if (sha256)
		strncpy(facts.sha256, sha256, sizeof(facts.sha256) - 1);
	*ret_facts = facts;
	facts = (struct dl_facts){ 0 };
	return 0;
}

void facts_copy(const struct dl_facts *facts, struct dl_facts *ret_facts)
{
	struct dl_facts copy = *facts;

	copy.target = facts->target ? dl_strdup(facts->target) : NULL;
	copy.xattrs = dl_alloc(facts->xattr_count + 1, sizeof(*copy.xattrs));
	for (size_t i = 0; i < facts->xattr_count; i++) {
		const struct dl_xattr *xattr = &facts->xattrs[i];

		copy.xattrs[i] = (struct dl_xattr){ dl_strdup(xattr->name),
						    dl_memdup(xattr->value, xattr->size),
						    xattr->size };
	}
	*ret_facts = copy;
}

static int facts_differ(struct dl_error *err, const char *what)
{
	return dl_error_set(err, DL_E_STALE, "its %s is not the recorded one", what);
}

static const struct dl_xattr *facts_find_xattr(const struct dl_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->xattr_count; i++)
		if (strcmp(facts->xattrs[i].name, name) == 0)
			return &facts->xattrs[i];
	return NULL;
}

static bool facts_same_xattrs(const struct dl_facts *one, const struct dl_facts *other)
{
	if (one->xattr_count != other->xattr_count)
		return false;
	for (size_t i = 0; i < one->xattr_count; i++) {
		const struct dl_xattr *mine = &one->xattrs[i];
		const struct dl_xattr *its = facts_find_xattr(other, mine->name);

		if (!its || its->size != mine->size ||
		    memcmp(its->value, mine->value, mine->size) != 0)
			return false;
	}
	return true;
}

int facts_compare(const struct dl_facts *now, const struct dl_facts *then, bool exact,
		  struct dl_error *err)
{
	if (now->type != then->type)
		return facts_differ(err, "type");
	if (now->uid != then->uid || now->gid != then->gid)
		return facts_differ(err, "owner");
	if (now->type == DL_TYPE_SYMLINK && strcmp(now->target, then->target) != 0)
		return facts_differ(err, "link target");
	if (now->type != DL_TYPE_SYMLINK && now->mode != then->mode)
		return facts_differ(err, "mode");
	if (now->type == DL_TYPE_FILE && now->size != then->size)
		return facts_differ(err, "size");
	if (strcmp(now->sha256, then->sha256) != 0)
		return facts_differ(err, "content");
	if (exact && now->mtime_ns != then->mtime_ns)
		return facts_differ(err, "modification time");
	if (exact && !facts_same_xattrs(now, then))
		return facts_differ(err, "set of extended attributes");
	return 0;
}

static int facts_compare_content(const struct dl_facts *now, const struct dl_object *approved,
				 struct dl_error *err)
{
	dl_autofree char *target = NULL;

	if (now->type == DL_TYPE_FILE) {
		if (!approved->sha256)
			return dl_error_set(err, DL_E_STALE, "no checksum of it was approved");
		if (now->size != approved->size)
			return facts_differ(err, "size");
		if (strcmp(now->sha256, approved->sha256) != 0)
			return facts_differ(err, "content");
	}
	if (now->type == DL_TYPE_SYMLINK) {
		target = dl_bytes_encode_str(now->target);
		if (!approved->link_target || strcmp(target, approved->link_target) != 0)
			return facts_differ(err, "link target");
	}
	return 0;
}

int facts_compare_approved(const struct dl_facts *now, const struct dl_object *approved,
			   struct dl_error *err)
{
	if (now->type != approved->type)
		return dl_error_set(err, DL_E_STALE, "it is of type %s, approved was type %s",
				    dl_object_type_name(now->type),
				    dl_object_type_name(approved->type));
	if (now->uid != approved->uid || now->gid != approved->gid)
		return facts_differ(err, "owner");
	if (now->type != DL_TYPE_SYMLINK && now->mode != approved->mode)
		return facts_differ(err, "mode");
	return facts_compare_content(now, approved, err);
}
