#include "world.h"

#include "core/base/bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>
#include <setjmp.h>

#include <cmocka.h>

static const char plan_id[] = "00000000000000000000000000000001";

static int world_guard(void *context, const char *path, const struct dl_held *held,
		       enum dl_reason *ret_reason, struct dl_error *err)
{
	const struct world *world = context;

	(void)path;
	(void)held;
	if (world->forbid == DL_REASON_NONE)
		return 0;
	*ret_reason = world->forbid;
	return dl_error_set(err, DL_E_DENIED, "forbidden by the test");
}

void world_open(struct world *world)
{
	struct dl_error err = { 0 };

	assert_int_equal(dl_state_folder_open(world_path(world, "state"), &world->state, &err), 0);
	if (dl_journal_open(world->state, &world->journal, &err) < 0)
		fail_msg("%s", err.text);
	if (dl_quarantine_open(world->state, world->journal, &world->quarantine, &err) < 0)
		fail_msg("%s", err.text);
}

void world_close(struct world *world)
{
	dl_quarantine_free(DL_TAKE(world->quarantine));
	dl_journal_close(DL_TAKE(world->journal));
	close(world->state);
}

int world_set_up(void **state)
{
	struct world *world = DL_NEW(struct world);

	snprintf(world->folder, sizeof(world->folder), "/var/tmp/dislodge-test-XXXXXX");
	snprintf(world->elsewhere, sizeof(world->elsewhere), "/dev/shm/dislodge-test-XXXXXX");
	if (!mkdtemp(world->folder) || !mkdtemp(world->elsewhere))
		return -1;
	world->errand = (struct dl_errand){ plan_id, 1, world_guard, world };
	world_open(world);
	*state = world;
	return 0;
}

static int remove_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
	int flags = 0;
	int handle = S_ISREG(facts->st_mode) || S_ISDIR(facts->st_mode) ?
			     open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) :
			     -1;

	(void)type;
	(void)walk;
	if (handle >= 0) {
		ioctl(handle, FS_IOC_SETFLAGS, &flags);
		close(handle);
	}
	return remove(path);
}

/* The parents' locks must go before their content can: hence two walks. */
static int unlock_entry(const char *path, const struct stat *facts, int type, struct FTW *walk)
{
	int flags = 0;
	int handle = S_ISDIR(facts->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	(void)type;
	(void)walk;
	if (handle >= 0) {
		ioctl(handle, FS_IOC_SETFLAGS, &flags);
		close(handle);
	}
	return 0;
}

static void remove_tree(const char *path)
{
	nftw(path, unlock_entry, 16, FTW_PHYS);
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int world_tear_down(void **state)
{
	struct world *world = *state;

	world_close(world);
	remove_tree(world->folder);
	remove_tree(world->elsewhere);
	free(world);
	return 0;
}

static const char *path_in(const char *folder, const char *name)
{
	static char paths[WORLD_PATHS][WORLD_PATH_SIZE];
	static unsigned int next;
	char *path = paths[next++ % WORLD_PATHS];

	assert_true(snprintf(path, WORLD_PATH_SIZE, "%s/%s", folder, name) < WORLD_PATH_SIZE);
	return path;
}

const char *world_path(const struct world *world, const char *name)
{
	return path_in(world->folder, name);
}

const char *elsewhere_path(const struct world *world, const char *name)
{
	return path_in(world->elsewhere, name);
}

void write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
	fclose(file);
}

char *read_file(const char *path)
{
	char content[4096];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return NULL;
	size = fread(content, 1, sizeof(content), file);
	fclose(file);
	return dl_strndup(content, size);
}

bool is_there(const char *path)
{
	struct stat facts;

	return lstat(path, &facts) == 0;
}

struct dl_held *hold(const char *path)
{
	dl_autofree char *folder_path = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	dl_auto(dl_folder) folder = NULL;
	struct dl_held *held = NULL;
	struct dl_error err = { 0 };

	if (dl_folder_open(folder_path, &folder, &err) < 0 ||
	    dl_held_open(folder, strrchr(path, '/') + 1, &held, &err) < 0)
		fail_msg("%s", err.text);
	return held;
}

struct dl_object approve(const char *path)
{
	dl_auto(dl_held) held = hold(path);
	const struct dl_facts *facts = dl_held_facts(held);

	return (struct dl_object){
		.role = DL_ROLE_PAYLOAD,
		.type = facts->type,
		.path = dl_bytes_encode_str(path),
		.link_target = facts->target ? dl_bytes_encode_str(facts->target) : NULL,
		.size = facts->size,
		.uid = facts->uid,
		.gid = facts->gid,
		.mode = facts->mode,
		.links = facts->links,
		.sha256 = facts->sha256[0] ? dl_strdup(facts->sha256) : NULL,
	};
}

struct dl_move only_move(struct world *world)
{
	dl_automoves moves = { 0 };
	struct dl_move move;

	assert_int_equal(dl_journal_moves(world->journal, plan_id, 1, &moves, NULL), 0);
	assert_int_equal(moves.count, 1);
	move = moves.items[0];
	moves.count = 0;
	return move;
}

size_t count_kept(const struct world *world)
{
	DIR *stream = opendir(world_path(world, "state/quarantine"));
	size_t count = 0;
	const struct dirent *entry;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		count += entry->d_name[0] != '.';
	closedir(stream);
	return count;
}
