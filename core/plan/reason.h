/* Reason codes: stable names for why a step did not end in "removed", or why
 * it cannot be assisted at all, each with a sentence for people. A reason
 * never repeats a state. */
#ifndef DL_CORE_PLAN_REASON_H
#define DL_CORE_PLAN_REASON_H

enum dl_reason {
	DL_REASON_NONE,
	DL_REASON_IN_USE,             /* in_use */
	DL_REASON_PROTECTED,          /* protected: on the never-list */
	DL_REASON_PACKAGE_OWNED,      /* package_owned */
	DL_REASON_MODIFIED_EXISTING,  /* modified_existing: changed or not provably created */
	DL_REASON_IMMUTABLE_REFUSED,  /* immutable_refused */
	DL_REASON_CROSS_DEVICE,       /* cross_device */
	DL_REASON_BUSY_MOUNT,         /* busy_mount */
	DL_REASON_PARTIAL_HARDLINKS,  /* partial_hardlinks */
	DL_REASON_NO_SPACE,           /* no_space */
	DL_REASON_IO_ERROR,           /* io_error */
	DL_REASON_UNSUPPORTED,        /* unsupported */
	DL_REASON_BAD_SIGNATURE,      /* bad_signature */
	DL_REASON_WRONG_TARGET,       /* wrong_target */
	DL_REASON_PRECONDITION,       /* precondition */
	DL_REASON_REQUIREMENT_FAILED, /* requirement_failed */
	DL_REASON_NEEDS_ATTENTION,    /* needs_attention: the detail says what */
	DL_REASON_COUNT
};

const char *dl_reason_name(enum dl_reason reason);      /* "" for NONE */
const char *dl_reason_sentence(enum dl_reason reason);
/* DL_REASON_COUNT when the name is unknown. */
enum dl_reason dl_reason_parse(const char *name);

#endif
