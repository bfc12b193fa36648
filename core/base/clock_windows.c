#include "core/base/time.h"

#include <windows.h>

/* A FILETIME counts tenths of a microsecond since 1601-01-01. */
enum { TICKS_PER_MS = 10000 };
static const int64_t ms_from_1601_to_1970 = 11644473600000;

int64_t dl_time_now_ms(void)
{
	FILETIME now;
	GetSystemTimeAsFileTime(&now);
	ULARGE_INTEGER ticks = { .LowPart = now.dwLowDateTime, .HighPart = now.dwHighDateTime };
	return (int64_t)(ticks.QuadPart / TICKS_PER_MS) - ms_from_1601_to_1970;
}

int64_t dl_time_monotonic_ms(void)
{
	return (int64_t)GetTickCount64();
}
