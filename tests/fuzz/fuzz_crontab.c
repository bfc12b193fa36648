/* A cron table: its lines lie in it one after the other, with exactly their bytes. */
#include "fuzz.h"

#include "agent/survey/crontab.h"

#include <string.h>

static void lines_lie_in_the_table(const struct dl_crontab *table, const char *text, size_t size)
{
	size_t end = 0, jobs = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct dl_cron_line *line = &table->lines[i];
		must(line->offset >= end && line->offset + line->size <= size);
		must(strlen(line->line) <= line->size);
		must(memcmp(text + line->offset, line->line, strlen(line->line)) == 0);
		must(line->occurrence >= 1);
		must((line->type == DL_CRON_JOB) == (line->schedule != NULL));
		must((line->type == DL_CRON_SETTING) == (line->name != NULL));
		jobs += line->type == DL_CRON_JOB;
		end = line->offset + line->size;
	}
	must(jobs == table->job_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	dl_auto(dl_crontab) system = dl_crontab_parse(text, size, true);
	dl_auto(dl_crontab) user = dl_crontab_parse(text, size, false);
	lines_lie_in_the_table(system, text, size);
	lines_lie_in_the_table(user, text, size);
	must(dl_crontab_setting(user, user->count, "no such name") == NULL || user->count > 0);
	return 0;
}
