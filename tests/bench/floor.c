/* The safe floor: the least work that removes files and loses none, whatever
 * happens when. It decides nothing, describes nothing and cannot undo.
 *
 *   bench-floor GROUP FOLDER LIST   moves the footholds of LIST into FOLDER
 *
 * For each group of GROUP footholds: open and hash every file, append the
 * intents to a journal, sync it; rename each file without replacing anything
 * and look whether the moved inode is the hashed one; sync quarantine and the
 * files' folders once; append the results, sync. GROUP 1 is the floor per item.
 */
#include "core/crypto/sha256.h"
#include "tests/bench/footholds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, FOLDERS_MAX = 8, RECORD_SIZE = 8192 };

struct item {
	const char *path;
	int handle;
	struct stat facts;
	char sha256[DL_SHA256_TEXT_SIZE];
};

struct floor {
	int quarantine, journal;
	int folders[FOLDERS_MAX]; /* of the files, opened when first met */
	char *folder_names[FOLDERS_MAX];
	size_t folder_count;
	size_t moved;
};

static int item_open(struct item *item, const char *path, struct dl_error *err)
{
	static char chunk[CHUNK];
	dl_auto(dl_sha256) hash = dl_sha256_new();
	uint8_t digest[DL_SHA256_SIZE];
	ssize_t got;

	item->path = path;
	item->handle = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (item->handle < 0 || fstat(item->handle, &item->facts) < 0)
		return dl_error_errno(err, errno, "%s", path);
	while ((got = read(item->handle, chunk, sizeof(chunk))) > 0)
		dl_sha256_add(hash, chunk, (size_t)got);
	if (got < 0)
		return dl_error_errno(err, errno, "%s", path);
	dl_sha256_finish(hash, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		sprintf(item->sha256 + 2 * i, "%02x", digest[i]);
	return 0;
}

static int journal_append(const struct floor *floor, const char *word, const struct item *item,
			  size_t number, struct dl_error *err)
{
	char record[RECORD_SIZE];
	int size = snprintf(record, sizeof(record), "%s %zu %s %s\n", word, number, item->sha256,
			    item->path);

	return write(floor->journal, record, (size_t)size) == size ?
		       0 :
		       dl_error_errno(err, errno, "writing the journal");
}

static int sync_handle(int handle, struct dl_error *err)
{
	return fsync(handle) < 0 ? dl_error_errno(err, errno, "syncing") : 0;
}

static int folder_of(struct floor *floor, const char *path, int *ret_handle, struct dl_error *err)
{
	dl_autofree char *name = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	size_t i = 0;

	while (i < floor->folder_count && strcmp(floor->folder_names[i], name) != 0)
		i++;
	if (i == FOLDERS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "more than %d folders", FOLDERS_MAX);
	if (i == floor->folder_count) {
		floor->folders[i] = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (floor->folders[i] < 0)
			return dl_error_errno(err, errno, "%s", name);
		floor->folder_names[floor->folder_count++] = DL_TAKE(name);
	}
	*ret_handle = floor->folders[i];
	return 0;
}

static int item_move(struct floor *floor, const struct item *item, size_t number,
		     struct dl_error *err)
{
	char name[32];
	struct stat moved;
	int folder = -1;
	int r = folder_of(floor, item->path, &folder, err);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%zu", number);
	if (renameat2(folder, strrchr(item->path, '/') + 1, floor->quarantine, name,
		      RENAME_NOREPLACE) < 0)
		return dl_error_errno(err, errno, "moving %s", item->path);
	if (fstatat(floor->quarantine, name, &moved, AT_SYMLINK_NOFOLLOW) < 0 ||
	    moved.st_dev != item->facts.st_dev || moved.st_ino != item->facts.st_ino)
		return dl_error_set(err, DL_E_STALE, "%s: another file was moved", item->path);
	return 0;
}

static int sync_folders(const struct floor *floor, struct dl_error *err)
{
	int r = sync_handle(floor->quarantine, err);

	for (size_t i = 0; r == 0 && i < floor->folder_count; i++)
		r = sync_handle(floor->folders[i], err);
	return r;
}

static int items_journal(const struct floor *floor, const char *word, const struct item *items,
			 size_t count, struct dl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = journal_append(floor, word, &items[i], floor->moved + i, err);
	return r < 0 ? r : sync_handle(floor->journal, err);
}

static int group_move(struct floor *floor, const struct foothold *footholds, size_t count,
		      struct dl_error *err)
{
	dl_autofree struct item *items = dl_alloc(2 * count, sizeof(*items));
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2 * count; i++)
		r = item_open(&items[i], i % 2 ? footholds[i / 2].payload : footholds[i / 2].trigger,
			      err);
	if (r == 0)
		r = items_journal(floor, "intent", items, 2 * count, err);
	for (size_t i = 0; r == 0 && i < 2 * count; i++)
		r = item_move(floor, &items[i], floor->moved + i, err);
	if (r == 0)
		r = sync_folders(floor, err);
	if (r == 0)
		r = items_journal(floor, "done", items, 2 * count, err);
	floor->moved += 2 * count;
	for (size_t i = 0; i < 2 * count; i++)
		if (items[i].handle > 0)
			close(items[i].handle);
	return r;
}

static int floor_open(struct floor *floor, const char *folder, struct dl_error *err)
{
	floor->quarantine = mkdir(folder, 0700) < 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY);
	floor->journal = openat(floor->quarantine, "journal", O_WRONLY | O_CREAT | O_APPEND, 0600);
	return floor->journal < 0 ? dl_error_errno(err, errno, "%s", folder) : 0;
}

static void floor_clear(struct floor *floor)
{
	for (size_t i = 0; i < floor->folder_count; i++)
		free(floor->folder_names[i]);
}

static int measure(size_t group, const char *folder, const struct footholds *footholds,
		   struct dl_error *err)
{
	__attribute__((cleanup(floor_clear))) struct floor floor = { -1, -1, { 0 }, { 0 }, 0, 0 };
	double start = bench_seconds();
	int r = floor_open(&floor, folder, err);

	for (size_t at = 0; r == 0 && at < footholds->count; at += group) {
		size_t left = footholds->count - at;

		r = group_move(&floor, &footholds->items[at], left < group ? left : group, err);
	}
	if (r == 0)
		printf("%.6f\n", bench_seconds() - start);
	return r;
}

int main(int argc, char **argv)
{
	dl_autofootholds footholds = { 0 };
	struct dl_error err = { 0 };
	long group = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
	int r;

	if (group < 1) {
		fputs("usage: bench-floor GROUP FOLDER LIST\n", stderr);
		return 2;
	}
	r = footholds_read(argv[3], &footholds, &err);
	if (r == 0)
		r = measure((size_t)group, argv[2], &footholds, &err);
	if (r < 0)
		fprintf(stderr, "bench-floor: %s\n", err.text);
	return r < 0;
}
