/* Object: one file-system (later: registry) object that a foothold consists of
 * or runs, with the facts a survey saw. The same facts are the precondition
 * of a step. Device and inode are not among them: they change on reboot and
 * restore, and identify an object only within one execution.
 */
#ifndef DL_CORE_PLAN_OBJECT_H
#define DL_CORE_PLAN_OBJECT_H

#include "core/json/json.h"

enum dl_object_role { DL_ROLE_UNIT, DL_ROLE_DROPIN, DL_ROLE_LINK, DL_ROLE_TABLE, DL_ROLE_PAYLOAD,
		      DL_ROLE_VALUE, DL_ROLE_COUNT };
enum dl_object_type { DL_TYPE_MISSING, DL_TYPE_FILE, DL_TYPE_SYMLINK, DL_TYPE_FOLDER,
		      DL_TYPE_OTHER, DL_TYPE_REGISTRY, DL_TYPE_COUNT };

/* What stood here before, as far as anything proves it: `absent` (created,
 * not modified), `same` (as the package or an earlier survey has it),
 * `different` (modified), `none` (nothing known: counts as modified). */
enum dl_baseline { DL_BASELINE_NONE, DL_BASELINE_ABSENT, DL_BASELINE_SAME, DL_BASELINE_DIFFERENT,
		   DL_BASELINE_COUNT };

/* Limits of what one object may say. */
enum { DL_PATH_MAX_BYTES = 3 * 4096, DL_NAME_MAX_BYTES = 3 * 256, DL_WORDS_MAX_BYTES = 3 * 1024 };

/* Every text is a byte string in the spelling of core/base/bytes.h, owned by
 * the object; NULL where it does not apply. Reading refuses another spelling
 * of path and link_target, which are acted on. */
struct dl_object {
	enum dl_object_role role;
	enum dl_object_type type;
	char *path;           /* canonical: no symlink in any parent */
	char *link_target;    /* of a symlink, as stored in it */
	int64_t size;
	int64_t uid, gid;
	char *owner;          /* user name, for people */
	int64_t mode;         /* permission bits, 0..07777 */
	int64_t mtime_ns;     /* nanoseconds since 1970; for people, no precondition */
	int64_t links;        /* hard link count */
	char *sha256;         /* of a regular file up to the survey's size limit */
	char *package;        /* owning package */
	char *package_source; /* evidence, e.g. "dpkg: cron.list" */
	bool conffile;
	enum dl_baseline baseline;
	bool immutable;       /* FS_IMMUTABLE_FL or FS_APPEND_FL */
	char *protected_by;   /* words: why the never-list holds it; NULL if it does not */
};

void dl_object_clear(struct dl_object *object);
void dl_object_copy(const struct dl_object *from, struct dl_object *to);
json_t *dl_object_to_json(const struct dl_object *object);
int dl_object_from_json(const json_t *json, struct dl_object *ret_object, struct dl_error *err);

const char *dl_object_role_name(enum dl_object_role role);   /* unit, dropin, link, table, payload, value */
const char *dl_object_type_name(enum dl_object_type type);   /* missing, file, symlink, folder, other, registry */
const char *dl_baseline_name(enum dl_baseline baseline);     /* none, absent, same, different */

#endif
