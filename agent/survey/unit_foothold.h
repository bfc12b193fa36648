/* Unit foothold: what services and timers have in common.
 *
 * A foothold is a unit file that no package owns or that was changed, or one
 * to which somebody added drop-ins or links. Its objects: the unit, its own
 * drop-ins, exactly the links that name it; the kind adds the payloads. A
 * drop-in that many units share is a foothold of its own, for people to remove.
 */
#ifndef DL_AGENT_SURVEY_UNIT_FOOTHOLD_H
#define DL_AGENT_SURVEY_UNIT_FOOTHOLD_H

#include "agent/survey/scan.h"
#include "agent/survey/unit_file.h"
#include "agent/survey/units.h"

enum { DL_UNIT_EXTRAS_MAX = 40 }; /* drop-ins and links of one unit; leaves room for payloads */

/* Adds what only this kind knows: command, schedule, payloads. `unit` is the raw name, NULL for a
 * drop-in of many units. */
typedef void (*dl_unit_fill)(struct dl_scan *scan, const char *unit,
			     const struct dl_unit_file *settings, struct dl_foothold *foothold);

/* Goes over all units whose name ends in `suffix`. */
void dl_unit_footholds(struct dl_scan *scan, const char *suffix, dl_unit_fill fill);

#endif
