/* Work: carries a permitted order to its end, and after a start finishes what
 * an earlier life left. Every order that began ends in a result record, every
 * end is followed by a survey, which is what proves the footholds gone. */
#ifndef DL_AGENT_EXECUTOR_WORK_H
#define DL_AGENT_EXECUTOR_WORK_H

#include "agent/executor/admission.h"
#include "agent/remedy/remedy.h"

struct dl_work {
	struct dl_journal *journal; /* all borrowed */
	const struct dl_identity *identity;
	struct dl_admission *admission;
	struct dl_remedy *remedy;
};

/* Does what the order says and keeps the result. When it fails nothing more
 * could be journalled: the plan stays CLAIMED. */
int dl_work_do(const struct dl_work *work, const struct dl_order *order, struct dl_error *err);

/* Ends an order that a verdict forbids: runs become cancelled or expired. */
int dl_work_forbid(const struct dl_work *work, const struct dl_order *order,
		   enum dl_verdict verdict, struct dl_error *err);

/* Ends an order that was refused, with its result. */
int dl_work_refuse(const struct dl_work *work, const struct dl_refusal *refusal,
		   const char *detail, struct dl_error *err);

/* Once, after a start: half-done moves reach an end, steps that had begun are
 * finished under their old ticket, and what had not begun is asked for anew. */
int dl_work_recover(const struct dl_work *work, struct dl_error *err);

/* Surveys the running host into the outbox. */
int dl_work_survey(const struct dl_work *work, struct dl_error *err);

#endif
