#include "agent/platform/linux/mounts.h"

#include "core/base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct mounts {
	FILE *list;
	char *line;
	size_t room;
};

static void mounts_clear(struct mounts *mounts)
{
	if (mounts->list)
		fclose(mounts->list);
	free(mounts->line);
}
#define dl_automounts __attribute__((cleanup(mounts_clear))) struct mounts

static bool is_octal(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (text[i] < '0' || text[i] > '7')
			return false;
	return true;
}

/* Space, tab, newline and backslash are written as three octal digits. */
static void mount_decode(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && is_octal(text + 1)) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE …"; point and type stay in `line`. */
static bool mount_parse(char *line, char **ret_point, char **ret_type)
{
	char *end = strstr(line, " - "), *at = line;

	if (!end)
		return false;
	*end = '\0';
	*ret_type = end + 3;
	(*ret_type)[strcspn(*ret_type, " \n")] = '\0';
	for (int i = 0; i < 4; i++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	at[strcspn(at, " ")] = '\0';
	mount_decode(at);
	*ret_point = at;
	return true;
}

static bool mount_holds(const char *point, const char *path)
{
	size_t length = strlen(point);

	return length > 1 && strncmp(path, point, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

static bool mount_is_served(const char *type)
{
	return strcmp(type, "fuse") == 0 || strcmp(type, "fuseblk") == 0 ||
	       strncmp(type, "fuse.", 5) == 0;
}

/* The way to the path may cross several mounts; any of them can make it wait. */
int dl_mounts_check(const char *path, struct dl_error *err)
{
	dl_automounts mounts = { .list = fopen("/proc/self/mountinfo", "re") };
	char *point, *type;

	if (!mounts.list)
		return dl_error_errno(err, errno, "reading the list of mounts");
	while (getline(&mounts.line, &mounts.room, mounts.list) >= 0)
		if (mount_parse(mounts.line, &point, &type) && mount_is_served(type) &&
		    mount_holds(point, path))
			return dl_error_set(err, DL_E_UNSUPPORTED,
					    "it lies on %s, a file system that a process serves "
					    "(%s): its answers need not come, nor be true. Examine "
					    "it by hand.",
					    point, type);
	return 0;
}
