#include "agent/survey/units.h"

#include "agent/survey/unit_file.h"
#include "core/base/buf.h"

#include <string.h>

struct folder_rule {
	const char *path;
	enum dl_unit_place place;
};

/* systemd.unit(5), first wins; system.control and transient come from lookup_paths_init(). */
static const struct folder_rule folder_rules[] = {
	{ "/etc/systemd/system.control", DL_PLACE_DISK },
	{ "/run/systemd/system.control", DL_PLACE_RUN },
	{ "/run/systemd/transient", DL_PLACE_TRANSIENT },
	{ "/run/systemd/generator.early", DL_PLACE_GENERATED },
	{ "/etc/systemd/system", DL_PLACE_DISK },
	{ "/etc/systemd/system.attached", DL_PLACE_DISK },
	{ "/run/systemd/system", DL_PLACE_RUN },
	{ "/run/systemd/system.attached", DL_PLACE_RUN },
	{ "/run/systemd/generator", DL_PLACE_GENERATED },
	{ "/usr/local/lib/systemd/system", DL_PLACE_DISK },
	{ "/lib/systemd/system", DL_PLACE_DISK },
	{ "/usr/lib/systemd/system", DL_PLACE_DISK },
	{ "/run/systemd/generator.late", DL_PLACE_GENERATED },
};

struct reading {
	struct dl_host *host;
	struct dl_units *units;
	char *folders[DL_COUNT(folder_rules)]; /* canonical; NULL: not there, or met before */
	size_t rank; /* the folder being read */
};

static void reading_release(struct reading *reading)
{
	for (size_t i = 0; i < DL_COUNT(reading->folders); i++)
		free(reading->folders[i]);
}

static void entry_clear(struct dl_unit_entry *entry)
{
	free(entry->unit);
	free(entry->family);
	free(entry->path);
	free(entry->alias);
	free(entry->wanted_by);
}

void dl_units_free(struct dl_units *units)
{
	if (!units)
		return;
	for (size_t i = 0; i < units->count; i++)
		entry_clear(&units->entries[i]);
	free(units->entries);
	free(units->unread);
	free(units);
}

bool dl_unit_name_ends(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);
	return length > end && strcmp(name + length - end, suffix) == 0;
}

static bool is_unit_of_interest(const char *name)
{
	return dl_unit_name_ends(name, ".service") || dl_unit_name_ends(name, ".timer");
}

/* "service.d" changes all services. */
static bool is_type(const char *name)
{
	return strcmp(name, "service") == 0 || strcmp(name, "timer") == 0;
}

static void note_unread(struct reading *reading, const char *path, const struct dl_error *err)
{
	if (reading->units->unread)
		return;
	dl_autobuf words = DL_BUF_INIT;
	dl_buf_printf(&words, "%s: %s", path, err->text);
	reading->units->unread = dl_buf_take(&words);
}

static char *joined(const char *folder, const char *name)
{
	dl_autobuf path = DL_BUF_INIT;
	dl_buf_printf(&path, "%s/%s", folder, name);
	return dl_buf_take(&path);
}

/* Takes the texts of `entry` over. */
static void add_entry(struct reading *reading, struct dl_unit_entry entry)
{
	struct dl_units *units = reading->units;
	if (units->count == DL_UNITS_MAX) {
		units->cut = true;
		entry_clear(&entry);
		return;
	}
	entry.place = folder_rules[reading->rank].place;
	entry.rank = reading->rank;
	entry.family = dl_unit_name_template(entry.unit);
	if (!entry.family)
		entry.family = dl_strdup(entry.unit);
	if ((units->count & (units->count - 1)) == 0)
		units->entries = dl_realloc(units->entries, units->count ? 2 * units->count : 1,
					    sizeof(entry));
	units->entries[units->count++] = entry;
}

/* The names in a folder that may itself be a symlink; none if it cannot be read. */
static struct dl_host_names names_of(struct reading *reading, const char *path, char **ret_folder)
{
	struct dl_host_names names = { 0 };
	struct dl_error err = { 0 };
	int r = dl_host_canonical(reading->host, path, true, ret_folder, &err);
	if (r == 0)
		r = dl_host_list(reading->host, *ret_folder, &names, &err);
	if (r < 0 && r != DL_E_NOT_FOUND)
		note_unread(reading, path, &err);
	reading->units->cut |= names.cut;
	return names;
}

static enum dl_object_type type_at(struct reading *reading, const char *path,
				   struct dl_host_facts *facts)
{
	struct dl_error err = { 0 };
	if (dl_host_look(reading->host, path, false, facts, &err) == 0)
		return facts->type;
	note_unread(reading, path, &err);
	return DL_TYPE_MISSING;
}

/* ---- X.service.d, service.d, X.wants ---- */

static void read_dropins(struct reading *reading, const char *path, const char *unit)
{
	dl_autofree char *folder = NULL;
	dl_autonames names = names_of(reading, path, &folder);
	for (size_t i = 0; i < names.count; i++)
		if (dl_unit_name_ends(names.names[i], ".conf"))
			add_entry(reading, (struct dl_unit_entry){
				.type = DL_ENTRY_DROPIN, .unit = dl_strdup(unit),
				.path = joined(folder, names.names[i]) });
}

/* The name of the link counts, not where it leads: unit_load_dropin(). */
static void read_wants(struct reading *reading, const char *path, const char *wanted_by)
{
	dl_autofree char *folder = NULL;
	dl_autonames names = names_of(reading, path, &folder);
	for (size_t i = 0; i < names.count; i++) {
		struct dl_host_facts facts;
		dl_autofree char *link = joined(folder, names.names[i]);
		if (is_unit_of_interest(names.names[i]) &&
		    type_at(reading, link, &facts) == DL_TYPE_SYMLINK)
			add_entry(reading, (struct dl_unit_entry){
				.type = DL_ENTRY_LINK, .unit = dl_strdup(names.names[i]),
				.path = DL_TAKE(link), .wanted_by = dl_strdup(wanted_by) });
	}
}

/* ---- names that end like a unit ---- */

static bool is_unit_folder(const struct reading *reading, const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path);
	for (size_t i = 0; i < DL_COUNT(reading->folders); i++) {
		const char *folder = reading->folders[i];
		if (folder && strlen(folder) == length && memcmp(folder, path, length) == 0)
			return true;
	}
	return false;
}

/* An alias within the unit folders, a mask, or a link to a file elsewhere. */
static void read_link(struct reading *reading, const char *path, const char *name)
{
	dl_autofree char *real = NULL;
	if (dl_host_canonical(reading->host, path, true, &real, NULL) < 0)
		return; /* leads nowhere: systemd finds no unit there either */
	struct dl_unit_entry link = { .type = DL_ENTRY_LINK, .path = dl_strdup(path) };
	if (strcmp(real, "/dev/null") == 0) {
		link.type = DL_ENTRY_MASK;
		link.unit = dl_strdup(name);
	} else if (is_unit_folder(reading, real)) {
		link.unit = dl_strdup(strrchr(real, '/') + 1);
		link.alias = dl_strdup(name);
	} else {
		link.unit = dl_strdup(name);
		link.alias = dl_strdup(name);
		add_entry(reading, (struct dl_unit_entry){ .type = DL_ENTRY_FILE,
			.unit = dl_strdup(name), .path = DL_TAKE(real) });
	}
	add_entry(reading, link);
}

static void read_unit(struct reading *reading, const char *path, const char *name)
{
	struct dl_host_facts facts;
	enum dl_object_type type = type_at(reading, path, &facts);
	if (type == DL_TYPE_SYMLINK)
		read_link(reading, path, name);
	else if (type == DL_TYPE_FILE || type == DL_TYPE_OTHER)
		add_entry(reading, (struct dl_unit_entry){ .type = DL_ENTRY_FILE,
			.unit = dl_strdup(name), .path = dl_strdup(path) });
}

static void read_name(struct reading *reading, const char *folder, const char *name)
{
	static const char *const wants[] = { ".wants", ".requires", ".upholds" };
	dl_autofree char *path = joined(folder, name);
	if (is_unit_of_interest(name)) {
		read_unit(reading, path, name);
		return;
	}
	const char *dot = strrchr(name, '.');
	dl_autofree char *stem = dl_strndup(name, dot ? (size_t)(dot - name) : 0);
	if (dl_unit_name_ends(name, ".d") && (is_unit_of_interest(stem) || is_type(stem)))
		read_dropins(reading, path, stem);
	for (size_t i = 0; i < DL_COUNT(wants); i++)
		if (dl_unit_name_ends(name, wants[i]))
			read_wants(reading, path, stem);
}

/* ---- all folders ---- */

/* Two spellings of one folder are one folder, at its first place. */
static void find_folders(struct reading *reading)
{
	for (size_t i = 0; i < DL_COUNT(folder_rules); i++) {
		struct dl_error err = { 0 };
		char *folder = NULL;
		int r = dl_host_canonical(reading->host, folder_rules[i].path, true, &folder, &err);
		if (r < 0 && r != DL_E_NOT_FOUND)
			note_unread(reading, folder_rules[i].path, &err);
		for (size_t k = 0; folder && k < i; k++)
			if (reading->folders[k] && strcmp(reading->folders[k], folder) == 0) {
				free(folder);
				folder = NULL;
			}
		reading->folders[i] = folder;
	}
}

static void read_folder(struct reading *reading)
{
	const char *path = reading->folders[reading->rank];
	dl_autofree char *folder = NULL;
	dl_autonames names = names_of(reading, path, &folder);
	for (size_t i = 0; i < names.count; i++)
		read_name(reading, path, names.names[i]);
}

static int compare_entries(const void *a, const void *b)
{
	const struct dl_unit_entry *one = a, *other = b;
	int order = strcmp(one->family, other->family);
	if (order == 0)
		order = (one->type > other->type) - (one->type < other->type);
	if (order == 0)
		order = (one->rank > other->rank) - (one->rank < other->rank);
	return order ? order : strcmp(one->path, other->path);
}

struct dl_units *dl_units_read(struct dl_host *host)
{
	__attribute__((cleanup(reading_release))) struct reading reading = {
		.host = host, .units = DL_NEW(struct dl_units),
	};
	find_folders(&reading);
	for (; reading.rank < DL_COUNT(folder_rules); reading.rank++)
		if (reading.folders[reading.rank])
			read_folder(&reading);
	if (reading.units->count)
		qsort(reading.units->entries, reading.units->count, sizeof(struct dl_unit_entry),
		      compare_entries);
	return reading.units;
}

size_t dl_units_run(const struct dl_units *units, size_t first)
{
	size_t count = 1;
	while (first + count < units->count &&
	       strcmp(units->entries[first + count].family, units->entries[first].family) == 0)
		count++;
	return count;
}

const struct dl_unit_entry *dl_units_of(const struct dl_units *units, const char *family,
					size_t *ret_count)
{
	size_t low = 0, high = units->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(units->entries[middle].family, family) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_count = 0;
	if (low == units->count || strcmp(units->entries[low].family, family) != 0)
		return NULL;
	*ret_count = dl_units_run(units, low);
	return &units->entries[low];
}
