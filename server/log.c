#include "server/log.h"

#include "core/base/bytes.h"
#include "core/base/mem.h"
#include "core/base/time.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOG_LINE_SIZE = 2048 };

void dl_log(enum dl_log_level level, const char *format, ...)
{
	static const char *const names[] = { "info", "warning", "error" };
	char words[LOG_LINE_SIZE], time[DL_TIME_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	dl_autofree char *safe = dl_bytes_encode_str(words);
	dl_time_format(dl_time_now_ms(), time);
	fprintf(stderr, "%s %s %s\n", time, names[level], safe);
}
