#include "core/base/time.h"

#include <stdio.h>

/* Civil date from days since the epoch; years count from March so that the
 * leap day falls last. Avoids gmtime, whose thread-safe form differs between
 * platforms. */
static void date_of_days(int64_t days, int64_t *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

void dl_time_format(int64_t ms, char out[DL_TIME_TEXT_SIZE])
{
	int64_t seconds = ms / 1000, days = seconds / 86400, rest = seconds % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t year;
	int month, day;
	date_of_days(days, &year, &month, &day);
	snprintf(out, DL_TIME_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)year, month,
		 day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}
