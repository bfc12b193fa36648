/* Packages from dpkg's database (deb-md5sums(5), deb-conffiles(5), dpkg-divert(1)).
 *
 * All file lists are read once into memory and indexed by path; checksums and
 * conffiles are read when a path is found, since few paths are asked for.
 */
#include "agent/platform/host_state.h"

#include "core/base/buf.h"
#include "core/crypto/random.h"

#include <string.h>

#define INFO_FOLDER "/var/lib/dpkg/info"
#define STATUS_FILE "/var/lib/dpkg/status"
#define DIVERSIONS_FILE "/var/lib/dpkg/diversions"

enum {
	LIST_MAX = 32 * 1024 * 1024,          /* one package's list or checksums */
	LISTS_TOTAL_MAX = 192 * 1024 * 1024,
	STATUS_MAX = 64 * 1024 * 1024,
};

struct package {
	char *name; /* as the list file is called: "cron", "libc6:amd64" */
	char *list; /* its text, cut into lines by NUL */
	size_t size;
};

struct slot {
	const char *path; /* borrowed from a list; NULL: empty */
	uint32_t hash;    /* most of another path's slots are passed over without reading it */
	uint32_t package;
};

struct diversion {
	const char *from, *to, *package; /* borrowed; package ":" is the administrator */
};

struct dl_packages {
	struct package *list;
	size_t count;
	struct slot *slots;
	size_t slot_count; /* a power of two, at most two thirds full */
	uint64_t seed; /* so that nobody can prepare colliding names */
	char *diversions_text;
	struct diversion *diversions;
	size_t diversion_count;
	char *status; /* loaded when the first owned path is asked for */
	int error;
	struct dl_error words;
};

void dl_packages_free(struct dl_packages *packages)
{
	if (!packages)
		return;
	for (size_t i = 0; i < packages->count; i++) {
		free(packages->list[i].name);
		free(packages->list[i].list);
	}
	free(packages->list);
	free(packages->slots);
	free(packages->diversions);
	free(packages->diversions_text);
	free(packages->status);
	free(packages);
}

/* ---- the index ---- */

/* From a random start, eight bytes at a time: an index of 150,000 paths is made for every order. */
static uint32_t hash_path(uint64_t seed, const char *path, size_t size)
{
	uint64_t hash = seed ^ size;
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = 0;
		size_t left = size - at;
		memcpy(&word, path + at, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash ^ hash >> 32);
}

static struct slot *find_slot(const struct dl_packages *packages, const char *path, size_t size,
			      uint32_t *ret_hash)
{
	size_t mask = packages->slot_count - 1;
	uint32_t hash = hash_path(packages->seed, path, size);
	size_t at = hash & mask;
	*ret_hash = hash;
	while (packages->slots[at].path && (packages->slots[at].hash != hash ||
					    strcmp(packages->slots[at].path, path) != 0))
		at = (at + 1) & mask;
	return &packages->slots[at];
}

/* The first package to name a path keeps it: two may share a file of one
 * content only. Diverted paths are settled at lookup. */
static void index_path(struct dl_packages *packages, const char *path, size_t size,
		       uint32_t package)
{
	uint32_t hash;
	struct slot *slot = find_slot(packages, path, size, &hash);
	if (!slot->path)
		*slot = (struct slot){ .path = path, .hash = hash, .package = package };
}

static void index_list(struct dl_packages *packages, uint32_t number)
{
	char *end = packages->list[number].list + packages->list[number].size;
	for (char *at = packages->list[number].list; at < end;) {
		char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			stop = end; /* where dl_host_read put a NUL */
		*stop = '\0';
		if (*line == '/')
			index_path(packages, line, (size_t)(stop - line), number);
		at = stop + 1;
	}
}

static size_t count_lines(const struct package *package)
{
	const char *end = package->list + package->size;
	size_t count = 1;
	for (const char *at = package->list; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		count++;
	return count;
}

static void index_lists(struct dl_packages *packages)
{
	size_t lines = 0;
	for (size_t i = 0; i < packages->count; i++)
		lines += count_lines(&packages->list[i]);
	packages->slot_count = 2;
	while (packages->slot_count < lines + lines / 2)
		packages->slot_count *= 2;
	packages->slots = dl_alloc(packages->slot_count, sizeof(struct slot));
	for (size_t i = 0; i < packages->count; i++)
		index_list(packages, (uint32_t)i);
}

/* ---- loading ---- */

static char *info_path(const char *package, const char *suffix)
{
	dl_autobuf path = DL_BUF_INIT;
	dl_buf_printf(&path, INFO_FOLDER "/%s%s", package, suffix);
	return dl_buf_take(&path);
}

static int load_list(struct dl_host *host, struct dl_packages *packages, const char *file,
		     size_t *total, struct dl_error *err)
{
	size_t length = strlen(file);
	if (length <= 5 || strcmp(file + length - 5, ".list") != 0)
		return 0;
	struct package package = { .name = dl_strndup(file, length - 5) };
	dl_autofree char *path = info_path(package.name, ".list");
	int r = dl_host_read(host, path, LIST_MAX, &package.list, &package.size, err);
	if (r == 0)
		*total += package.size;
	if (r == 0 && *total > LISTS_TOTAL_MAX)
		r = dl_error_set(err, DL_E_LIMIT, "dpkg's file lists are larger than we read");
	if (r < 0) {
		free(package.name);
		free(package.list);
		return r;
	}
	packages->list[packages->count++] = package;
	return 0;
}

static int load_lists(struct dl_host *host, struct dl_packages *packages, struct dl_error *err)
{
	dl_autonames names = { 0 };
	int r = dl_host_list(host, INFO_FOLDER, &names, err);
	if (r < 0)
		return r;
	if (names.cut)
		return dl_error_set(err, DL_E_LIMIT, "dpkg's folder holds more files than we read");
	packages->list = dl_alloc(names.count, sizeof(struct package));
	size_t total = 0;
	for (size_t i = 0; i < names.count; i++) {
		r = load_list(host, packages, names.names[i], &total, err);
		if (r < 0)
			return dl_error_prefix(err, r, "reading %s", names.names[i]);
	}
	if (packages->count == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "dpkg's database is empty");
	index_lists(packages);
	return 0;
}

/* Three lines each: the path, where its file went, who sent it there. */
static int load_diversions(struct dl_host *host, struct dl_packages *packages,
			   struct dl_error *err)
{
	size_t size, lines = 0;
	int r = dl_host_read(host, DIVERSIONS_FILE, DL_HOST_FILE_MAX, &packages->diversions_text,
			     &size, err);
	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return dl_error_prefix(err, r, "reading dpkg's diversions");
	for (size_t i = 0; i < size; i++)
		lines += packages->diversions_text[i] == '\n';
	packages->diversions = dl_alloc(lines / 3 + 1, sizeof(struct diversion));
	for (char *at = packages->diversions_text; at;) {
		struct diversion diversion = { .from = strsep(&at, "\n") };
		diversion.to = strsep(&at, "\n");
		diversion.package = strsep(&at, "\n");
		if (!at)
			break; /* the end of the file, or a part of three lines */
		packages->diversions[packages->diversion_count++] = diversion;
	}
	return 0;
}

static struct dl_packages *load(struct dl_host *host)
{
	struct dl_packages *packages = DL_NEW(struct dl_packages);
	struct dl_error *words = &packages->words;
	dl_random(&packages->seed, sizeof(packages->seed));
	packages->error = load_lists(host, packages, words);
	if (packages->error == 0)
		packages->error = load_diversions(host, packages, words);
	return packages;
}

/* ---- who owns a path ---- */

static bool same_package(const char *listed, const char *plain)
{
	size_t length = strcspn(listed, ":");
	return strncmp(listed, plain, length) == 0 && plain[strcspn(plain, ":")] == plain[length];
}

static bool list_holds(const struct package *package, const char *path)
{
	const char *end = package->list + package->size;
	for (const char *at = package->list; at < end; at += strlen(at) + 1)
		if (strcmp(at, path) == 0)
			return true;
	return false;
}

/* By name, for the rare diverted path: its owner need not be the first one indexed. */
static const struct package *owner_where(const struct dl_packages *packages, const char *path,
					 const char *diverter, bool by_diverter)
{
	for (size_t i = 0; i < packages->count; i++) {
		const struct package *package = &packages->list[i];
		if (same_package(package->name, diverter) == by_diverter &&
		    list_holds(package, path))
			return package;
	}
	return NULL;
}

/* `*ret_listed` becomes the name under which the package lists the file. */
static const struct package *find_owner(const struct dl_packages *packages, const char *path,
					const char **ret_listed)
{
	*ret_listed = path;
	for (size_t i = 0; i < packages->diversion_count; i++) {
		const struct diversion *diversion = &packages->diversions[i];
		if (strcmp(diversion->from, path) == 0)
			return owner_where(packages, path, diversion->package, true);
		if (strcmp(diversion->to, path) == 0) {
			*ret_listed = diversion->from;
			return owner_where(packages, diversion->from, diversion->package, false);
		}
	}
	uint32_t hash;
	const struct slot *slot = find_slot(packages, path, strlen(path), &hash);
	return slot->path ? &packages->list[slot->package] : NULL;
}

/* dpkg's lists may name /lib/x where the host has merged it into /usr/lib/x. */
static char *unmerged_spelling(struct dl_host *host, const char *path)
{
	static const char *const merged[] = { "/usr/bin",   "/usr/sbin",  "/usr/lib",
					      "/usr/lib32", "/usr/lib64", "/usr/libx32" };
	for (size_t i = 0; i < DL_COUNT(merged); i++) {
		if (!dl_path_is_under(path, merged[i]))
			continue;
		struct dl_host_facts facts;
		const char *top = merged[i] + strlen("/usr");
		bool is_link = dl_host_look(host, top, false, &facts, NULL) == 0 &&
			       facts.type == DL_TYPE_SYMLINK;
		return is_link ? dl_strdup(path + strlen("/usr")) : NULL;
	}
	return NULL;
}

/* ---- what the package shipped ---- */

static bool is_md5(const char *text)
{
	return strspn(text, "0123456789abcdef") == 32;
}

/* A line "MD5  path-without-its-slash". */
static int find_checksum(struct dl_host *host, const struct package *package, const char *listed,
			 char md5[33], struct dl_error *err)
{
	dl_autofree char *path = info_path(package->name, ".md5sums"), *text = NULL;
	size_t size;
	int r = dl_host_read(host, path, LIST_MAX, &text, &size, err);
	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return dl_error_prefix(err, r, "reading the checksums of %s", package->name);
	for (char *at = text; at;) {
		const char *line = strsep(&at, "\n");
		if (!is_md5(line) || strncmp(line + 32, "  ", 2) != 0 ||
		    strcmp(line + 34, listed + 1) != 0)
			continue;
		memcpy(md5, line, 32);
		break;
	}
	return 0;
}

static int load_status(struct dl_host *host, struct dl_packages *packages, struct dl_error *err)
{
	size_t size;
	if (packages->status)
		return 0;
	int r = dl_host_read(host, STATUS_FILE, STATUS_MAX, &packages->status, &size, err);
	return r < 0 ? dl_error_prefix(err, r, "reading dpkg's status") : 0;
}

/* In the status file a conffile is a line " path md5", perhaps with a word after it. Paths are
 * unique among installed packages, so the line alone identifies it. */
static bool find_conffile(const char *status, const char *listed, char md5[33])
{
	dl_autobuf needle = DL_BUF_INIT;
	dl_buf_printf(&needle, "\n %s ", listed);
	for (const char *at = status; (at = strstr(at, needle.data)); at += needle.size) {
		const char *sum = at + needle.size;
		if (!is_md5(sum) || strncmp(sum + 32, " obsolete", 9) == 0)
			continue;
		memcpy(md5, sum, 32);
		return true;
	}
	return false;
}

static int describe(struct dl_host *host, const struct package *package, const char *listed,
		    struct dl_host_package *ret_package, struct dl_error *err)
{
	struct dl_host_package found = { 0 };
	int r = load_status(host, host->packages, err);
	if (r < 0)
		return r;
	found.conffile = find_conffile(host->packages->status, listed, found.md5);
	if (!found.conffile)
		r = find_checksum(host, package, listed, found.md5, err);
	if (r < 0)
		return r;
	dl_autobuf source = DL_BUF_INIT;
	dl_buf_printf(&source, "dpkg: %s.list", package->name);
	found.name = dl_strndup(package->name, strcspn(package->name, ":"));
	found.source = dl_buf_take(&source);
	*ret_package = found;
	return 0;
}

void dl_host_package_clear(struct dl_host_package *package)
{
	free(package->name);
	free(package->source);
	*package = (struct dl_host_package){ 0 };
}

int dl_host_package_of(struct dl_host *host, const char *path, struct dl_host_package *ret_package,
		       struct dl_error *err)
{
	if (!host->packages)
		host->packages = load(host);
	const struct dl_packages *packages = host->packages;
	if (packages->error < 0)
		return dl_error_set(err, DL_E_UNSUPPORTED, "%s", packages->words.text);
	const char *listed;
	const struct package *owner = find_owner(packages, path, &listed);
	dl_autofree char *other = owner ? NULL : unmerged_spelling(host, path);
	if (other)
		owner = find_owner(packages, other, &listed);
	if (owner)
		return describe(host, owner, listed, ret_package, err);
	*ret_package = (struct dl_host_package){ 0 };
	return 0;
}

bool dl_host_package_shipped(const struct dl_host_package *package, const void *data, size_t size)
{
	char md5[33];
	if (!*package->md5)
		return false;
	dl_host_md5(data, size, md5);
	return strcmp(md5, package->md5) == 0;
}
