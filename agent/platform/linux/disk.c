/* The driver of a host on Linux: the running machine, or a folder that holds
 * another machine's files. */
#include "agent/platform/host_driver.h"
#include "agent/platform/linux/disk.h"
#include "agent/platform/linux/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int disk_look(void *self, const char *path, bool hash, struct dl_host_facts *ret_facts,
		     struct dl_error *err)
{
	struct dl_disk *disk = self;
	dl_autofd parent = -1;
	const char *leaf;
	int r = dl_root_open_parent(disk->root, path, &parent, &leaf, err);
	if (r == DL_E_NOT_FOUND) {
		*ret_facts = (struct dl_host_facts){ .type = DL_TYPE_MISSING };
		return 0;
	}
	return r < 0 ? r : dl_root_look(parent, leaf, hash, &disk->wait_ms, ret_facts, err);
}

static int read_all(int fd, size_t limit, char **ret_data, size_t *ret_size, struct dl_error *err)
{
	size_t size = 0, room = 4096;
	dl_autofree char *data = dl_alloc(room + 1, 1);
	for (;;) {
		if (size == room)
			data = dl_realloc(data, (room *= 2) + 1, 1);
		ssize_t n = read(fd, data + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dl_error_errno(err, errno, "reading it");
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > limit)
			return dl_error_set(err, DL_E_LIMIT, "larger than %zu bytes", limit);
	}
	data[size] = '\0';
	*ret_data = DL_TAKE(data);
	*ret_size = size;
	return 0;
}

int dl_disk_read(void *self, const char *path, size_t limit, char **ret_data, size_t *ret_size,
		     struct dl_error *err)
{
	struct dl_disk *disk = self;
	dl_autofd parent = -1, fd = -1;
	const char *leaf;
	struct dl_host_facts facts;
	int r = dl_root_open_parent(disk->root, path, &parent, &leaf, err);
	if (r == 0)
		r = dl_root_open_file(parent, leaf, &disk->wait_ms, &fd, &facts, err);
	if (r < 0)
		return r;
	if (facts.size > (int64_t)limit)
		return dl_error_set(err, DL_E_LIMIT, "larger than %zu bytes", limit);
	return read_all(fd, limit, ret_data, ret_size, err);
}

static void close_stream(DIR **stream)
{
	if (*stream)
		closedir(*stream);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct dl_host_names *names, const char *name)
{
	if ((names->count & (names->count - 1)) == 0)
		names->names = dl_realloc(names->names, names->count ? 2 * names->count : 1,
					  sizeof(char *));
	names->names[names->count++] = dl_strdup(name);
}

static int disk_list(void *self, const char *folder, struct dl_host_names *ret_names,
		     struct dl_error *err)
{
	struct dl_disk *disk = self;
	int fd = -1;
	int r = dl_root_open(disk->root, folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK, &fd, err);
	if (r < 0)
		return r;
	__attribute__((cleanup(close_stream))) DIR *stream = fdopendir(fd);
	if (!stream) {
		dl_fd_release(&fd);
		return dl_error_errno(err, errno, "listing it");
	}
	dl_autonames names = { 0 };
	errno = 0;
	for (struct dirent *entry; (entry = readdir(stream)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names.count == DL_HOST_FOLDER_MAX) {
			names.cut = true;
			break;
		}
		add_name(&names, entry->d_name);
	}
	if (!names.cut && errno != 0)
		return dl_error_errno(err, errno, "listing it");
	if (names.count)
		qsort(names.names, names.count, sizeof(char *), compare_names);
	*ret_names = names;
	names = (struct dl_host_names){ 0 };
	return 0;
}

static void disk_release(void *self)
{
	struct dl_disk *disk = self;
	dl_bus_close(disk);
	dl_fd_release(&disk->root);
	free(disk);
}

static const struct dl_host_driver live_driver = {
	.list = disk_list, .read = dl_disk_read, .look = disk_look, .unit_ask = dl_bus_unit_ask,
	.identify = dl_machine_identify, .release = disk_release, .live = true,
};

static const struct dl_host_driver folder_driver = {
	.list = disk_list, .read = dl_disk_read, .look = disk_look, .unit_ask = dl_folder_unit_ask,
	.identify = dl_folder_identify, .release = disk_release, .live = false,
};

int dl_host_open(const char *root, struct dl_host **ret_host, struct dl_error *err)
{
	int fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return dl_error_errno(err, errno, "opening the root folder '%s'",
				      root ? root : "/");
	struct dl_disk *disk = DL_NEW(struct dl_disk);
	disk->root = fd;
	disk->wait_ms = DL_LEASE_WAIT_MS;
	*ret_host = dl_host_new(root ? &folder_driver : &live_driver, disk);
	return 0;
}
