#include "agent/survey/unit_foothold.h"

#include "agent/survey/dropins.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/time.h"

#include <string.h>

/* One unit file on its way to being a foothold. */
struct candidate {
	struct dl_scan *scan;
	const struct dl_unit_entry *family; /* all entries that have to do with it */
	size_t family_count;
	const struct dl_unit_entry *file;
	const struct dl_unit_entry *winner; /* the file or mask in force for this name */
	struct dl_unit_file *settings;
	struct dl_foothold *foothold;
	struct dl_host_unit live; /* systemd's answer; load_state NULL: not asked */
	bool unread;              /* some of its files could not be read */
	bool shipped;             /* nothing about it is anybody's but the package's */
	bool linked;              /* some link enables it */
};

static void candidate_release(struct candidate *candidate)
{
	dl_unit_file_free(candidate->settings);
	dl_foothold_free(candidate->foothold);
	dl_host_unit_clear(&candidate->live);
}

static bool is_in_force(const struct candidate *candidate)
{
	return candidate->winner == candidate->file;
}

static bool is_template(const struct candidate *candidate)
{
	return strchr(candidate->file->unit, '@') != NULL;
}

/* Of one name, the entry in the first folder wins, be it a file or a mask. */
static const struct dl_unit_entry *find_winner(const struct dl_unit_entry *family, size_t count,
					       const char *unit)
{
	const struct dl_unit_entry *winner = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct dl_unit_entry *entry = &family[i];
		if ((entry->type == DL_ENTRY_FILE || entry->type == DL_ENTRY_MASK) &&
		    strcmp(entry->unit, unit) == 0 && (!winner || entry->rank < winner->rank))
			winner = entry;
	}
	return winner;
}

/* ---- reading ---- */

static void read_settings(struct candidate *candidate, const char *path)
{
	dl_autofree char *text = NULL;
	size_t size;
	struct dl_error err = { 0 };
	int r = dl_host_read(candidate->scan->host, path, DL_HOST_FILE_MAX, &text, &size, &err);
	if (r == 0)
		r = dl_unit_file_add(candidate->settings, text, size, &err);
	candidate->unread |= r < 0;
	/* systemd itself refuses what is no regular file; too large is listed without a command. */
	if (r < 0 && r != DL_E_INVALID && r != DL_E_NOT_FOUND)
		dl_scan_partial(candidate->scan, "%.256s: %s", path, err.text);
}

static void read_all_settings(struct candidate *candidate)
{
	struct dl_dropins dropins;
	candidate->settings = dl_unit_file_new();
	read_settings(candidate, candidate->file->path);
	if (!is_in_force(candidate))
		return;
	dl_dropins_in_force(candidate->scan->units, candidate->file, &dropins);
	for (size_t i = 0; i < dropins.count; i++)
		read_settings(candidate, dropins.list[i]->path);
	if (dropins.cut)
		dl_scan_partial(candidate->scan, "%.256s has more drop-ins than a survey reads",
				candidate->file->unit);
}

/* ---- objects ---- */

/* What [Install] asks for is how an ordinary unit is enabled; what a generator links is the
 * generator's doing. */
static bool is_explained(const struct candidate *candidate, const struct dl_unit_entry *link)
{
	const struct dl_unit_file *settings = candidate->settings;
	if (link->place == DL_PLACE_GENERATED)
		return true;
	if (link->alias)
		return strcmp(link->alias, link->unit) == 0 ||
		       dl_unit_file_lists(settings, "Install", "Alias", link->alias);
	return dl_unit_file_lists(settings, "Install", "WantedBy", link->wanted_by) ||
	       dl_unit_file_lists(settings, "Install", "RequiredBy", link->wanted_by) ||
	       dl_unit_file_lists(settings, "Install", "UpheldBy", link->wanted_by);
}

static void add_extra(struct candidate *candidate, const struct dl_unit_entry *entry)
{
	bool is_link = entry->type == DL_ENTRY_LINK;
	const struct dl_object *object =
		dl_scan_object(candidate->scan, candidate->foothold, entry->path,
			       is_link ? DL_ROLE_LINK : DL_ROLE_DROPIN);
	candidate->linked |= is_link;
	bool expected = is_link && is_explained(candidate, entry);
	bool owned = object && (dl_object_is_shipped(object) || (is_link && object->package));
	if (!owned && !(object && expected))
		candidate->shipped = false;
}

static void say_manual(struct dl_foothold *foothold, const char *words)
{
	if (!foothold->manual_because)
		foothold->manual_because = dl_strdup(words);
}

/* A link that names the unit, or an instance of the template. */
static bool is_link_to(const struct dl_unit_entry *entry, const char *unit)
{
	return entry->type == DL_ENTRY_LINK &&
	       (strcmp(entry->unit, unit) == 0 || strcmp(entry->family, unit) == 0);
}

static void add_extras(struct candidate *candidate)
{
	size_t extras = 0;
	struct dl_dropins own;
	if (!is_in_force(candidate))
		return;
	for (size_t i = 0; i < candidate->family_count; i++)
		if (is_link_to(&candidate->family[i], candidate->file->unit) &&
		    extras++ < DL_UNIT_EXTRAS_MAX)
			add_extra(candidate, &candidate->family[i]);
	dl_dropins_own(candidate->scan->units, candidate->file, &own);
	for (size_t i = 0; i < own.count && extras++ < DL_UNIT_EXTRAS_MAX; i++)
		add_extra(candidate, own.list[i]);
	if (extras <= DL_UNIT_EXTRAS_MAX && !own.cut)
		return;
	say_manual(candidate->foothold, "it has more drop-ins and links than one step takes");
	candidate->shipped = false;
}

/* A generated unit says what it was made from, e.g. a script in /etc/init.d. */
static bool source_is_shipped(const struct candidate *candidate)
{
	const char *source = dl_unit_file_get(candidate->settings, "Unit", "SourcePath");
	dl_autofree char *path = NULL;
	struct dl_object object = { 0 };
	if (!source || dl_host_canonical(candidate->scan->host, source, true, &path, NULL) < 0 ||
	    dl_host_object(candidate->scan->host, path, DL_ROLE_UNIT, &object, NULL) < 0)
		return false;
	bool shipped = dl_object_is_shipped(&object);
	dl_object_clear(&object);
	return shipped;
}

static void add_unit(struct candidate *candidate)
{
	const struct dl_object *unit = dl_scan_object(candidate->scan, candidate->foothold,
						      candidate->file->path, DL_ROLE_UNIT);
	candidate->shipped = unit && dl_object_is_shipped(unit);
	if (candidate->file->place == DL_PLACE_GENERATED && source_is_shipped(candidate))
		candidate->shipped = true;
}

/* ---- what no step may touch ---- */

static bool shadows_package(const struct candidate *candidate, const struct dl_unit_entry **ret)
{
	for (size_t i = 0; i < candidate->family_count; i++) {
		const struct dl_unit_entry *entry = &candidate->family[i];
		dl_autopackage package = { 0 };
		if (entry->type == DL_ENTRY_FILE && entry->rank > candidate->file->rank &&
		    strcmp(entry->unit, candidate->file->unit) == 0 &&
		    dl_host_package_of(candidate->scan->host, entry->path, &package, NULL) == 0 &&
		    package.name) {
			*ret = entry;
			return true;
		}
	}
	return false;
}

static void judge(struct candidate *candidate)
{
	struct dl_foothold *foothold = candidate->foothold;
	const struct dl_unit_entry *shadowed;
	if (!dl_unit_name_is_valid(candidate->file->unit))
		say_manual(foothold, "systemd ignores a unit of this name, so nothing can prove it "
				     "gone");
	else if (foothold->object_count == 0)
		say_manual(foothold, "the survey could not examine it");
	else if (foothold->objects[0].type != DL_TYPE_FILE)
		say_manual(foothold, "it is not a regular file");
	else if (candidate->file->place == DL_PLACE_GENERATED)
		say_manual(foothold, "a generator writes it again at each reload of systemd");
	else if (candidate->file->place == DL_PLACE_TRANSIENT)
		say_manual(foothold, "a transient unit: its file goes when it is stopped and "
				     "cannot be put back");
	else if (candidate->file->place == DL_PLACE_RUN)
		say_manual(foothold, "it lies in /run, so something writes it again after each "
				     "start");
	else if (is_template(candidate))
		say_manual(foothold, "a template: each of its instances has to be looked at");
	else if (shadows_package(candidate, &shadowed))
		say_manual(foothold, "it hides a unit of a package, which would come back in its "
				     "place");
}

/* ---- what state it is in ---- */

/* To be asked about a unit, systemd reads its file, and a file of a terabyte
 * keeps it from all else for hours: what we could not read is not asked for. */
static void ask_systemd(struct candidate *candidate)
{
	struct dl_scan *scan = candidate->scan;
	struct dl_error err = { 0 };
	if (!is_in_force(candidate) || is_template(candidate) || candidate->unread ||
	    scan->systemd_silent || !dl_unit_name_is_valid(candidate->file->unit))
		return;
	if (scan->asked_ms > DL_SCAN_ASK_MS) {
		dl_scan_partial(scan, "systemd is too slow to be asked about every unit");
		return;
	}
	int64_t started = dl_time_monotonic_ms();
	int r = dl_host_unit_ask(scan->host, candidate->file->unit, &candidate->live, &err);
	scan->asked_ms += dl_time_monotonic_ms() - started;
	if (r == 0 || r == DL_E_UNSUPPORTED)
		return;
	scan->systemd_silent = r == DL_E_UNAVAILABLE || r == DL_E_TIMEOUT;
	dl_scan_partial(scan, "%s", err.text);
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool runs_or_would(const struct candidate *candidate)
{
	static const char *const running[] = { "active", "activating", "reloading", NULL };
	static const char *const enabled[] = { "enabled", "enabled-runtime", NULL };
	const struct dl_host_unit *live = &candidate->live;
	if (!is_in_force(candidate) || !dl_unit_name_is_valid(candidate->file->unit))
		return false;
	if (!live->load_state)
		return candidate->linked;
	return is_one_of(live->active_state, running) ||
	       is_one_of(live->unit_file_state, enabled) || *live->triggered_by;
}

static void describe_live(const struct dl_host_unit *live, struct dl_buf *words)
{
	if (strcmp(live->load_state, "loaded") != 0)
		dl_buf_printf(words, "%s, ", live->load_state);
	if (*live->unit_file_state)
		dl_buf_printf(words, "%s, ", live->unit_file_state);
	dl_buf_printf(words, "%s (%s)", live->active_state, live->sub_state);
	if (*live->triggered_by)
		dl_buf_printf(words, ", started by %s", live->triggered_by);
	if (live->main_pid)
		dl_buf_printf(words, ", process %lld", (long long)live->main_pid);
	if (live->need_reload)
		dl_buf_puts(words, ", changed since systemd read it");
}

static char *describe_state(const struct candidate *candidate)
{
	dl_autobuf words = DL_BUF_INIT;
	if (!dl_unit_name_is_valid(candidate->file->unit))
		dl_buf_puts(&words, "inert: systemd ignores this name");
	else if (!is_in_force(candidate))
		dl_buf_printf(&words, "inert: %s takes precedence", candidate->winner->path);
	else if (is_template(candidate))
		dl_buf_puts(&words, candidate->linked ? "template, enabled" : "template");
	else if (candidate->live.load_state)
		describe_live(&candidate->live, &words);
	else
		dl_buf_printf(&words, "%s, systemd was not asked",
			      candidate->linked ? "enabled" : "not enabled");
	return dl_scan_text(words.data, DL_NAME_MAX_BYTES);
}

/* ---- one unit file, all unit files ---- */

static bool is_wanted(struct dl_scan *scan, bool shipped)
{
	if (!shipped || scan->options->all)
		return true;
	scan->survey->omitted++;
	return false;
}

static void survey_file(struct candidate *candidate, dl_unit_fill fill)
{
	struct dl_foothold *foothold = dl_foothold_new(candidate->scan->kind);
	candidate->foothold = foothold;
	foothold->scope = dl_strdup("system");
	foothold->location = dl_bytes_encode_str(candidate->file->path);
	foothold->name = dl_bytes_encode_str(candidate->file->unit);
	read_all_settings(candidate);
	add_unit(candidate);
	if (foothold->object_count > 0 && foothold->objects[0].type == DL_TYPE_MISSING)
		return; /* gone since the folder was read */
	add_extras(candidate);
	if (!is_wanted(candidate->scan, candidate->shipped))
		return;
	judge(candidate);
	fill(candidate->scan, candidate->file->unit, candidate->settings, foothold);
	ask_systemd(candidate);
	foothold->state = describe_state(candidate);
	foothold->active = runs_or_would(candidate);
	dl_scan_add(candidate->scan, DL_TAKE(candidate->foothold));
}

/* A mask runs nothing, but somebody who masks the host's own units keeps them from running. */
static void survey_mask(struct dl_scan *scan, const struct dl_unit_entry *mask)
{
	dl_auto(dl_foothold) foothold = dl_foothold_new(scan->kind);
	foothold->scope = dl_strdup("system");
	foothold->location = dl_bytes_encode_str(mask->path);
	foothold->name = dl_bytes_encode_str(mask->unit);
	const struct dl_object *link = dl_scan_object(scan, foothold, mask->path, DL_ROLE_LINK);
	if (!is_wanted(scan, link && link->package))
		return;
	foothold->state = dl_strdup("masked");
	say_manual(foothold, "a mask: it keeps a unit from running and runs nothing itself");
	dl_scan_add(scan, DL_TAKE(foothold));
}

/* "service.d/x.conf": no unit file bears this name. */
static char *dropin_name(const struct dl_unit_entry *dropin)
{
	dl_autobuf name = DL_BUF_INIT;
	dl_buf_printf(&name, "%s.d%s", dropin->unit, strrchr(dropin->path, '/'));
	return dl_bytes_encode_str(name.data);
}

/* It belongs to no unit, so that no unit's step takes it, and no step takes it from the others. */
static void survey_shared_dropin(struct dl_scan *scan, const struct dl_unit_entry *dropin,
				 dl_unit_fill fill)
{
	__attribute__((cleanup(candidate_release))) struct candidate candidate = {
		.scan = scan, .file = dropin, .settings = dl_unit_file_new(),
		.foothold = dl_foothold_new(scan->kind),
	};
	struct dl_foothold *foothold = candidate.foothold;
	foothold->scope = dl_strdup("system");
	foothold->location = dl_bytes_encode_str(dropin->path);
	foothold->name = dropin_name(dropin);
	const struct dl_object *object =
		dl_scan_object(scan, foothold, dropin->path, DL_ROLE_DROPIN);
	if (!is_wanted(scan, object && dl_object_is_shipped(object)))
		return;
	read_settings(&candidate, dropin->path);
	fill(scan, NULL, candidate.settings, foothold);
	foothold->state = dl_strdup("a drop-in that many units share");
	foothold->active = true;
	say_manual(foothold, "it changes every unit whose name fits, so it goes with none of them; "
			     "move it away by hand and have systemd reload");
	dl_scan_add(scan, DL_TAKE(candidate.foothold));
}

static void survey_family(struct dl_scan *scan, const struct dl_unit_entry *family, size_t count,
			  dl_unit_fill fill)
{
	for (size_t i = 0; i < count && !dl_scan_is_full(scan); i++) {
		if (family[i].type == DL_ENTRY_MASK)
			survey_mask(scan, &family[i]);
		if (family[i].type == DL_ENTRY_DROPIN && dl_dropin_is_shared(&family[i]))
			survey_shared_dropin(scan, &family[i], fill);
		if (family[i].type != DL_ENTRY_FILE)
			continue;
		__attribute__((cleanup(candidate_release))) struct candidate candidate = {
			.scan = scan, .family = family, .family_count = count, .file = &family[i],
			.winner = find_winner(family, count, family[i].unit),
		};
		survey_file(&candidate, fill);
	}
}

/* Units end in ".service", the drop-ins of all services belong to "service". */
static bool is_of_type(const struct dl_unit_entry *entry, const char *suffix)
{
	return dl_unit_name_ends(entry->family, suffix) || strcmp(entry->family, suffix + 1) == 0;
}

void dl_unit_footholds(struct dl_scan *scan, const char *suffix, dl_unit_fill fill)
{
	if (!scan->units)
		scan->units = dl_units_read(scan->host);
	const struct dl_units *units = scan->units;
	if (units->cut)
		dl_scan_partial(scan, "the unit folders hold more names than a survey reads");
	if (units->unread)
		dl_scan_partial(scan, "%s", units->unread);
	for (size_t at = 0; at < units->count && !dl_scan_is_full(scan);
	     at += dl_units_run(units, at))
		if (is_of_type(&units->entries[at], suffix))
			survey_family(scan, &units->entries[at], dl_units_run(units, at), fill);
}
