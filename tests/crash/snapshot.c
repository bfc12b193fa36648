#include "snapshot.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/crypto/sha256.h"
#include "scratch.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CONTENT_CHUNK = 65536, XATTRS_SIZE = 4096, HASHED_MAX = 4 * 1024 * 1024 };

struct entry {
	char *path, *facts; /* owned; path as the scratch host names it */
};

struct snapshot {
	struct entry *entries;
	size_t count;
};

static const char *const left_out[] = { SCRATCH_STATE, "/dev", "/proc", "/run" };

/* ---- one object ---- */

/* Sparse giants are told apart by their size. */
static void add_content(struct dl_buf *line, const char *path, off_t size)
{
	dl_auto(dl_sha256) hash = dl_sha256_new();
	static char chunk[CONTENT_CHUNK];
	uint8_t digest[DL_SHA256_SIZE];
	char text[DL_SHA256_TEXT_SIZE];
	int handle = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	ssize_t got;

	if (handle < 0)
		err(EXIT_FAILURE, "reading %s", path);
	while (size <= HASHED_MAX && (got = read(handle, chunk, sizeof(chunk))) > 0)
		dl_sha256_add(hash, chunk, (size_t)got);
	close(handle);
	dl_sha256_finish(hash, digest);
	dl_hex_encode(digest, sizeof(digest), text);
	dl_buf_printf(line, " sha256=%s", text);
}

static void add_xattrs(struct dl_buf *line, const char *path)
{
	char names[XATTRS_SIZE], value[XATTRS_SIZE], text[2 * XATTRS_SIZE + 1];
	ssize_t size = llistxattr(path, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t got = lgetxattr(path, names + at, value, sizeof(value));

		dl_hex_encode(value, got < 0 ? 0 : (size_t)got, text);
		dl_buf_printf(line, " %s=%s", names + at, text);
	}
}

static void add_flags(struct dl_buf *line, const char *path)
{
	int flags = 0, handle = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (handle < 0)
		return;
	if (ioctl(handle, FS_IOC_GETFLAGS, &flags) < 0)
		flags = 0;
	close(handle);
	dl_buf_printf(line, " flags=%x", flags & (FS_IMMUTABLE_FL | FS_APPEND_FL));
}

static bool folder_is_empty(const char *path)
{
	DIR *stream = opendir(path);
	int names = 0;

	if (!stream)
		err(EXIT_FAILURE, "listing %s", path);
	while (names < 3 && readdir(stream))
		names++;
	closedir(stream);
	return names < 3;
}

char *facts_read(const char *path, enum facts_depth depth)
{
	dl_autobuf line = DL_BUF_INIT;
	struct stat facts;
	char target[4096];
	ssize_t size;

	if (lstat(path, &facts) < 0)
		return NULL;
	dl_buf_printf(&line, "mode=%o uid=%u gid=%u", facts.st_mode, facts.st_uid, facts.st_gid);
	if (!S_ISDIR(facts.st_mode) || folder_is_empty(path))
		dl_buf_printf(&line, " mtime=%lld.%09ld", (long long)facts.st_mtim.tv_sec,
			      facts.st_mtim.tv_nsec);
	if (S_ISREG(facts.st_mode)) {
		dl_buf_printf(&line, " size=%lld", (long long)facts.st_size);
		add_content(&line, path, facts.st_size);
	}
	if (S_ISLNK(facts.st_mode) && (size = readlink(path, target, sizeof(target))) >= 0)
		dl_buf_printf(&line, " target=%.*s", (int)size, target);
	add_xattrs(&line, path);
	if (depth == FACTS_EXACT && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)))
		add_flags(&line, path);
	if (depth == FACTS_EXACT && !S_ISDIR(facts.st_mode))
		dl_buf_printf(&line, " links=%u", (unsigned int)facts.st_nlink);
	return dl_buf_take(&line);
}

/* ---- a tree ---- */

static bool is_left_out(const char *path)
{
	for (size_t i = 0; i < DL_COUNT(left_out); i++)
		if (strcmp(path, left_out[i]) == 0)
			return true;
	return false;
}

static void walk(struct snapshot *snapshot, const char *folder);

static void add_entry(struct snapshot *snapshot, const char *folder, const char *name, bool deeper)
{
	dl_autobuf path = DL_BUF_INIT;

	dl_buf_printf(&path, "%s/%s", folder, name);
	if (is_left_out(path.data))
		return;
	snapshot->entries = dl_realloc(snapshot->entries, snapshot->count + 1,
				       sizeof(*snapshot->entries));
	snapshot->entries[snapshot->count++] = (struct entry){
		dl_strdup(path.data),
		facts_read(scratch_path(path.data), FACTS_EXACT),
	};
	if (deeper)
		walk(snapshot, path.data);
}

static void walk(struct snapshot *snapshot, const char *folder)
{
	DIR *stream = opendir(scratch_path(folder));
	const struct dirent *name;

	if (!stream)
		err(EXIT_FAILURE, "listing %s", folder);
	while ((name = readdir(stream)))
		if (strcmp(name->d_name, ".") != 0 && strcmp(name->d_name, "..") != 0)
			add_entry(snapshot, folder, name->d_name, name->d_type == DT_DIR);
	closedir(stream);
}

static int compare_entries(const void *one, const void *other)
{
	return strcmp(((const struct entry *)one)->path, ((const struct entry *)other)->path);
}

struct snapshot *snapshot_take(void)
{
	struct snapshot *snapshot = DL_NEW(struct snapshot);

	walk(snapshot, "");
	qsort(snapshot->entries, snapshot->count, sizeof(*snapshot->entries), compare_entries);
	return snapshot;
}

struct snapshot *snapshot_copy(const struct snapshot *snapshot)
{
	struct snapshot *copy = DL_NEW(struct snapshot);

	copy->count = snapshot->count;
	copy->entries = dl_alloc(snapshot->count, sizeof(*copy->entries));
	for (size_t i = 0; i < snapshot->count; i++)
		copy->entries[i] = (struct entry){ dl_strdup(snapshot->entries[i].path),
						   dl_strdup(snapshot->entries[i].facts) };
	return copy;
}

static void entry_clear(struct entry *entry)
{
	free(entry->path);
	free(entry->facts);
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->count; i++)
		entry_clear(&snapshot->entries[i]);
	free(snapshot->entries);
	free(snapshot);
}

void snapshot_forget(struct snapshot *snapshot, const char *path)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		if (strcmp(snapshot->entries[i].path, path) != 0)
			continue;
		entry_clear(&snapshot->entries[i]);
		snapshot->count--;
		memmove(&snapshot->entries[i], &snapshot->entries[i + 1],
			(snapshot->count - i) * sizeof(*snapshot->entries));
		return;
	}
}

static char *words_of(const char *what, const struct entry *entry)
{
	dl_autobuf words = DL_BUF_INIT;

	dl_buf_printf(&words, "%s %s (%s)", entry->path, what, entry->facts);
	return dl_buf_take(&words);
}

static char *words_of_change(const struct entry *before, const struct entry *after)
{
	dl_autobuf words = DL_BUF_INIT;

	dl_buf_printf(&words, "%s was '%s' and is '%s'", before->path, before->facts, after->facts);
	return dl_buf_take(&words);
}

char *snapshot_difference(const struct snapshot *before, const struct snapshot *after)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		const struct entry *old = &before->entries[i], *now = &after->entries[k];
		int order = i == before->count ? 1 :
			    k == after->count  ? -1 :
						 strcmp(old->path, now->path);

		if (order < 0)
			return words_of("is not there any more", old);
		if (order > 0)
			return words_of("was not there before", now);
		if (strcmp(old->facts, now->facts) != 0)
			return words_of_change(old, now);
		i++;
		k++;
	}
	return NULL;
}

const char *snapshot_leftover(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++)
		if (strstr(snapshot->entries[i].path, "/.dislodge-"))
			return snapshot->entries[i].path;
	return NULL;
}
