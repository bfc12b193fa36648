/* systemd.service, T1543.002, row L1: a unit file that starts programs. */
#include "agent/survey/payload.h"
#include "agent/survey/unit_foothold.h"
#include "core/base/buf.h"

#include <string.h>

/* Every setting by which systemd runs something for a service, systemd.service(5). */
static const char *const exec_keys[] = { "ExecStart",  "ExecStartPre", "ExecStartPost",
					 "ExecCondition", "ExecReload",   "ExecStop",
					 "ExecStopPost" };

/* systemd.exec(5), "EXECUTABLE SEARCH PATH"; both spellings, for hosts without merged folders. */
#define SYSTEMD_SEARCH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The start command as it is; what else the unit runs with the setting's name. */
static char *command_words(const struct dl_unit_file *settings)
{
	dl_autobuf words = DL_BUF_INIT;
	for (size_t i = 0; i < DL_COUNT(exec_keys); i++) {
		size_t at = 0;
		for (const char *value;
		     (value = dl_unit_file_next(settings, "Service", exec_keys[i], &at));) {
			if (words.size)
				dl_buf_puts(&words, "; ");
			if (i > 0)
				dl_buf_printf(&words, "%s=", exec_keys[i]);
			dl_buf_puts(&words, value);
		}
	}
	return words.size ? dl_scan_text(words.data, DL_FOOTHOLD_LINE_MAX_BYTES) : NULL;
}

static const char *user_of(const struct dl_unit_file *settings)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	const char *user = dl_unit_file_get(settings, "Service", "User");
	const char *dynamic = dl_unit_file_get(settings, "Service", "DynamicUser");
	for (size_t i = 0; !user && dynamic && i < DL_COUNT(yes); i++)
		if (strcmp(dynamic, yes[i]) == 0)
			return "a dynamic user";
	return user ? user : "root";
}

/* "-/path", "~" and specifiers; NULL where the folder cannot be told. */
static const char *folder_of(const struct dl_unit_file *settings, const char *home)
{
	const char *folder = dl_unit_file_get(settings, "Service", "WorkingDirectory");
	if (!folder)
		return "/";
	folder += folder[0] == '-';
	return strcmp(folder, "~") == 0 ? home : folder[0] == '/' ? folder : NULL;
}

static void add_payloads(struct dl_scan *scan, const struct dl_unit_file *settings,
			 const struct dl_payload_place *place, const char *key,
			 struct dl_foothold *foothold)
{
	size_t at = 0;
	struct dl_error err = { 0 };
	for (const char *value; (value = dl_unit_file_next(settings, "Service", key, &at));)
		if (dl_payload_of_exec(place, value, foothold, &err) < 0)
			dl_scan_partial(scan, "the payloads of %.256s: %s", foothold->name,
					err.text);
}

static void fill_service(struct dl_scan *scan, const char *unit,
			 const struct dl_unit_file *settings, struct dl_foothold *foothold)
{
	const char *name = user_of(settings);
	const struct dl_host_user *user = dl_host_user_by_name(scan->host, name);
	const char *search = dl_unit_file_get(settings, "Service", "ExecSearchPath");
	struct dl_payload_place place = {
		.host = scan->host,
		.search = search ? search : SYSTEMD_SEARCH,
		.home = user ? user->home : NULL,
		.folder = folder_of(settings, user ? user->home : NULL),
		.looks_max = dl_scan_looks_max(scan),
	};
	foothold->command = command_words(settings);
	if (unit || dl_unit_file_get(settings, "Service", "User"))
		foothold->user = dl_scan_text(name, DL_NAME_MAX_BYTES);
	for (size_t i = 0; i < DL_COUNT(exec_keys); i++)
		add_payloads(scan, settings, &place, exec_keys[i], foothold);
	/* Assignments alone: of interest is LD_PRELOAD. */
	add_payloads(scan, settings, &place, "Environment", foothold);
}

int dl_scan_systemd_service(struct dl_scan *scan, struct dl_error *err)
{
	(void)err;
	dl_unit_footholds(scan, ".service", fill_service);
	return 0;
}
