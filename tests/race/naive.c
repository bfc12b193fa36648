#include "naive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT "/arena/kept"

static bool looks_approved(const struct arena *arena)
{
	struct stat facts;

	return stat(ARENA_TARGET, &facts) == 0 && facts.st_ino == arena->approved_inode;
}

/* What mv(1) does across file systems. */
static bool copy_and_unlink(void)
{
	char content[256];
	int from = open(ARENA_TARGET, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int to = open(KEPT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t got = from < 0 ? -1 : read(from, content, sizeof(content));
	bool copied = got >= 0 && to >= 0 && write(to, content, (size_t)got) == got;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return copied && unlink(ARENA_TARGET) == 0;
}

bool naive_take_loses(const struct arena *arena)
{
	struct stat facts;

	if (!looks_approved(arena))
		return false;
	if (rename(ARENA_TARGET, KEPT) < 0) {
		if (errno != EXDEV)
			return false;
		return copy_and_unlink();
	}
	if (lstat(KEPT, &facts) < 0 || facts.st_ino != arena->approved_inode)
		return true;
	arena_put_back(arena, KEPT);
	return false;
}
