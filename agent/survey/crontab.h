/* Crontab: the lines of one cron table, by crontab(5) and what Debian's cron
 * 3.0pl1 does.
 *
 * Lines keep their exact bytes: they are what a step removes. An assignment
 * above a job belongs to it (PATH=, SHELL=). A line that cron does not
 * understand is kept as a finding.
 *
 * Observed on cron 3.0pl1-162: one line that cannot be read, a user that does
 * not exist, or a last line without its newline make cron ignore the whole
 * table.
 */
#ifndef DL_AGENT_SURVEY_CRONTAB_H
#define DL_AGENT_SURVEY_CRONTAB_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DL_CRONTAB_LINES_MAX = 10000, /* lines that are no comments */
	DL_CRONTAB_LINE_MAX = 4096,   /* bytes; longer lines are passed over, and said */
	DL_CRONTAB_COMMAND_MAX = 998, /* bytes; cron cannot read a line with a longer command */
};

enum dl_cron_line_type { DL_CRON_JOB, DL_CRON_SETTING, DL_CRON_UNREADABLE };

struct dl_cron_line {
	enum dl_cron_line_type type;
	char *line;         /* exact bytes without the newline, owned like all texts here */
	size_t offset;      /* in the table */
	size_t size;        /* in the table, with the newline */
	int64_t occurrence; /* 1 for the first line with these bytes */
	char *schedule;     /* jobs: "@reboot", or its five fields */
	char *user;         /* jobs of system tables */
	char *command;      /* jobs: the rest; settings: the value */
	char *name;         /* settings */
};

struct dl_crontab {
	struct dl_cron_line *lines;
	size_t count;
	size_t job_count;
	size_t unreadable_count;
	bool unterminated;  /* no final newline */
	bool cut;           /* more lines than DL_CRONTAB_LINES_MAX, or a NUL byte */
};

/* Never fails: every text is some table. `with_user`: a system table, whose
 * jobs name the user after the schedule. */
struct dl_crontab *dl_crontab_parse(const char *text, size_t size, bool with_user);
void dl_crontab_free(struct dl_crontab *table);
DL_DEFINE_AUTO(dl_crontab, dl_crontab_free)

/* The value that a name has for the job on line `index`, NULL if none. Borrowed. */
const char *dl_crontab_setting(const struct dl_crontab *table, size_t index, const char *name);

#endif
