/* Cron table: from one file of cron's to one foothold per line, T1053.003,
 * rows L8 and L9.
 *
 * Whether a line was added to a table that a package owns is proved by taking
 * it out: if the file without this line (and perhaps other lines) is exactly
 * what the package shipped, the line was added.
 */
#ifndef DL_AGENT_SURVEY_CRON_TABLE_H
#define DL_AGENT_SURVEY_CRON_TABLE_H

#include "agent/survey/scan.h"

/* Lines of which every subset is tried for the proof. */
enum { DL_CRON_PROOF_LINES_MAX = 10 };

struct dl_cron_source {
	const char *path;  /* as cron opens it; canonical but for the leaf */
	const char *user;  /* whose table it is; NULL: jobs name their users */
	const char *inert; /* why cron does not read it, or NULL */
};

/* Adds a foothold for every job and every line that cron cannot read. */
void dl_cron_footholds(struct dl_scan *scan, const struct dl_cron_source *source);

#endif
