/* The composing form: its fields, and the report they mean.
 *
 * Fields of one step carry its number in the last proposal: target.N (the
 * foothold's key or the payload's path), target-kind.N, manual.N,
 * instructions.N; `leave` and `key` repeat; extra-title.N and extra-how.N are
 * manual instructions. Numbers run from 1.
 */
#ifndef DL_SERVER_PORTAL_REPORT_FORM_H
#define DL_SERVER_PORTAL_REPORT_FORM_H

#include "core/json/json.h"
#include "server/http/request.h"
#include "server/store/store.h"

/* {"subject","severity","summary","recommendations","edit"} of what was sent;
 * owned by the caller. Texts that are no UTF-8 count as empty. */
json_t *dl_report_form_read(struct dl_request *request);

/* The same of a stored revision. Owned by the caller. */
json_t *dl_report_form_of_revision(const json_t *revision);

/* Drops the footholds that are not in this list of views any more, and what
 * was said about them: a next revision covers what remains. */
void dl_report_form_keep_present(json_t *report, const json_t *footholds);

/* Borrows from `report`. */
struct dl_report_request dl_report_form_request(const json_t *report);

/* What the compose page shows in its fields: the report's texts,
 * `leave_payloads`, and `manual` with numbers and one empty row. Owned. */
json_t *dl_report_form_fields(const json_t *report);

/* Names in each step of a plan view the field values by which an edit means
 * it: `target`, `target_kind` ("key" or "path"; absent for extra manual work),
 * and the analyst's own `instructions`. */
void dl_report_form_name_targets(json_t *plan, const json_t *report);

/* Marks the footholds (a list of views) that the report names: `chosen`. */
void dl_report_form_mark_chosen(json_t *footholds, const json_t *report);

#endif
