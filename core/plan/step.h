/* Step: one typed thing to do to one foothold; the unit of approval. */
#ifndef DL_CORE_PLAN_STEP_H
#define DL_CORE_PLAN_STEP_H

#include "core/plan/foothold.h"
#include "core/plan/reason.h"

enum dl_verb {
	DL_VERB_MANUAL,              /* manual */
	DL_VERB_SYSTEMD_UNIT_REMOVE, /* systemd.unit_remove: unit, drop-ins, exactly its links */
	DL_VERB_CRON_LINE_REMOVE,    /* cron.line_remove */
	DL_VERB_FILE_QUARANTINE,     /* file.quarantine */
	DL_VERB_REG_VALUE_DELETE,    /* reg.value_delete */
	DL_VERB_COUNT
};

enum dl_run_state {
	DL_RUN_PENDING, DL_RUN_RUNNING,
	DL_RUN_REMOVED, DL_RUN_ALREADY_GONE, DL_RUN_STALE, DL_RUN_FAILED, DL_RUN_REFUSED,
	DL_RUN_SKIPPED, DL_RUN_UNVERIFIED, DL_RUN_CANCELLED, DL_RUN_EXPIRED,
	DL_RUN_RESTORED, /* undo only */
	DL_RUN_STATE_COUNT
};

enum { DL_PLAN_STEPS_MAX = 200, DL_STEP_REQUIRES_MAX = 64, DL_STEP_TEXT_MAX_BYTES = 8192 };

struct dl_step {
	int64_t id;       /* 1, 2, … in plan order */
	enum dl_verb verb;
	char key[DL_SHA256_TEXT_SIZE]; /* foothold; "" for a manual step without one */
	char *title;      /* plain words: "Stop and remove service `x.service`" */
	char *why;        /* why the step is in the plan */
	enum dl_reason manual_because; /* of a manual step about a foothold */
	char *detail;     /* words for manual_because, or a person's instructions */
	bool downgraded;  /* a person made an assisted step manual */
	char *unit;       /* systemd.unit_remove: unit name */
	char *line;       /* cron.line_remove */
	int64_t occurrence;
	struct dl_object *objects; /* target and precondition: what must be found, exactly */
	size_t object_count;
	int64_t *requires; /* ids of earlier steps */
	size_t require_count;
};

void dl_step_clear(struct dl_step *step);
json_t *dl_step_to_json(const struct dl_step *step);
int dl_step_from_json(const json_t *json, struct dl_step *ret_step, struct dl_error *err);

const char *dl_verb_name(enum dl_verb verb);
const char *dl_run_state_name(enum dl_run_state state);
int dl_run_state_parse(const char *name, enum dl_run_state *ret, struct dl_error *err);
bool dl_run_state_is_terminal(enum dl_run_state state);

#endif
