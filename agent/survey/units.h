/* Units: the system manager's unit folders in order of precedence,
 * systemd.unit(5), "UNIT FILE LOAD PATH".
 *
 * Holds names and paths only: which files are units, which names are links
 * and to whom, which drop-ins there are. Footholds row L1.
 */
#ifndef DL_AGENT_SURVEY_UNITS_H
#define DL_AGENT_SURVEY_UNITS_H

#include "agent/platform/host.h"

enum { DL_UNITS_MAX = 30000 }; /* files, links and drop-ins together */

enum dl_unit_place {
	DL_PLACE_DISK,      /* /etc, /usr, /usr/local */
	DL_PLACE_RUN,       /* /run/systemd/system: gone after a reboot */
	DL_PLACE_TRANSIENT, /* made by a running program: gone when the unit stops */
	DL_PLACE_GENERATED, /* written again at each reload */
};

enum dl_unit_entry_type {
	DL_ENTRY_FILE,   /* a unit file, or what stands in place of one */
	DL_ENTRY_LINK,   /* a symlink that names a unit: wants, requires, upholds, alias */
	DL_ENTRY_MASK,   /* a symlink to /dev/null */
	DL_ENTRY_DROPIN,
};

struct dl_unit_entry {
	enum dl_unit_entry_type type;
	enum dl_unit_place place;
	size_t rank;     /* of its folder; lower wins */
	char *unit;      /* the unit it is, names or belongs to; "service" in service.d */
	char *family;    /* "name@.service" for an instance, else the unit */
	char *path;      /* canonical but for the leaf */
	char *alias;     /* links beside units: the name it gives the unit; NULL in X.wants */
	char *wanted_by; /* links in X.wants, X.requires, X.upholds: X; NULL otherwise */
};

struct dl_units {
	struct dl_unit_entry *entries; /* by family, then files by precedence */
	size_t count;
	bool cut;     /* some folder, or all together, hold more than we read */
	char *unread; /* the words why a folder could not be read; NULL if all could */
};

struct dl_units *dl_units_read(struct dl_host *host);
void dl_units_free(struct dl_units *units);
DL_DEFINE_AUTO(dl_units, dl_units_free)

/* The entries of one family, borrowed; *ret_count 0 if there are none. */
const struct dl_unit_entry *dl_units_of(const struct dl_units *units, const char *family,
					size_t *ret_count);

/* How many entries from `first` on are of its family. */
size_t dl_units_run(const struct dl_units *units, size_t first);

bool dl_unit_name_ends(const char *name, const char *suffix);

#endif
