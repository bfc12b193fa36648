#include "tests/fakes/fake_host.h"

#include "agent/platform/host_driver.h"
#include "core/base/buf.h"

#include <string.h>

enum { NODES_MAX = 1000, UNITS_MAX = 16 };

struct node {
	char *path;
	struct dl_host_facts facts;
	struct dl_buf content;
	bool broken;
};

struct unit {
	char *name, *file_state, *active, *sub;
};

struct fake_host {
	struct node *nodes[NODES_MAX];
	size_t count;
	uint64_t next_inode;
	struct unit units[UNITS_MAX];
	size_t unit_count;
	const char *overfull; /* a folder that holds more than anybody lists */
	bool systemd, silent;
};

/* ---- nodes ---- */

static struct node *find(struct fake_host *fake, const char *path)
{
	for (size_t i = 0; i < fake->count; i++)
		if (strcmp(fake->nodes[i]->path, path) == 0)
			return fake->nodes[i];
	return NULL;
}

static struct node *put(struct fake_host *fake, const char *path, enum dl_object_type type)
{
	struct node *node = find(fake, path);
	if (!node) {
		if (fake->count == NODES_MAX)
			abort();
		node = fake->nodes[fake->count++] = DL_NEW(struct node);
		node->path = dl_strdup(path);
	}
	dl_buf_free(&node->content);
	node->facts = (struct dl_host_facts){ .type = type, .mode = 0644, .links = 1, .device = 1,
					      .inode = ++fake->next_inode,
					      .mtime_ns = 1700000000000000000 };
	return node;
}

struct dl_host_facts *fake_bytes(struct fake_host *fake, const char *path, const void *content,
				 size_t size)
{
	struct node *node = put(fake, path, DL_TYPE_FILE);
	dl_buf_append(&node->content, content, size);
	node->facts.size = (int64_t)size;
	return &node->facts;
}

struct dl_host_facts *fake_file(struct fake_host *fake, const char *path, const char *content)
{
	return fake_bytes(fake, path, content, strlen(content));
}

struct dl_host_facts *fake_link(struct fake_host *fake, const char *path, const char *target)
{
	struct node *node = put(fake, path, DL_TYPE_SYMLINK);
	node->facts.mode = 0777;
	strncpy(node->facts.target, target, sizeof(node->facts.target) - 1);
	return &node->facts;
}

struct dl_host_facts *fake_fifo(struct fake_host *fake, const char *path)
{
	return &put(fake, path, DL_TYPE_OTHER)->facts;
}

void fake_remove(struct fake_host *fake, const char *path)
{
	struct node *node = find(fake, path);
	if (node) {
		free(node->path);
		node->path = dl_strdup("(removed)");
	}
}

void fake_broken(struct fake_host *fake, const char *path)
{
	struct node *node = find(fake, path);
	if (!node)
		node = put(fake, path, DL_TYPE_FILE);
	node->broken = true;
}

void fake_overfull(struct fake_host *fake, const char *folder)
{
	fake->overfull = folder;
}

/* ---- packages ---- */

static void append_text(struct fake_host *fake, const char *path, const char *text)
{
	struct node *node = find(fake, path);
	if (!node) {
		fake_file(fake, path, text);
		return;
	}
	dl_buf_puts(&node->content, text);
	node->facts.size = (int64_t)node->content.size;
}

static void append_info(struct fake_host *fake, const char *package, const char *suffix,
			const char *first, const char *second)
{
	dl_autobuf path = DL_BUF_INIT, line = DL_BUF_INIT;
	dl_buf_printf(&path, "/var/lib/dpkg/info/%s%s", package, suffix);
	dl_buf_printf(&line, "%s%s\n", first, second);
	append_text(fake, path.data, line.data);
}

static void md5_of(struct fake_host *fake, const char *path, char out[33])
{
	const struct node *node = find(fake, path);
	dl_host_md5(node->content.data ? node->content.data : "", node->content.size, out);
}

void fake_owned(struct fake_host *fake, const char *package, const char *path, const char *listed)
{
	char md5[36];
	append_info(fake, package, ".list", listed, "");
	if (find(fake, path)->facts.type != DL_TYPE_FILE)
		return;
	md5_of(fake, path, md5);
	memcpy(md5 + 32, "  ", 3);
	append_info(fake, package, ".md5sums", md5, listed + 1);
}

void fake_conffile(struct fake_host *fake, const char *package, const char *path)
{
	char md5[33];
	dl_autobuf line = DL_BUF_INIT;
	md5_of(fake, path, md5);
	append_info(fake, package, ".list", path, "");
	dl_buf_printf(&line, "Package: %s\nConffiles:\n %s %s\n\n", package, path, md5);
	append_text(fake, "/var/lib/dpkg/status", line.data);
}

/* ---- the driver ---- */

/* What the path stands for when no parent is a symlink. */
static int resolve(struct fake_host *fake, const char *path, struct node **ret_node,
		   struct dl_error *err)
{
	dl_autofree char *parent = dl_strdup(path);
	for (char *slash; (slash = strrchr(parent, '/')) && slash != parent;) {
		*slash = '\0';
		const struct node *node = find(fake, parent);
		if (node && node->facts.type == DL_TYPE_SYMLINK)
			return dl_error_set(err, DL_E_INVALID, "a symlink is in the way");
	}
	*ret_node = find(fake, path);
	if (*ret_node && (*ret_node)->broken)
		return dl_error_set(err, DL_E_IO, "the disk is broken");
	return 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	return strncmp(path, folder, length) == 0 && path[length] == '/' && path[length + 1];
}

static bool has_name(const struct dl_host_names *names, const char *name, size_t length)
{
	/* Children of a folder stand together often enough; the last is the likely one. */
	for (size_t i = names->count; i > 0 && i + 8 > names->count; i--)
		if (strlen(names->names[i - 1]) == length &&
		    strncmp(names->names[i - 1], name, length) == 0)
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_and_thin(struct dl_host_names *names)
{
	size_t kept = 0;
	qsort(names->names, names->count, sizeof(char *), compare_names);
	for (size_t i = 0; i < names->count; i++) {
		if (kept && strcmp(names->names[kept - 1], names->names[i]) == 0)
			free(names->names[i]);
		else
			names->names[kept++] = names->names[i];
	}
	names->count = kept;
}

static int fake_list(void *self, const char *folder, struct dl_host_names *ret_names,
		     struct dl_error *err)
{
	struct fake_host *fake = self;
	struct node *node;
	struct dl_host_names names = { 0 };
	int r = resolve(fake, folder, &node, err);
	if (r < 0)
		return r;
	if (node && node->facts.type == DL_TYPE_SYMLINK)
		return dl_error_set(err, DL_E_INVALID, "a symlink is in the way");
	names.names = dl_alloc(fake->count, sizeof(char *));
	for (size_t i = 0; i < fake->count; i++) {
		const char *path = fake->nodes[i]->path;
		if (!is_below(path, folder))
			continue;
		const char *name = path + (strcmp(folder, "/") == 0 ? 1 : strlen(folder) + 1);
		size_t length = strcspn(name, "/");
		if (!has_name(&names, name, length))
			names.names[names.count++] = dl_strndup(name, length);
	}
	if (names.count == 0) {
		free(names.names);
		return dl_error_set(err, DL_E_NOT_FOUND, "no such folder");
	}
	sort_and_thin(&names);
	names.cut = fake->overfull && strcmp(fake->overfull, folder) == 0;
	*ret_names = names;
	return 0;
}

static int fake_read(void *self, const char *path, size_t limit, char **ret_data, size_t *ret_size,
		     struct dl_error *err)
{
	struct node *node;
	int r = resolve(self, path, &node, err);
	if (r < 0)
		return r;
	if (!node)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such file");
	if (node->facts.type != DL_TYPE_FILE)
		return dl_error_set(err, DL_E_INVALID, "not a regular file");
	if (node->facts.size > (int64_t)limit)
		return dl_error_set(err, DL_E_LIMIT, "larger than %zu bytes", limit);
	*ret_size = node->content.size;
	*ret_data = dl_alloc(node->content.size + 1, 1);
	if (node->content.size)
		memcpy(*ret_data, node->content.data, node->content.size);
	return 0;
}

static bool is_folder(struct fake_host *fake, const char *path)
{
	for (size_t i = 0; i < fake->count; i++)
		if (is_below(fake->nodes[i]->path, path))
			return true;
	return strcmp(path, "/") == 0;
}

static int fake_look(void *self, const char *path, bool hash, struct dl_host_facts *ret_facts,
		     struct dl_error *err)
{
	struct node *node;
	int r = resolve(self, path, &node, err);
	if (r < 0)
		return r;
	*ret_facts = (struct dl_host_facts){ .type = DL_TYPE_MISSING };
	if (!node && is_folder(self, path))
		ret_facts->type = DL_TYPE_FOLDER;
	if (!node)
		return 0;
	*ret_facts = node->facts;
	if (!hash || node->facts.type != DL_TYPE_FILE || node->facts.size > DL_HOST_HASH_MAX)
		return 0;
	const char *data = node->content.data ? node->content.data : "";
	dl_sha256_text(data, node->content.size, ret_facts->sha256);
	dl_host_md5(data, node->content.size, ret_facts->md5);
	ret_facts->hashed = true;
	return 0;
}

static int fake_unit_ask(void *self, const char *name, struct dl_host_unit *ret_unit,
			 struct dl_error *err)
{
	struct fake_host *fake = self;
	if (fake->silent)
		return dl_error_set(err, DL_E_UNAVAILABLE, "systemd does not answer");
	if (!fake->systemd)
		return dl_error_set(err, DL_E_UNSUPPORTED, "no systemd here");
	const struct unit *unit = NULL;
	for (size_t i = 0; i < fake->unit_count && !unit; i++)
		unit = strcmp(fake->units[i].name, name) == 0 ? &fake->units[i] : NULL;
	*ret_unit = (struct dl_host_unit){
		.load_state = dl_strdup(unit ? "loaded" : "not-found"),
		.active_state = dl_strdup(unit ? unit->active : "inactive"),
		.sub_state = dl_strdup(unit ? unit->sub : "dead"),
		.unit_file_state = dl_strdup(unit ? unit->file_state : ""),
		.fragment_path = dl_strdup(""),
		.triggered_by = dl_strdup(""),
	};
	return 0;
}

static int fake_identify(void *self, struct dl_host_identity *ret_identity, struct dl_error *err)
{
	(void)self, (void)err;
	*ret_identity = (struct dl_host_identity){
		.hostname = dl_strdup("fake"), .os = dl_strdup("Debian in memory"),
		.kernel = dl_strdup("6.1"), .architecture = dl_strdup("x86_64"),
		.boot_id = dl_strdup("00000000-0000-0000-0000-000000000001"),
	};
	return 0;
}

static void fake_release(void *self)
{
	struct fake_host *fake = self;
	for (size_t i = 0; i < fake->count; i++) {
		free(fake->nodes[i]->path);
		dl_buf_free(&fake->nodes[i]->content);
		free(fake->nodes[i]);
	}
	for (size_t i = 0; i < fake->unit_count; i++) {
		free(fake->units[i].name);
		free(fake->units[i].file_state);
		free(fake->units[i].active);
		free(fake->units[i].sub);
	}
	free(fake);
}

static const struct dl_host_driver fake_driver = {
	.list = fake_list, .read = fake_read, .look = fake_look, .unit_ask = fake_unit_ask,
	.identify = fake_identify, .release = fake_release, .live = true,
};

/* ---- making one ---- */

struct fake_host *fake_host_new(void)
{
	struct fake_host *fake = DL_NEW(struct fake_host);
	fake_file(fake, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
				       "alice:x:1000:1000:,,,:/home/alice:/bin/sh\n");
	fake_file(fake, "/var/lib/dpkg/status", "");
	fake_file(fake, "/var/lib/dpkg/info/base-files.list", "/.\n");
	return fake;
}

struct dl_host *fake_host_open(struct fake_host *fake)
{
	return dl_host_new(&fake_driver, fake);
}

void fake_systemd(struct fake_host *fake)
{
	fake->systemd = true;
}

void fake_systemd_silent(struct fake_host *fake)
{
	fake->silent = true;
}

void fake_unit(struct fake_host *fake, const char *name, const char *file_state, const char *active,
	       const char *sub)
{
	if (fake->unit_count == UNITS_MAX)
		abort();
	fake->units[fake->unit_count++] = (struct unit){ dl_strdup(name), dl_strdup(file_state),
							 dl_strdup(active), dl_strdup(sub) };
}
