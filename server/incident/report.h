/* Report: what an analyst writes, and the exact bytes of the revision it
 * becomes. A revision's digest is SHA-256 of those bytes: decisions name it, and
 * the host hashes them again. Form: docs/protocol.md, "Order body".
 */
#ifndef DL_SERVER_INCIDENT_REPORT_H
#define DL_SERVER_INCIDENT_REPORT_H

#include "core/plan/plan.h"

struct dl_report {
	const char *subject, *severity, *summary, *recommendations; /* borrowed */
};

/* The severity is known and the subject says something. */
int dl_report_check(const struct dl_report *report, struct dl_error *err);

/* Proposes the plan for an edit in its JSON form (docs/api.md) from a survey.
 * INVALID: unknown members, no footholds and no manual steps. */
int dl_report_propose(const struct dl_survey *survey, const json_t *edit,
		      struct dl_plan **ret_plan, struct dl_error *err);

/* The revision's bytes, owned by the caller, and their digest. DL_E_LIMIT: an
 * order that carries them would be too large. */
int dl_report_to_body(const struct dl_report *report, int64_t incident, int64_t no,
		      const struct dl_plan *plan, char **ret_body,
		      char ret_digest[DL_SHA256_TEXT_SIZE], struct dl_error *err);

/* The whole revision again, from bytes the server wrote itself. */
int dl_report_from_body(const char *body, json_t **ret_revision, struct dl_plan **ret_plan,
			struct dl_error *err);

/* Whether somebody may be asked to approve: some step is assisted. If not, the
 * words say why nothing can be, for the page (owned, NULL otherwise). */
bool dl_report_reviewable(const struct dl_plan *plan, char **ret_because);

#endif
