/* The footholds of one run of the bench: a trigger and its payload each, by path. */
#ifndef DL_TESTS_BENCH_FOOTHOLDS_H
#define DL_TESTS_BENCH_FOOTHOLDS_H

#include "core/base/error.h"
#include "core/base/mem.h"

struct foothold {
	char *trigger, *payload; /* absolute paths, owned */
};

struct footholds {
	struct foothold *items;
	size_t count;
};
void footholds_clear(struct footholds *footholds);
#define dl_autofootholds __attribute__((cleanup(footholds_clear))) struct footholds

/* A list has one foothold a line: trigger, tab, payload. */
int footholds_read(const char *list, struct footholds *ret_footholds, struct dl_error *err);

/* Seconds of a clock that never jumps. */
double bench_seconds(void);

#endif
