/* The server's log: one line per event on standard error, "time level words".
 * Bytes that are not printable UTF-8, and '%', are escaped as in
 * core/base/bytes.h, so that nobody outside can write lines of their own. */
#ifndef DL_SERVER_LOG_H
#define DL_SERVER_LOG_H

enum dl_log_level { DL_LOG_INFO, DL_LOG_WARNING, DL_LOG_ERROR };

/* Safe from any thread. Secrets and tokens are never passed here. */
void dl_log(enum dl_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
