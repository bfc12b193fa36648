#include "scratch.h"

#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void mount_or_die(const char *what, const char *where, const char *type, unsigned long how)
{
	if (mount(what, where, type, how, NULL) < 0)
		err(EXIT_FAILURE, "mounting %s at %s", type ? type : what, where);
}

static void make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0)
		err(EXIT_FAILURE, "making folder %s", path);
	if (chmod(path, mode) < 0)
		err(EXIT_FAILURE, "mode of %s", path);
}

/* The machine's own root is gone from this namespace afterwards. */
static void leave_the_machine(const char *base)
{
	mount_or_die("none", "/", NULL, MS_REC | MS_PRIVATE);
	mount_or_die("scratch", base, "tmpfs", 0);
	if (chdir(base) < 0)
		err(EXIT_FAILURE, "entering %s", base);
	make_folder("dev", 0755);
	make_folder("proc", 0755);
	make_folder("tmp", 0700);
	make_folder("old", 0755);
	make_folder(&SCRATCH_ROOT[1], 0755);
	mount_or_die("/dev", "dev", NULL, MS_BIND);
	mount_or_die("proc", "proc", "proc", 0);
	if (syscall(SYS_pivot_root, ".", "old") < 0 || chdir("/") < 0)
		err(EXIT_FAILURE, "changing the root");
	if (umount2("/old", MNT_DETACH) < 0 || rmdir("/old") < 0)
		err(EXIT_FAILURE, "leaving the machine's root");
}

static int wait_for(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, 0) != child)
		err(EXIT_FAILURE, "waiting");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int scratch_enter(int (*body)(void *), void *context)
{
	char base[] = "/tmp/dislodge-scratch-XXXXXX";
	pid_t child;
	int code;

	if (!mkdtemp(base))
		err(EXIT_FAILURE, "making %s", base);
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET) < 0)
		err(EXIT_FAILURE, "new namespaces");
	fflush(NULL);
	child = fork();
	if (child < 0)
		err(EXIT_FAILURE, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		leave_the_machine(base);
		code = body(context);
		fflush(NULL);
		_exit(code);
	}
	code = wait_for(child);
	rmdir(base);
	return code;
}

const char *scratch_path(const char *path)
{
	static char paths[SCRATCH_PATHS][SCRATCH_PATH_SIZE];
	static unsigned int next;
	char *place = paths[next++ % SCRATCH_PATHS];

	if (snprintf(place, SCRATCH_PATH_SIZE, SCRATCH_ROOT "%s", path) >= SCRATCH_PATH_SIZE)
		errx(EXIT_FAILURE, "the path is too long: %s", path);
	return place;
}

void scratch_folder(const char *path, unsigned int mode)
{
	make_folder(scratch_path(path), mode);
}

void scratch_file(const char *path, const void *data, size_t size, unsigned int mode)
{
	const char *place = scratch_path(path);
	int handle = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (handle < 0 || write(handle, data, size) != (ssize_t)size || fchmod(handle, mode) < 0)
		err(EXIT_FAILURE, "writing %s", place);
	close(handle);
}

void scratch_text(const char *path, const char *text, unsigned int mode)
{
	scratch_file(path, text, strlen(text), mode);
}

void scratch_set_flags(const char *path, int flags)
{
	int handle = open(scratch_path(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (handle < 0 || ioctl(handle, FS_IOC_SETFLAGS, &flags) < 0)
		err(EXIT_FAILURE, "flags of %s", path);
	close(handle);
}

bool scratch_has(const char *path)
{
	struct stat facts;

	return lstat(scratch_path(path), &facts) == 0;
}

void scratch_furnish(void)
{
	static const char *const folders[] = {
		"/dev", "/etc", "/etc/cron.d", "/etc/systemd", "/etc/systemd/system",
		"/etc/systemd/system/multi-user.target.wants", "/home", "/opt", "/proc", "/run",
		"/run/systemd", "/run/systemd/system", "/srv", "/tmp", "/usr", "/usr/bin", "/var",
		"/var/lib", "/var/lib/dpkg", "/var/lib/dpkg/info",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		scratch_folder(folders[i], 0755);
	mount_or_die("proc", scratch_path("/proc"), "proc", 0);
	scratch_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0644);
	scratch_text("/var/lib/dpkg/status", "Package: base\nStatus: install ok installed\n", 0644);
	scratch_text("/var/lib/dpkg/info/base.list", "/.\n/usr\n/usr/bin\n/usr/bin/owned\n", 0644);
	scratch_text("/usr/bin/owned", "a package's file", 0755);
	scratch_text("/opt/bystander", "nobody asked for this one", 0644);
	scratch_text("/etc/cron.d/bystander", "1 1 1 1 1 root true\n", 0644);
}

void scratch_raise(const char *elsewhere)
{
	mount_or_die("scratch", SCRATCH_ROOT, "tmpfs", 0);
	scratch_furnish();
	if (elsewhere)
		mount_or_die("elsewhere", scratch_path(elsewhere), "tmpfs", 0);
}

/* Whatever is mounted below goes with it. */
void scratch_raze(void)
{
	if (umount2(SCRATCH_ROOT, MNT_DETACH) < 0)
		err(EXIT_FAILURE, "taking the scratch host down");
}
