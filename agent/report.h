/* Report: plans, what came of them, and the quarantine, as a person reads them. */
#ifndef DL_AGENT_REPORT_H
#define DL_AGENT_REPORT_H

#include "agent/page.h"
#include "core/json/json.h"
#include "core/plan/plan.h"

/* Which plan, for which host, from when. */
void dl_report_head(const struct dl_page *page, const char *plan_id, const char *hostname,
		    int64_t made);
/* Every step in order: what it touches, why it is there, and why a manual one
 * is manual. `chosen` NULL: all. */
void dl_report_plan(const struct dl_page *page, const struct dl_plan *plan, const bool *chosen);

/* One line per run of a result (docs/protocol.md) and what a person has to know.
 * `dry`: it is what would happen. */
void dl_report_runs(const struct dl_page *page, const struct dl_plan *plan, const json_t *runs,
		    bool dry);
/* The exit code that runs mean (agent/command.h). */
int dl_report_exit(const json_t *runs);

/* A list or one item of agent/quarantine/items.h. */
void dl_report_items(const struct dl_page *page, const json_t *list);
void dl_report_item(const struct dl_page *page, const json_t *item);

#endif
