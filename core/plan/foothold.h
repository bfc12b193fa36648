/* Foothold: what makes malware start again. A trigger (unit, line, value) and
 * the payloads it runs, with the facts a survey saw.
 */
#ifndef DL_CORE_PLAN_FOOTHOLD_H
#define DL_CORE_PLAN_FOOTHOLD_H

#include "core/crypto/sha256.h"
#include "core/plan/object.h"

/* Kinds; the name is what JSON, pages and the command line show. */
enum dl_kind {
	DL_KIND_SYSTEMD_SERVICE, /* systemd.service  T1543.002 */
	DL_KIND_SYSTEMD_TIMER,   /* systemd.timer    T1053.006 */
	DL_KIND_CRON_SYSTEM,     /* cron.system      T1053.003 */
	DL_KIND_CRON_USER,       /* cron.user        T1053.003 */
	DL_KIND_REGISTRY_RUN,    /* registry.run     T1547.001 */
	DL_KIND_COUNT
};

struct dl_kind_info {
	const char *name;   /* "systemd.service" */
	const char *attack; /* ATT&CK technique */
	const char *words;  /* "systemd service" */
};
const struct dl_kind_info *dl_kind_info(enum dl_kind kind);
int dl_kind_parse(const char *name, enum dl_kind *ret_kind, struct dl_error *err);

enum {
	DL_FOOTHOLD_OBJECTS_MAX = 64,
	DL_FOOTHOLD_LINE_MAX_BYTES = 3 * 4096,
	DL_SURVEY_FOOTHOLDS_MAX = 5000,
	DL_SURVEY_MAX_BYTES = 4 * 1024 * 1024,
};

struct dl_foothold {
	char key[DL_SHA256_TEXT_SIZE];    /* identity: dl_foothold_seal */
	char digest[DL_SHA256_TEXT_SIZE]; /* what it says: dl_foothold_seal */
	enum dl_kind kind;
	char *scope;      /* "system" or "user:NAME" */
	char *location;   /* canonical path of the unit or table; registry: hive\key */
	char *name;       /* unit name; registry: value name; cron: NULL */
	char *line;       /* cron: the exact line, without its newline */
	int64_t occurrence; /* cron: 1 for the first such line in the table */
	char *command;    /* what it runs, for people */
	char *user;       /* as whom */
	char *schedule;   /* timer or cron: when, for people */
	char *activates;  /* timer: the unit it starts */
	char *state;      /* words: "enabled, active", "inert: no final newline" */
	bool active;      /* the consumer runs or would run it */
	char *manual_because; /* survey's own reason why no step may touch it, e.g. shadows a vendor unit */
	struct dl_object *objects; /* trigger objects first, payloads last */
	size_t object_count;
	int64_t first_seen; /* ms; by the agent's own memory, 0 if not known */
};

struct dl_foothold *dl_foothold_new(enum dl_kind kind);
void dl_foothold_free(struct dl_foothold *foothold);
DL_DEFINE_AUTO(dl_foothold, dl_foothold_free)

/* Appends a zeroed object and returns it (borrowed until the next add);
 * NULL when DL_FOOTHOLD_OBJECTS_MAX is reached. */
struct dl_object *dl_foothold_add_object(struct dl_foothold *foothold);

/* Computes key = SHA-256 over kind, scope, location, name, line and occurrence
 * (each followed by NUL), and digest over the content of all trigger objects
 * (path, type, mode, owner, sha256, link target), command and line. The hash
 * of a table is left out: its other lines are other footholds. */
void dl_foothold_seal(struct dl_foothold *foothold);

json_t *dl_foothold_to_json(const struct dl_foothold *foothold);

/* Closed schema; recomputes key and digest and refuses those that do not
 * match. Texts that are acted on must be in the one spelling of bytes. */
int dl_foothold_from_json(const json_t *json, struct dl_foothold **ret, struct dl_error *err);

#endif
