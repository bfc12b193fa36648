#include "disk.h"

#include "tests/crash/scratch.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* fs/ext4/ext4.h; not in the kernel's public headers. */
#define EXT4_IOC_SHUTDOWN           _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2
#define ROOT_IMAGE                  "/tmp/root.img"
#define ELSEWHERE_IMAGE             "/tmp/elsewhere.img"
#define FILLER                      "/.filler"

enum { IMAGE_BYTES = 64 * 1024 * 1024, LOOP_TRIES = 100 };

static int template = -1;

/* ---- images ---- */

static void make_file_system(char *path)
{
	char *const words[] = { "mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", "-N", "1024",
				"-E", "lazy_itable_init=1,lazy_journal_init=1", path, NULL };
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execvp(words[0], words);
		err(EXIT_FAILURE, "mkfs.ext4");
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		errx(EXIT_FAILURE, "mkfs.ext4 failed");
}

void disk_make_template(void)
{
	char path[] = "/tmp/dislodge-disk-XXXXXX";

	template = mkstemp(path);
	if (template < 0 || ftruncate(template, IMAGE_BYTES) < 0)
		err(EXIT_FAILURE, "making %s", path);
	make_file_system(path);
	unlink(path);
}

/* Only the parts that hold something. */
static void copy_template(const char *path)
{
	static char chunk[1024 * 1024];
	int image = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t data = 0, hole;
	ssize_t got;

	if (image < 0 || ftruncate(image, IMAGE_BYTES) < 0)
		err(EXIT_FAILURE, "making %s", path);
	while ((data = lseek(template, data, SEEK_DATA)) >= 0) {
		hole = lseek(template, data, SEEK_HOLE);
		while (data < hole) {
			size_t part = (size_t)(hole - data) < sizeof(chunk) ? (size_t)(hole - data) :
									      sizeof(chunk);

			got = pread(template, chunk, part, data);
			if (got <= 0 || pwrite(image, chunk, (size_t)got, data) != got)
				err(EXIT_FAILURE, "copying a disk");
			data += got;
		}
	}
	close(image);
}

/* ---- loop devices ---- */

/* Another worker may take the free one first. */
static int attach(const char *image, char device[32])
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), handle = -1;

	config.fd = (uint32_t)open(image, O_RDWR | O_CLOEXEC);
	for (int i = 0; handle < 0 && i < LOOP_TRIES; i++) {
		snprintf(device, 32, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		handle = open(device, O_RDWR | O_CLOEXEC);
		if (handle >= 0 && ioctl(handle, LOOP_CONFIGURE, &config) < 0) {
			close(handle);
			handle = -1;
		}
	}
	if (handle < 0)
		err(EXIT_FAILURE, "no loop device for %s", image);
	close((int)config.fd);
	close(control);
	return handle;
}

/* The device goes with its mount. */
static void mount_image(const char *image, const char *where)
{
	char device[32];
	int handle = attach(image, device);

	if (mount(device, where, "ext4", 0, NULL) < 0)
		err(EXIT_FAILURE, "mounting %s at %s", device, where);
	close(handle);
}

/* What the stand-in's socket lies on must not keep the disk busy. */
static void mount_memory(void)
{
	if (mount("run", scratch_path("/run"), "tmpfs", 0, NULL) < 0 ||
	    mkdir(scratch_path("/run/systemd"), 0755) < 0 ||
	    mkdir(scratch_path("/run/systemd/system"), 0755) < 0)
		err(EXIT_FAILURE, "mounting /run");
}

void disk_raise(const struct story *story)
{
	copy_template(ROOT_IMAGE);
	mount_image(ROOT_IMAGE, SCRATCH_ROOT);
	scratch_furnish();
	mount_memory();
	if (!story->elsewhere)
		return;
	copy_template(ELSEWHERE_IMAGE);
	mount_image(ELSEWHERE_IMAGE, scratch_path(story->elsewhere));
}

/* ---- full ---- */

static void fill(const char *folder, long left)
{
	char path[SCRATCH_PATH_SIZE];
	struct statvfs room;
	int handle;
	off_t size;

	snprintf(path, sizeof(path), "%s" FILLER, scratch_path(folder));
	handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (handle < 0 || fstatvfs(handle, &room) < 0)
		err(EXIT_FAILURE, "filling %s", folder);
	size = (off_t)(room.f_bavail * room.f_frsize) - left;
	/* The tree of the filler itself takes some: the last blocks one by one. */
	while (size > 0 && fallocate(handle, FALLOC_FL_KEEP_SIZE, 0, size) < 0)
		size -= (off_t)room.f_frsize;
	close(handle);
}

void disk_fill(const struct story *story, long left)
{
	fill("", left);
	if (story->elsewhere)
		fill(story->elsewhere, left);
}

void disk_free(const struct story *story)
{
	char path[SCRATCH_PATH_SIZE];

	unlink(scratch_path(FILLER));
	if (!story->elsewhere)
		return;
	snprintf(path, sizeof(path), "%s" FILLER, scratch_path(story->elsewhere));
	unlink(path);
}

/* ---- power ---- */

void disk_settle(void)
{
	sync();
}

static void shut_down(const char *folder)
{
	uint32_t how = EXT4_GOING_FLAGS_NOLOGFLUSH;
	int handle = open(scratch_path(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (handle < 0 || ioctl(handle, EXT4_IOC_SHUTDOWN, &how) < 0)
		err(EXIT_FAILURE, "cutting the power of '%s'", folder);
	close(handle);
}

void disk_cut_power(const struct story *story)
{
	if (story->elsewhere)
		shut_down(story->elsewhere);
	shut_down("");
}

static void unmount(const char *folder, int how)
{
	if (umount2(scratch_path(folder), how) < 0)
		err(EXIT_FAILURE, "unmounting '%s'", folder);
}

void disk_boot(const struct story *story)
{
	unmount("/proc", 0);
	unmount("/run", MNT_DETACH);
	if (story->elsewhere)
		unmount(story->elsewhere, 0);
	unmount("", 0);
	mount_image(ROOT_IMAGE, SCRATCH_ROOT);
	if (mount("proc", scratch_path("/proc"), "proc", 0, NULL) < 0)
		err(EXIT_FAILURE, "mounting /proc");
	mount_memory();
	if (story->elsewhere)
		mount_image(ELSEWHERE_IMAGE, scratch_path(story->elsewhere));
}
