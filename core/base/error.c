#include "core/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dl_error_set(struct dl_error *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	va_list args;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	err->code = code;
	return code;
}

/* What does not fit is cut at the end: the outermost words matter most. */
static void put_before(struct dl_error *err, const char *prefix)
{
	const size_t room = sizeof(err->text) - 1;
	size_t head = strnlen(prefix, room);
	size_t mark = room - head < 2 ? room - head : 2;
	size_t tail = strnlen(err->text, room - head - mark);
	memmove(err->text + head + mark, err->text, tail);
	memcpy(err->text, prefix, head);
	memcpy(err->text + head, ": ", mark);
	err->text[head + mark + tail] = '\0';
}

int dl_error_prefix(struct dl_error *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	char prefix[DL_ERROR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	put_before(err, prefix);
	err->code = code;
	return code;
}

static int code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return DL_E_NOT_FOUND;
	case EEXIST:
		return DL_E_EXISTS;
	case EACCES:
	case EPERM:
		return DL_E_DENIED;
	case ENOSPC:
#ifdef EDQUOT
	case EDQUOT:
#endif
		return DL_E_NO_SPACE;
	case EXDEV:
		return DL_E_CROSS_DEVICE;
	case EBUSY:
	case ETXTBSY:
		return DL_E_BUSY;
	default:
		return DL_E_IO;
	}
}

int dl_error_errno(struct dl_error *err, int errnum, const char *format, ...)
{
	int code = code_of_errno(errnum);
	if (!err)
		return code;
	char prefix[DL_ERROR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	snprintf(err->text, sizeof(err->text), "%s", strerror(errnum));
	put_before(err, prefix);
	err->code = code;
	return code;
}

static const char *const names[] = {
	"ok",	       "invalid",   "limit",	 "not_found",	 "exists",  "denied",
	"stale",       "state",	    "busy",	 "io",		 "no_space", "cross_device",
	"timeout",     "unsupported", "unavailable", "crypto",
};

const char *dl_error_name(int code)
{
	size_t index = (size_t)(-code);
	return code <= 0 && index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}
