/* Difference: what changed between two revisions of one report, so that a
 * technician need not read everything again. Form: docs/api.md. */
#ifndef DL_SERVER_INCIDENT_DIFFERENCE_H
#define DL_SERVER_INCIDENT_DIFFERENCE_H

#include <jansson.h>

/* Both as parsed revision bodies. Steps are the same when verb, foothold and
 * first target (for a manual step: the title) are; `moved` tells that only the
 * order among the steps of both changed. New reference. */
json_t *dl_revision_difference(const json_t *before, const json_t *after);

#endif
