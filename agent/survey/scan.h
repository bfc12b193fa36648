/* Scan: one survey while it is being made; what the kinds share. */
#ifndef DL_AGENT_SURVEY_SCAN_H
#define DL_AGENT_SURVEY_SCAN_H

#include "agent/survey/survey.h"

struct dl_units;

enum {
	/* Kept for each kind still to come, so that flooding one hides no other. */
	DL_SCAN_RESERVED = 500,
	DL_SCAN_RESERVED_BYTES = 512 * 1024,
	/* Spent on systemd's answers in one survey; a crowded folder makes them slow. */
	DL_SCAN_ASK_MS = 15 * 1000,
	/* Looks at names (dl_host_looks) for one foothold's payloads, and for a whole kind. A path
	 * of a thousand folders makes a look cost 0.1 ms. */
	DL_SCAN_FOOTHOLD_LOOKS = 8 * 1024,
	DL_SCAN_KIND_LOOKS = 500 * 1000,
};

struct dl_scan {
	struct dl_host *host;
	const struct dl_survey_options *options;
	struct dl_survey *survey;
	struct dl_units *units; /* the unit folders, read once for all unit kinds; owned */
	enum dl_kind kind;      /* being scanned */
	size_t room;            /* footholds the survey may hold after this kind … */
	size_t room_bytes;      /* … and their bytes */
	int64_t looks_max;      /* dl_host_looks at which this kind has cost enough */
	bool systemd_silent;    /* it did not answer once: not asked again */
	int64_t asked_ms;       /* spent on systemd's answers so far */
};

/* One kind. Unexpected failure only; gaps go through dl_scan_partial. */
typedef int (*dl_scan_kind)(struct dl_scan *scan, struct dl_error *err);
int dl_scan_systemd_service(struct dl_scan *scan, struct dl_error *err);
int dl_scan_systemd_timer(struct dl_scan *scan, struct dl_error *err);
int dl_scan_cron_system(struct dl_scan *scan, struct dl_error *err);
int dl_scan_cron_user(struct dl_scan *scan, struct dl_error *err);

/* The kind being scanned is not covered completely; the first reason stays. */
void dl_scan_partial(struct dl_scan *scan, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* No foothold of this kind has room any more; coverage is then partial. */
bool dl_scan_is_full(struct dl_scan *scan);

/* Seals the foothold, asks the memory and hands it to the survey. */
void dl_scan_add(struct dl_scan *scan, struct dl_foothold *foothold);

/* Adds the object at a canonical path, or says why coverage is partial; NULL then. Borrowed. */
struct dl_object *dl_scan_object(struct dl_scan *scan, struct dl_foothold *foothold,
				 const char *path, enum dl_object_role role);

/* Where the search for the next foothold's payloads ends: dl_payload_place's looks_max. */
int64_t dl_scan_looks_max(const struct dl_scan *scan);

/* Text for a foothold: at most `limit` bytes of raw text in the spelling of bytes; NULL for
 * NULL. */
char *dl_scan_text(const char *raw, size_t limit);

/* True for what a package put there and nobody changed. */
bool dl_object_is_shipped(const struct dl_object *object);

#endif
