/* Time: milliseconds since 1970-01-01T00:00:00Z everywhere in the program and
 * in JSON; RFC 3339 in UTC where people read it. */
#ifndef DL_CORE_BASE_TIME_H
#define DL_CORE_BASE_TIME_H

#include <stdint.h>

int64_t dl_time_now_ms(void);

/* Milliseconds of a clock that never jumps, for measuring and waiting. */
int64_t dl_time_monotonic_ms(void);

/* "2026-01-31T23:59:59Z"; `out` has room for DL_TIME_TEXT_SIZE bytes. */
enum { DL_TIME_TEXT_SIZE = 32 };
void dl_time_format(int64_t ms, char out[DL_TIME_TEXT_SIZE]);

#endif
