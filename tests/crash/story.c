#include "story.h"

#include "agent/platform/host.h"
#include "scratch.h"

#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CRON_LINE "* * * * * root /opt/evil"
#define CRON_TEXT "# a table\n5 5 * * * root true\n" CRON_LINE "\n6 6 * * * root true\n"

/* ---- planting: everything that undo has to give back is unusual ---- */

static void set_time(const char *path)
{
	struct timespec times[2] = { { 1000000000, 1 }, { 1111111111, 987654321 } };

	if (utimensat(AT_FDCWD, scratch_path(path), times, AT_SYMLINK_NOFOLLOW) < 0)
		err(EXIT_FAILURE, "time of %s", path);
}

static void set_owner(const char *path, uid_t uid, gid_t gid)
{
	if (fchownat(AT_FDCWD, scratch_path(path), uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		err(EXIT_FAILURE, "owner of %s", path);
}

static void set_xattr(const char *path, const char *name, const void *value, size_t size)
{
	if (lsetxattr(scratch_path(path), name, value, size, 0) < 0)
		err(EXIT_FAILURE, "attribute %s of %s", name, path);
}

/* cap_net_raw=ep, as setcap(8) writes it. */
static const unsigned char capability[] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0,
					    0, 0, 0, 0, 0, 0,    0, 0, 0, 0 };
/* user::rwx, user:1000:r-x, group::r-x, mask::r-x, other::--- (acl(5), version 2). */
static const unsigned char access_list[] = {
	2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2,    0, 5, 0, 0xe8, 3, 0, 0, 4, 0,
	5, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 5, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0, 0xff, 0xff,
	0xff, 0xff,
};

static void plant_payload(const char *path)
{
	scratch_text(path, "inert payload\n", 04750);
	set_owner(path, 1234, 4321);
	if (chmod(scratch_path(path), 04750) < 0)
		err(EXIT_FAILURE, "mode of %s", path);
	set_xattr(path, "security.capability", capability, sizeof(capability));
	set_xattr(path, "system.posix_acl_access", access_list, sizeof(access_list));
	set_xattr(path, "user.mark", "of its own", 10);
	set_time(path);
}

static void plant_file(void)
{
	plant_payload("/opt/evil");
}

static void plant_file_elsewhere(void)
{
	plant_payload("/srv/evil");
}

static void plant_link(const char *path)
{
	if (symlink("../opt/bystander", scratch_path(path)) < 0)
		err(EXIT_FAILURE, "linking %s", path);
	set_owner(path, 1234, 4321);
	set_xattr(path, "trusted.mark", "link", 4);
	set_time(path);
}

static void plant_symlink(void)
{
	plant_link("/opt/link");
}

static void plant_symlink_elsewhere(void)
{
	plant_link("/srv/link");
}

static void plant_empty(const char *path)
{
	scratch_folder(path, 01770);
	set_owner(path, 1234, 4321);
	set_xattr(path, "user.mark", "folder", 6);
	set_time(path);
}

static void plant_folder(void)
{
	plant_empty("/opt/empty");
}

static void plant_folder_elsewhere(void)
{
	plant_empty("/srv/empty");
}

/* Flags on the object and on its folder: both stand in the way of a rename. */
static void plant_locked(void)
{
	scratch_folder("/opt/locked", 0755);
	plant_payload("/opt/locked/evil");
	scratch_set_flags("/opt/locked/evil", FS_IMMUTABLE_FL);
	scratch_set_flags("/opt/locked", FS_APPEND_FL);
}

static void plant_locked_elsewhere(void)
{
	plant_payload("/srv/evil");
	scratch_set_flags("/srv/evil", FS_IMMUTABLE_FL);
}

static void plant_hard_links(void)
{
	plant_payload("/opt/evil");
	if (link(scratch_path("/opt/evil"), scratch_path("/home/twin")) < 0)
		err(EXIT_FAILURE, "linking");
}

static void plant_cron(void)
{
	scratch_text("/etc/cron.d/table", CRON_TEXT, 0640);
	set_xattr("/etc/cron.d/table", "user.mark", "table", 5);
	set_time("/etc/cron.d/table");
}

static void plant_cron_elsewhere(void)
{
	scratch_text("/srv/table", CRON_TEXT, 0640);
	set_time("/srv/table");
}

static void plant_unit(void)
{
	scratch_text("/etc/systemd/system/evil.service",
		     "[Service]\nExecStart=/opt/evil\n[Install]\nWantedBy=multi-user.target\n", 0644);
	set_time("/etc/systemd/system/evil.service");
	scratch_folder("/etc/systemd/system/evil.service.d", 0755);
	scratch_text("/etc/systemd/system/evil.service.d/more.conf", "[Service]\nNice=5\n", 0600);
	if (symlink("/etc/systemd/system/evil.service",
		    scratch_path("/etc/systemd/system/multi-user.target.wants/evil.service")) < 0)
		err(EXIT_FAILURE, "linking");
}

static void plant_all(void)
{
	plant_unit();
	plant_cron();
	plant_payload("/srv/evil");
}

/* ---- the stories ---- */

#define FILE_STEP(at) { .verb = DL_VERB_FILE_QUARANTINE, .objects = { { DL_ROLE_PAYLOAD, at } } }
#define CRON_STEP(at)                                                                              \
	{ .verb = DL_VERB_CRON_LINE_REMOVE, .line = CRON_LINE, .objects = { { DL_ROLE_TABLE, at } } }
#define UNIT_STEP                                                                                  \
	{ .verb = DL_VERB_SYSTEMD_UNIT_REMOVE, .unit = "evil.service", .objects = {                \
		{ DL_ROLE_UNIT, "/etc/systemd/system/evil.service" },                              \
		{ DL_ROLE_DROPIN, "/etc/systemd/system/evil.service.d/more.conf" },                \
		{ DL_ROLE_LINK, "/etc/systemd/system/multi-user.target.wants/evil.service" } } }

const struct story stories[] = {
	{ "file", NULL, plant_file, { FILE_STEP("/opt/evil") } },
	{ "file-elsewhere", "/srv", plant_file_elsewhere, { FILE_STEP("/srv/evil") } },
	{ "symlink", NULL, plant_symlink, { FILE_STEP("/opt/link") } },
	{ "symlink-elsewhere", "/srv", plant_symlink_elsewhere, { FILE_STEP("/srv/link") } },
	{ "folder", NULL, plant_folder, { FILE_STEP("/opt/empty") } },
	{ "folder-elsewhere", "/srv", plant_folder_elsewhere, { FILE_STEP("/srv/empty") } },
	{ "locked", NULL, plant_locked, { FILE_STEP("/opt/locked/evil") } },
	{ "locked-elsewhere", "/srv", plant_locked_elsewhere, { FILE_STEP("/srv/evil") } },
	{ "hard-links", NULL, plant_hard_links, { FILE_STEP("/opt/evil") } },
	{ "cron", NULL, plant_cron, { CRON_STEP("/etc/cron.d/table") } },
	{ "cron-elsewhere", "/srv", plant_cron_elsewhere, { CRON_STEP("/srv/table") } },
	{ "unit", NULL, plant_unit, { UNIT_STEP } },
	{ "plan", "/srv", plant_all,
	  { UNIT_STEP, CRON_STEP("/etc/cron.d/table"),
	    { .verb = DL_VERB_FILE_QUARANTINE, .requires = 1,
	      .objects = { { DL_ROLE_PAYLOAD, "/srv/evil" } } } } },
	{ NULL, NULL, NULL, { { DL_VERB_MANUAL } } },
};

/* ---- the plan ---- */

static void add_object(struct dl_host *host, struct dl_step *step, const struct story_object *from)
{
	struct dl_error why = { 0 };

	step->objects = dl_realloc(step->objects, step->object_count + 1, sizeof(*step->objects));
	step->objects[step->object_count] = (struct dl_object){ 0 };
	if (dl_host_object(host, from->path, from->role, &step->objects[step->object_count],
			   &why) < 0)
		errx(EXIT_FAILURE, "%s: %s", from->path, why.text);
	step->object_count++;
}

static struct dl_step step_of(struct dl_host *host, const struct story_step *from, int64_t id)
{
	struct dl_step step = {
		.id = id,
		.verb = from->verb,
		.title = dl_strdup("a step"),
		.why = dl_strdup("a test"),
		.unit = from->unit ? dl_strdup(from->unit) : NULL,
		.line = from->line ? dl_strdup(from->line) : NULL,
		.occurrence = from->line ? 1 : 0,
	};

	for (const struct story_object *object = from->objects; object->path; object++)
		add_object(host, &step, object);
	if (from->requires) {
		step.requires = dl_memdup(&from->requires, sizeof(from->requires));
		step.require_count = 1;
	}
	return step;
}

struct dl_plan *story_plan(const struct story *story)
{
	struct dl_plan *plan = dl_plan_new();
	dl_auto(dl_host) host = NULL;
	struct dl_error why = { 0 };

	if (dl_host_open(SCRATCH_ROOT, &host, &why) < 0)
		errx(EXIT_FAILURE, "%s", why.text);
	plan->steps = dl_alloc(STORY_STEPS_MAX, sizeof(*plan->steps));
	for (const struct story_step *step = story->steps; step->verb != DL_VERB_MANUAL; step++) {
		plan->steps[plan->step_count] = step_of(host, step, (int64_t)plan->step_count + 1);
		plan->step_count++;
	}
	return plan;
}

const char *story_unit(const struct story *story)
{
	return story->steps[0].unit;
}

static void age(const char *folder)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	if (utimensat(AT_FDCWD, scratch_path(folder), times, 0) < 0)
		err(EXIT_FAILURE, "time of %s", folder);
}

void story_age(const struct story *story)
{
	age("/etc/cron.d");
	if (story->elsewhere)
		age(story->elsewhere);
}
