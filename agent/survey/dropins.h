/* Drop-ins: the files that change a unit, systemd.unit(5) and systemd's
 * unit_file_find_dropin_paths().
 *
 * A unit's own lie in UNIT.d, or in ALIAS.d where the name is nothing but its
 * alias. Shared ones change every unit of a prefix (foo-.service.d) or of a
 * type (service.d): they are no part of any unit. Footholds row L2.
 */
#ifndef DL_AGENT_SURVEY_DROPINS_H
#define DL_AGENT_SURVEY_DROPINS_H

#include "agent/survey/units.h"

enum { DL_DROPINS_MAX = 64 }; /* of one unit, its own and the shared ones together */

struct dl_dropins {
	const struct dl_unit_entry *list[DL_DROPINS_MAX]; /* borrowed */
	size_t count;
	bool cut; /* there are more than we look at */
};

/* Those in force for the unit of this file, in the order in which systemd reads them: by file
 * name, and of one name only the first: a whole type's last, else by folder, then by how exactly
 * it means the unit. */
void dl_dropins_in_force(const struct dl_units *units, const struct dl_unit_entry *file,
			 struct dl_dropins *ret);

/* The unit's own, in force or not, those of a template's instances among them. */
void dl_dropins_own(const struct dl_units *units, const struct dl_unit_entry *file,
		    struct dl_dropins *ret);

bool dl_dropin_is_shared(const struct dl_unit_entry *dropin);

#endif
