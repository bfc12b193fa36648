#include "tests/bench/footholds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_SIZE = 8192 };

void footholds_clear(struct footholds *footholds)
{
	for (size_t i = 0; i < footholds->count; i++) {
		free(footholds->items[i].trigger);
		free(footholds->items[i].payload);
	}
	free(footholds->items);
	*footholds = (struct footholds){ 0 };
}

static void close_stream(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

int footholds_read(const char *list, struct footholds *ret_footholds, struct dl_error *err)
{
	__attribute__((cleanup(close_stream))) FILE *stream = fopen(list, "re");
	dl_autofootholds found = { 0 };
	char line[LINE_SIZE];

	if (!stream)
		return dl_error_errno(err, errno, "%s", list);
	while (fgets(line, sizeof(line), stream)) {
		char *payload = line;
		const char *trigger = strsep(&payload, "\t");

		if (!payload)
			return dl_error_set(err, DL_E_INVALID, "%s: a line without a payload", list);
		payload[strcspn(payload, "\n")] = '\0';
		found.items = dl_realloc(found.items, found.count + 1, sizeof(*found.items));
		found.items[found.count++] =
			(struct foothold){ dl_strdup(trigger), dl_strdup(payload) };
	}
	*ret_footholds = found;
	found = (struct footholds){ 0 };
	return 0;
}

double bench_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
