#include "core/plan/foothold.h"

#include "core/base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct dl_kind_info kinds[DL_KIND_COUNT] = {
	[DL_KIND_SYSTEMD_SERVICE] = { "systemd.service", "T1543.002", "systemd service" },
	[DL_KIND_SYSTEMD_TIMER] = { "systemd.timer", "T1053.006", "systemd timer" },
	[DL_KIND_CRON_SYSTEM] = { "cron.system", "T1053.003", "system cron line" },
	[DL_KIND_CRON_USER] = { "cron.user", "T1053.003", "user's cron line" },
	[DL_KIND_REGISTRY_RUN] = { "registry.run", "T1547.001", "registry Run value" },
};

const struct dl_kind_info *dl_kind_info(enum dl_kind kind)
{
	return &kinds[kind];
}

int dl_kind_parse(const char *name, enum dl_kind *ret_kind, struct dl_error *err)
{
	for (size_t i = 0; i < DL_KIND_COUNT; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = (enum dl_kind)i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "no such kind of foothold");
}

struct dl_foothold *dl_foothold_new(enum dl_kind kind)
{
	struct dl_foothold *foothold = DL_NEW(struct dl_foothold);
	foothold->kind = kind;
	return foothold;
}

void dl_foothold_free(struct dl_foothold *foothold)
{
	if (!foothold)
		return;
	for (size_t i = 0; i < foothold->object_count; i++)
		dl_object_clear(&foothold->objects[i]);
	free(foothold->objects);
	free(foothold->scope);
	free(foothold->location);
	free(foothold->name);
	free(foothold->line);
	free(foothold->command);
	free(foothold->user);
	free(foothold->schedule);
	free(foothold->activates);
	free(foothold->state);
	free(foothold->manual_because);
	free(foothold);
}

struct dl_object *dl_foothold_add_object(struct dl_foothold *foothold)
{
	if (foothold->object_count == DL_FOOTHOLD_OBJECTS_MAX)
		return NULL;
	foothold->objects = dl_realloc(foothold->objects, foothold->object_count + 1,
				       sizeof(foothold->objects[0]));
	struct dl_object *object = &foothold->objects[foothold->object_count++];
	*object = (struct dl_object){ 0 };
	return object;
}

/* The NUL after each text keeps "ab" + "c" apart from "a" + "bc". */
static void hash_text(struct dl_sha256 *hash, const char *text)
{
	dl_sha256_add(hash, text ? text : "", (text ? strlen(text) : 0) + 1);
}

static void hash_number(struct dl_sha256 *hash, int64_t number)
{
	char text[32];
	snprintf(text, sizeof(text), "%" PRId64, number);
	hash_text(hash, text);
}

static void finish_text(struct dl_sha256 *hash, char out[DL_SHA256_TEXT_SIZE])
{
	uint8_t digest[DL_SHA256_SIZE];
	dl_sha256_finish(hash, digest);
	dl_hex_encode(digest, sizeof(digest), out);
}

static void seal_key(struct dl_foothold *foothold)
{
	dl_auto(dl_sha256) hash = dl_sha256_new();
	hash_text(hash, kinds[foothold->kind].name);
	hash_text(hash, foothold->scope);
	hash_text(hash, foothold->location);
	hash_text(hash, foothold->name);
	hash_text(hash, foothold->line);
	hash_number(hash, foothold->occurrence);
	finish_text(hash, foothold->key);
}

static void hash_object(struct dl_sha256 *hash, const struct dl_object *object)
{
	hash_text(hash, object->path);
	hash_text(hash, dl_object_type_name(object->type));
	hash_number(hash, object->mode);
	hash_number(hash, object->uid);
	hash_number(hash, object->gid);
	hash_text(hash, object->role == DL_ROLE_TABLE ? NULL : object->sha256);
	hash_text(hash, object->link_target);
}

static void seal_digest(struct dl_foothold *foothold)
{
	dl_auto(dl_sha256) hash = dl_sha256_new();
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role != DL_ROLE_PAYLOAD)
			hash_object(hash, &foothold->objects[i]);
	hash_text(hash, foothold->command);
	hash_text(hash, foothold->line);
	finish_text(hash, foothold->digest);
}

void dl_foothold_seal(struct dl_foothold *foothold)
{
	seal_key(foothold);
	seal_digest(foothold);
}

json_t *dl_foothold_to_json(const struct dl_foothold *foothold)
{
	json_t *json = json_object(), *objects = json_array();
	for (size_t i = 0; i < foothold->object_count; i++)
		json_array_append_new(objects, dl_object_to_json(&foothold->objects[i]));
	dl_json_put_str(json, "key", foothold->key);
	dl_json_put_str(json, "digest", foothold->digest);
	dl_json_put_str(json, "kind", kinds[foothold->kind].name);
	dl_json_put_str(json, "scope", foothold->scope);
	dl_json_put_str(json, "location", foothold->location);
	dl_json_put_str(json, "name", foothold->name);
	dl_json_put_str(json, "line", foothold->line);
	dl_json_put_int(json, "occurrence", foothold->occurrence);
	dl_json_put_str(json, "command", foothold->command);
	dl_json_put_str(json, "user", foothold->user);
	dl_json_put_str(json, "schedule", foothold->schedule);
	dl_json_put_str(json, "activates", foothold->activates);
	dl_json_put_str(json, "state", foothold->state);
	dl_json_put_bool(json, "active", foothold->active);
	dl_json_put_str(json, "manual_because", foothold->manual_because);
	dl_json_put(json, "objects", objects);
	dl_json_put_int(json, "first_seen", foothold->first_seen);
	return json;
}

static int read_kind(const json_t *json, struct dl_foothold *foothold, struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_json_str(json, "kind", DL_NAME_MAX_BYTES, &name, err);
	return r < 0 ? r : dl_kind_parse(name, &foothold->kind, err);
}

static int read_identity(const json_t *json, struct dl_foothold *foothold, struct dl_error *err)
{
	int r = read_kind(json, foothold, err);
	if (r == 0)
		r = dl_json_bytes_opt(json, "scope", DL_NAME_MAX_BYTES, &foothold->scope, err);
	if (r == 0)
		r = dl_json_bytes_opt(json, "location", DL_PATH_MAX_BYTES, &foothold->location,
				      err);
	if (r == 0 && (!foothold->scope || !foothold->location))
		r = dl_error_set(err, DL_E_INVALID, "'scope' or 'location' is missing");
	if (r == 0)
		r = dl_json_bytes_opt(json, "name", DL_PATH_MAX_BYTES, &foothold->name, err);
	if (r == 0)
		r = dl_json_bytes_opt(json, "line", DL_FOOTHOLD_LINE_MAX_BYTES, &foothold->line,
				      err);
	if (r == 0)
		r = dl_json_int(json, "occurrence", 0, INT32_MAX, &foothold->occurrence, err);
	return r;
}

static int read_facts(const json_t *json, struct dl_foothold *foothold, struct dl_error *err)
{
	int r = dl_json_words_opt(json, "command", DL_FOOTHOLD_LINE_MAX_BYTES,
				  &foothold->command, err);
	if (r == 0)
		r = dl_json_words_opt(json, "user", DL_NAME_MAX_BYTES, &foothold->user, err);
	if (r == 0)
		r = dl_json_words_opt(json, "schedule", DL_FOOTHOLD_LINE_MAX_BYTES,
				      &foothold->schedule, err);
	if (r == 0)
		r = dl_json_words_opt(json, "activates", DL_NAME_MAX_BYTES,
				      &foothold->activates, err);
	if (r == 0)
		r = dl_json_words_opt(json, "state", DL_WORDS_MAX_BYTES, &foothold->state, err);
	if (r == 0)
		r = dl_json_words_opt(json, "manual_because", DL_WORDS_MAX_BYTES,
				      &foothold->manual_because, err);
	if (r == 0)
		r = dl_json_bool_opt(json, "active", &foothold->active, err);
	if (r == 0)
		r = dl_json_int(json, "first_seen", 0, INT64_MAX, &foothold->first_seen, err);
	return r;
}

static int read_objects(const json_t *json, struct dl_foothold *foothold, struct dl_error *err)
{
	json_t *objects = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "objects", DL_FOOTHOLD_OBJECTS_MAX, &objects, err);
	if (r < 0)
		return r;
	json_array_foreach(objects, i, entry) {
		r = dl_object_from_json(entry, dl_foothold_add_object(foothold), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_seal(const json_t *json, struct dl_foothold *foothold, struct dl_error *err)
{
	const char *key = NULL, *digest = NULL;
	int r = dl_json_hex(json, "key", DL_SHA256_SIZE, &key, err);
	if (r == 0)
		r = dl_json_hex(json, "digest", DL_SHA256_SIZE, &digest, err);
	if (r < 0)
		return r;
	dl_foothold_seal(foothold);
	if (strcmp(key, foothold->key) != 0 || strcmp(digest, foothold->digest) != 0)
		return dl_error_set(err, DL_E_INVALID, "key or digest is not what the facts give");
	return 0;
}

int dl_foothold_from_json(const json_t *json, struct dl_foothold **ret, struct dl_error *err)
{
	static const char *const members[] = {
		"key",	    "digest",	 "kind",    "scope",   "location",
		"name",	    "line",	 "occurrence", "command", "user",
		"schedule", "activates", "state",   "active",  "manual_because",
		"objects",  "first_seen", NULL,
	};
	dl_auto(dl_foothold) foothold = dl_foothold_new(0);
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = read_identity(json, foothold, err);
	if (r == 0)
		r = read_facts(json, foothold, err);
	if (r == 0)
		r = read_objects(json, foothold, err);
	if (r == 0)
		r = check_seal(json, foothold, err);
	if (r < 0)
		return dl_error_prefix(err, r, "foothold");
	*ret = DL_TAKE(foothold);
	return 0;
}
