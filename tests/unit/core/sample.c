#include "sample.h"

#include "core/base/buf.h"

static const char sample_hash[] =
	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

static char *format_path(const char *before, const char *name, const char *after)
{
	struct dl_buf path = DL_BUF_INIT;
	dl_buf_printf(&path, "%s%s%s", before, name, after);
	return dl_buf_take(&path);
}

static struct dl_object *add_object(struct dl_foothold *foothold, enum dl_object_role role,
				    enum dl_object_type type, const char *path)
{
	struct dl_object *object = dl_foothold_add_object(foothold);
	object->role = role;
	object->type = type;
	object->path = dl_strdup(path);
	object->owner = dl_strdup("root");
	object->mode = 0644;
	object->links = 1;
	object->mtime_ns = 1700000000123456789;
	object->baseline = DL_BASELINE_ABSENT;
	return object;
}

struct dl_object *sample_file(struct dl_foothold *foothold, enum dl_object_role role,
			      const char *path)
{
	struct dl_object *object = add_object(foothold, role, DL_TYPE_FILE, path);
	object->size = 42;
	object->sha256 = dl_strdup(sample_hash);
	return object;
}

struct dl_object *sample_link(struct dl_foothold *foothold, enum dl_object_role role,
			      const char *path, const char *target)
{
	struct dl_object *object = add_object(foothold, role, DL_TYPE_SYMLINK, path);
	object->link_target = dl_strdup(target);
	object->mode = 0777;
	return object;
}

static struct dl_foothold *sample_unit(enum dl_kind kind, const char *name, const char *wants)
{
	struct dl_foothold *foothold = dl_foothold_new(kind);
	dl_autofree char *link = format_path(wants, "/", name);
	foothold->scope = dl_strdup("system");
	foothold->location = format_path("/etc/systemd/system/", name, "");
	foothold->name = dl_strdup(name);
	foothold->state = dl_strdup("enabled, active");
	foothold->active = true;
	sample_file(foothold, DL_ROLE_UNIT, foothold->location);
	sample_link(foothold, DL_ROLE_LINK, link, foothold->location);
	return foothold;
}

static void add_payload(struct dl_foothold *foothold, const char *payload)
{
	if (!payload)
		return;
	sample_file(foothold, DL_ROLE_PAYLOAD, payload)->mode = 0755;
	if (!foothold->command)
		foothold->command = dl_strdup(payload);
}

struct dl_foothold *sample_service(const char *name, const char *payload)
{
	struct dl_foothold *foothold = sample_unit(DL_KIND_SYSTEMD_SERVICE, name,
						   "/etc/systemd/system/multi-user.target.wants");
	foothold->user = dl_strdup("root");
	add_payload(foothold, payload);
	return foothold;
}

struct dl_foothold *sample_timer(const char *name, const char *activates, const char *payload)
{
	struct dl_foothold *foothold = sample_unit(DL_KIND_SYSTEMD_TIMER, name,
						   "/etc/systemd/system/timers.target.wants");
	foothold->activates = dl_strdup(activates);
	foothold->schedule = dl_strdup("OnCalendar=hourly");
	add_payload(foothold, payload);
	return foothold;
}

struct dl_foothold *sample_cron(const char *user, const char *line, const char *payload)
{
	struct dl_foothold *foothold = dl_foothold_new(DL_KIND_CRON_USER);
	foothold->scope = format_path("user:", user, "");
	foothold->location = format_path("/var/spool/cron/crontabs/", user, "");
	foothold->user = dl_strdup(user);
	foothold->line = dl_strdup(line);
	foothold->occurrence = 1;
	foothold->schedule = dl_strdup("every minute");
	sample_file(foothold, DL_ROLE_TABLE, foothold->location)->mode = 0600;
	add_payload(foothold, payload);
	return foothold;
}

struct dl_foothold *sample_run_value(const char *name, const char *command)
{
	struct dl_foothold *foothold = dl_foothold_new(DL_KIND_REGISTRY_RUN);
	foothold->scope = dl_strdup("user:alice");
	foothold->location = dl_strdup(
		"HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Run");
	foothold->name = dl_strdup(name);
	foothold->command = dl_strdup(command);
	add_object(foothold, DL_ROLE_VALUE, DL_TYPE_REGISTRY, foothold->location);
	return foothold;
}

struct dl_object *sample_object(struct dl_foothold *foothold, enum dl_object_role role)
{
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role == role)
			return &foothold->objects[i];
	return NULL;
}

struct dl_survey *sample_survey(void)
{
	struct dl_survey *survey = dl_survey_new();
	survey->started = 1700000000000;
	survey->finished = 1700000002500;
	survey->trusted = true;
	survey->host.hostname = dl_strdup("web1");
	survey->host.os = dl_strdup("Debian GNU/Linux 12");
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		dl_survey_cover(survey, (enum dl_kind)kind, DL_COVERAGE_COMPLETE, NULL);
	return survey;
}

const char *sample_add(struct dl_survey *survey, struct dl_foothold *foothold)
{
	dl_foothold_seal(foothold);
	dl_survey_add(survey, foothold);
	return survey->foothold_count ? survey->footholds[survey->foothold_count - 1]->key : NULL;
}
