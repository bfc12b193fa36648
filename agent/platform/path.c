#include "agent/platform/host_state.h"

#include "core/base/buf.h"

#include <string.h>

static bool is_dots(const char *part, size_t length)
{
	return (length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0);
}

int dl_path_check(const char *path, struct dl_error *err)
{
	if (path[0] != '/')
		return dl_error_set(err, DL_E_INVALID, "the path is not absolute");
	if (strnlen(path, DL_HOST_PATH_MAX) >= DL_HOST_PATH_MAX)
		return dl_error_set(err, DL_E_INVALID, "the path is longer than a path can be");
	if (path[1] == '\0')
		return 0;
	for (const char *part = path; *part;) {
		part++;
		size_t length = strcspn(part, "/");
		if (length == 0 || is_dots(part, length))
			return dl_error_set(err, DL_E_INVALID,
					    "the path has an empty or dotted part");
		part += length;
	}
	return 0;
}

char *dl_path_join(const char *folder, const char *name)
{
	dl_autobuf buf = DL_BUF_INIT;
	if (strcmp(folder, "/") != 0)
		dl_buf_puts(&buf, folder);
	dl_buf_puts(&buf, "/");
	dl_buf_puts(&buf, name);
	return dl_buf_take(&buf);
}

bool dl_path_is_under(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* A path on its way to its canonical form: `done` holds no symlink, `rest`
 * still has to be walked. */
struct walk {
	struct dl_host *host;
	char *done; /* "" is the root */
	char *rest;
	bool follow_leaf;
	bool missing; /* `done` is not there, so no links can lie below it */
	int links;
};

static void walk_release(struct walk *walk)
{
	free(walk->done);
	free(walk->rest);
}

/* Takes the first part off `rest`; NULL at the end. */
static char *next_part(struct walk *walk)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	if (!*start)
		return NULL;
	size_t length = strcspn(start, "/");
	char *part = dl_strndup(start, length);
	char *rest = dl_strdup(start + length);
	free(walk->rest);
	walk->rest = rest;
	return part;
}

static bool is_leaf(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static void step_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');
	if (slash)
		*slash = '\0';
	walk->missing = false;
}

/* Puts a link's target in front of what is left. */
static void turn_into(struct walk *walk, const char *target)
{
	dl_autobuf rest = DL_BUF_INIT;
	dl_buf_puts(&rest, target);
	dl_buf_puts(&rest, "/");
	dl_buf_puts(&rest, walk->rest);
	free(walk->rest);
	walk->rest = dl_buf_take(&rest);
	if (target[0] == '/')
		walk->done[0] = '\0';
}

static int walk_into(struct walk *walk, const char *part, struct dl_error *err)
{
	dl_autofree char *next = dl_path_join(*walk->done ? walk->done : "/", part);
	struct dl_host_facts facts = { 0 };
	if (!walk->missing && (walk->follow_leaf || !is_leaf(walk))) {
		int r = dl_host_look(walk->host, next, false, &facts, err);
		if (r < 0)
			return r;
		walk->missing = facts.type == DL_TYPE_MISSING;
	}
	if (facts.type == DL_TYPE_SYMLINK) {
		if (++walk->links > DL_HOST_LINKS_MAX)
			return dl_error_set(err, DL_E_INVALID, "the path is a loop of symlinks");
		turn_into(walk, facts.target);
	} else {
		free(walk->done);
		walk->done = DL_TAKE(next);
	}
	if (strlen(walk->done) + strlen(walk->rest) >= 2 * DL_HOST_PATH_MAX)
		return dl_error_set(err, DL_E_INVALID, "the path is longer than a path can be");
	return 0;
}

int dl_host_canonical(struct dl_host *host, const char *path, bool follow_leaf, char **ret_path,
		      struct dl_error *err)
{
	if (path[0] != '/')
		return dl_error_set(err, DL_E_INVALID, "the path is not absolute");
	if (strnlen(path, DL_HOST_PATH_MAX) >= DL_HOST_PATH_MAX)
		return dl_error_set(err, DL_E_INVALID, "the path is longer than a path can be");
	__attribute__((cleanup(walk_release))) struct walk walk = {
		.host = host, .done = dl_strdup(""), .rest = dl_strdup(path),
		.follow_leaf = follow_leaf,
	};
	for (int parts = 0;; parts++) {
		dl_autofree char *part = next_part(&walk);
		if (!part)
			break;
		if (parts == DL_HOST_PARTS_MAX)
			return dl_error_set(err, DL_E_INVALID,
					    "the path has more parts than we follow");
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			step_up(&walk);
			continue;
		}
		int r = walk_into(&walk, part, err);
		if (r < 0)
			return r;
	}
	if (follow_leaf && walk.missing)
		return dl_error_set(err, DL_E_NOT_FOUND, "nothing is there");
	*ret_path = *walk.done ? DL_TAKE(walk.done) : dl_strdup("/");
	return dl_path_check(*ret_path, err);
}
