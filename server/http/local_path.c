#include "server/http/local_path.h"

#include <string.h>

bool dl_path_is_local(const char *path)
{
	if (!path || *path != '/' || strlen(path) > DL_LOCAL_PATH_MAX_BYTES)
		return false;
	for (const char *c = path; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '\\')
			return false;
	const char *empty = strstr(path, "//");
	return !empty || empty > path + strcspn(path, "?#");
}
