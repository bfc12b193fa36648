#include "server/command/option.h"

#include <errno.h>
#include <stdlib.h>

int dl_option_unknown(char **argv, struct dl_error *err)
{
	return dl_error_set(err, DL_E_INVALID, "'%s' is no option of this command, or lacks its value",
			    argv[optind - 1]);
}

int dl_option_no_more(int argc, char **argv, struct dl_error *err)
{
	if (optind < argc)
		return dl_error_set(err, DL_E_INVALID, "'%s' is one argument too many", argv[optind]);
	return 0;
}

int dl_option_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret,
		     struct dl_error *err)
{
	char *end;

	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max)
		return dl_error_set(err, DL_E_INVALID, "%s must be a number from %lld to %lld", name,
				    (long long)min, (long long)max);
	*ret = number;
	return 0;
}

int dl_option_missing(const char *name, struct dl_error *err)
{
	return dl_error_set(err, DL_E_INVALID, "%s is missing", name);
}
