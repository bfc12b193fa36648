/* The files from which the read face learns about users and packages, all
 * hostile at once: whatever they say, an object can be described, and nothing
 * is called as shipped that has no checksum. The input's parts end at byte 0xff. */
#include "fuzz.h"

#include "core/base/buf.h"
#include "tests/fakes/fake_host.h"

#include <string.h>

static const char *const files[] = {
	"/etc/passwd", "/var/lib/dpkg/info/a.list", "/var/lib/dpkg/info/a.md5sums",
	"/var/lib/dpkg/status", "/var/lib/dpkg/diversions", "/etc/dislodge/never-list",
};

static void describe(struct dl_host *host, const char *path)
{
	struct dl_object object = { 0 };
	must(dl_host_object(host, path, DL_ROLE_PAYLOAD, &object, NULL) == 0);
	if (object.baseline == DL_BASELINE_SAME)
		must(object.package && object.sha256);
	dl_object_clear(&object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_host *fake = fake_host_new();
	for (size_t i = 0; i < DL_COUNT(files); i++) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t length = end ? (size_t)(end - data) : size;
		fake_bytes(fake, files[i], size ? (const char *)data : "", length);
		data += length + (end != NULL);
		size -= length + (end != NULL);
	}
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, "/usr/lib/x", "x");
	dl_auto(dl_host) host = fake_host_open(fake);
	describe(host, "/usr/lib/x");
	describe(host, "/etc/passwd");
	const struct dl_host_user *users;
	size_t count;
	must(dl_host_users(host, &users, &count, NULL) == 0);
	for (size_t i = 0; i < count; i++)
		must(dl_host_user_by_name(host, users[i].name) != NULL);
	return 0;
}
