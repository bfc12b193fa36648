#include "agent/platform/host_driver.h"
#include "agent/platform/linux/disk.h"

#include <string.h>
#include <sys/utsname.h>

/* os-release(5): the value of PRETTY_NAME without its quotes. */
static char *pretty_name(struct dl_disk *disk)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };
	dl_autofree char *text = NULL;
	size_t size;
	/* /etc/os-release is a symlink on most hosts, which reading refuses. */
	for (size_t i = 0; i < DL_COUNT(files) && !text; i++)
		dl_disk_read(disk, files[i], DL_HOST_FILE_MAX, &text, &size, NULL);
	for (char *at = text; at;) {
		const char *line = strsep(&at, "\n");
		if (strncmp(line, "PRETTY_NAME=", 12) != 0)
			continue;
		line += 12 + (line[12] == '"');
		return dl_strndup(line, strcspn(line, "\""));
	}
	return dl_strdup("unknown");
}

static char *first_line(struct dl_disk *disk, const char *path, const char *otherwise)
{
	dl_autofree char *text = NULL;
	size_t size;
	if (dl_disk_read(disk, path, DL_HOST_FILE_MAX, &text, &size, NULL) < 0 || *text == '\n')
		return dl_strdup(otherwise);
	return dl_strndup(text, strcspn(text, "\n"));
}

int dl_machine_identify(void *self, struct dl_host_identity *ret_identity, struct dl_error *err)
{
	struct utsname names;
	(void)err;
	uname(&names);
	*ret_identity = (struct dl_host_identity){
		.hostname = dl_strdup(names.nodename),
		.os = pretty_name(self),
		.kernel = dl_strdup(names.release),
		.architecture = dl_strdup(names.machine),
		.boot_id = first_line(self, "/proc/sys/kernel/random/boot_id", ""),
	};
	return 0;
}

int dl_folder_identify(void *self, struct dl_host_identity *ret_identity, struct dl_error *err)
{
	(void)err;
	*ret_identity = (struct dl_host_identity){
		.hostname = first_line(self, "/etc/hostname", "unknown"),
		.os = pretty_name(self),
		.kernel = dl_strdup("unknown"),
		.architecture = dl_strdup("unknown"),
		.boot_id = dl_strdup(""),
	};
	return 0;
}
