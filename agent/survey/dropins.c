#include "agent/survey/dropins.h"

#include "agent/survey/unit_file.h"
#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

/* Where the part that a prefix is cut from ends: at the instance, or at the type. */
static size_t prefix_length(const char *unit)
{
	const char *end = strchr(unit, '@');
	if (!end)
		end = strrchr(unit, '.');
	return end ? (size_t)(end - unit) : 0;
}

bool dl_dropin_is_shared(const struct dl_unit_entry *dropin)
{
	size_t length = prefix_length(dropin->unit);
	return length == 0 || dropin->unit[length - 1] == '-';
}

/* "foo-.service" of "foo-bar.service", owned; NULL when there is no shorter prefix. */
static char *shorter_name(const char *unit)
{
	size_t end = prefix_length(unit), length = end;
	while (length > 0 && unit[length - 1] == '-')
		length--;
	while (length > 0 && unit[length - 1] != '-')
		length--;
	if (length < 2)
		return NULL;
	dl_autobuf name = DL_BUF_INIT;
	dl_buf_append(&name, unit, length);
	dl_buf_puts(&name, unit + end);
	return dl_buf_take(&name);
}

static const struct dl_unit_entry *family_of(const struct dl_units *units, const char *unit,
					     size_t *ret_count)
{
	dl_autofree char *template = dl_unit_name_template(unit);
	return dl_units_of(units, template ? template : unit, ret_count);
}

static void add(struct dl_dropins *dropins, const struct dl_unit_entry *dropin)
{
	for (size_t i = 0; i < dropins->count; i++)
		if (dropins->list[i] == dropin)
			return;
	if (dropins->count == DL_DROPINS_MAX)
		dropins->cut = true;
	else
		dropins->list[dropins->count++] = dropin;
}

/* Those in NAME.d. */
static void add_named(const struct dl_units *units, const char *name, struct dl_dropins *dropins)
{
	size_t count;
	const struct dl_unit_entry *family = family_of(units, name, &count);
	for (size_t i = 0; i < count; i++)
		if (family[i].type == DL_ENTRY_DROPIN && strcmp(family[i].unit, name) == 0)
			add(dropins, &family[i]);
}

static bool has_file(const struct dl_units *units, const char *unit)
{
	size_t count;
	const struct dl_unit_entry *family = family_of(units, unit, &count);
	for (size_t i = 0; i < count; i++)
		if (family[i].type == DL_ENTRY_FILE && strcmp(family[i].unit, unit) == 0)
			return true;
	return false;
}

/* By the unit's other names. `only`: a name that some file has too is not meant; what changes
 * that one comes back to it once the alias is gone. */
static void add_aliased(const struct dl_units *units, const struct dl_unit_entry *file, bool only,
			struct dl_dropins *dropins)
{
	size_t count;
	const struct dl_unit_entry *family = dl_units_of(units, file->family, &count);
	for (size_t i = 0; i < count; i++) {
		const char *alias = family[i].alias;
		if (alias && strcmp(family[i].unit, file->unit) == 0 &&
		    strcmp(alias, file->unit) != 0 && (!only || !has_file(units, alias)))
			add_named(units, alias, dropins);
	}
}

/* From the name itself by ever shorter prefixes to the type. */
static void add_by_name(const struct dl_units *units, const char *unit,
			struct dl_dropins *dropins)
{
	dl_autofree char *name = dl_strdup(unit);
	while (name) {
		dl_autofree char *template = dl_unit_name_template(name);
		add_named(units, name, dropins);
		if (template && strcmp(template, name) != 0)
			add_named(units, template, dropins);
		char *shorter = shorter_name(name);
		free(name);
		name = shorter;
	}
	const char *dot = strrchr(unit, '.');
	if (dot)
		add_named(units, dot + 1, dropins);
}

static const char *file_name(const struct dl_unit_entry *dropin)
{
	return strrchr(dropin->path, '/') + 1;
}

static bool is_of_whole_type(const struct dl_unit_entry *dropin)
{
	return !strchr(dropin->unit, '.');
}

/* Of one file name systemd 252 takes the one in "service.d" last, wherever that lies; else the
 * folder decides, then the longer name: "foo-bar.service" means the unit, "foo-.service" many. */
static int compare(const void *a, const void *b)
{
	const struct dl_unit_entry *one = *(const struct dl_unit_entry *const *)a;
	const struct dl_unit_entry *other = *(const struct dl_unit_entry *const *)b;
	int order = strcmp(file_name(one), file_name(other));
	if (order == 0)
		order = is_of_whole_type(one) - is_of_whole_type(other);
	if (order == 0)
		order = (one->rank > other->rank) - (one->rank < other->rank);
	return order ? order : (int)strlen(other->unit) - (int)strlen(one->unit);
}

void dl_dropins_in_force(const struct dl_units *units, const struct dl_unit_entry *file,
			 struct dl_dropins *ret)
{
	*ret = (struct dl_dropins){ 0 };
	add_by_name(units, file->unit, ret);
	add_aliased(units, file, false, ret);
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(ret->list[0]), compare);
	size_t kept = 0;
	for (size_t i = 0; i < ret->count; i++)
		if (kept == 0 || strcmp(file_name(ret->list[kept - 1]), file_name(ret->list[i])))
			ret->list[kept++] = ret->list[i];
	ret->count = kept;
}

void dl_dropins_own(const struct dl_units *units, const struct dl_unit_entry *file,
		    struct dl_dropins *ret)
{
	size_t count;
	const struct dl_unit_entry *family = dl_units_of(units, file->family, &count);
	*ret = (struct dl_dropins){ 0 };
	for (size_t i = 0; i < count; i++)
		if (family[i].type == DL_ENTRY_DROPIN && !dl_dropin_is_shared(&family[i]) &&
		    (strcmp(family[i].unit, file->unit) == 0 ||
		     strcmp(family[i].family, file->unit) == 0))
			add(ret, &family[i]);
	add_aliased(units, file, true, ret);
}
