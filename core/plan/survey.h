/* Survey: the footholds of one host at one time, and how far one may believe
 * that nothing is missing. Without complete coverage of a kind nothing of
 * that kind is called gone. JSON form: docs/protocol.md. */
#ifndef DL_CORE_PLAN_SURVEY_H
#define DL_CORE_PLAN_SURVEY_H

#include "core/plan/foothold.h"

enum dl_coverage { DL_COVERAGE_UNSUPPORTED, DL_COVERAGE_PARTIAL, DL_COVERAGE_COMPLETE };

struct dl_survey {
	int64_t started, finished; /* ms */
	bool trusted;              /* false on a hooked host (ld.so.preload) */
	char *untrusted_because;
	enum dl_coverage coverage[DL_KIND_COUNT];
	char *coverage_why[DL_KIND_COUNT]; /* of partial and unsupported */
	int64_t omitted;           /* package-owned, unmodified footholds not listed */
	struct dl_foothold **footholds;
	size_t foothold_count;
	size_t foothold_bytes;     /* of the footholds' JSON, weighed by dl_survey_add */
	struct { char *hostname, *os, *kernel, *architecture; } host;
};

struct dl_survey *dl_survey_new(void);
void dl_survey_free(struct dl_survey *survey);
DL_DEFINE_AUTO(dl_survey, dl_survey_free)

/* Takes ownership of the sealed foothold. Past DL_SURVEY_FOOTHOLDS_MAX or
 * DL_SURVEY_MAX_BYTES (quotes weigh more), or when it breaks a limit that its reader would refuse,
 * it is freed, and the kind's coverage becomes partial and stays so: one
 * hostile name never sinks a survey. */
void dl_survey_add(struct dl_survey *survey, struct dl_foothold *foothold);
/* Partial coverage is never raised again. */
void dl_survey_cover(struct dl_survey *survey, enum dl_kind kind, enum dl_coverage coverage,
		     const char *why);

const char *dl_coverage_name(enum dl_coverage coverage); /* unsupported, partial, complete */
json_t *dl_survey_to_json(const struct dl_survey *survey);
int dl_survey_from_json(const json_t *json, struct dl_survey **ret, struct dl_error *err);

#endif
