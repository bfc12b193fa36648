/* cron.system, T1053.003, row L8: /etc/crontab and /etc/cron.d. */
#include "agent/survey/cron_table.h"
#include "core/base/buf.h"

#include <string.h>

#define SYSTEM_TABLE "/etc/crontab"
#define SYSTEM_FOLDER "/etc/cron.d"

/* cron(8): names in cron.d are letters, digits, "_" and "-", as for run-parts(8). */
static bool is_taken_name(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-")] == '\0';
}

static void scan_folder(struct dl_scan *scan, const char *folder)
{
	dl_autonames names = { 0 };
	struct dl_error err = { 0 };
	int r = dl_host_list(scan->host, folder, &names, &err);
	if (r < 0)
		dl_scan_partial(scan, "%s: %s", folder, err.text);
	if (names.cut)
		dl_scan_partial(scan, "%s holds more names than a survey reads", folder);
	for (size_t i = 0; i < names.count && !dl_scan_is_full(scan); i++) {
		dl_autobuf path = DL_BUF_INIT;
		dl_buf_printf(&path, "%s/%s", folder, names.names[i]);
		struct dl_cron_source source = {
			.path = path.data,
			.inert = is_taken_name(names.names[i]) ? NULL :
								 "cron ignores this file name",
		};
		dl_cron_footholds(scan, &source);
	}
}

int dl_scan_cron_system(struct dl_scan *scan, struct dl_error *err)
{
	dl_autofree char *folder = NULL;
	dl_cron_footholds(scan, &(struct dl_cron_source){ .path = SYSTEM_TABLE });
	int r = dl_host_canonical(scan->host, SYSTEM_FOLDER, true, &folder, err);
	if (r < 0)
		return r == DL_E_NOT_FOUND ? 0 : r;
	scan_folder(scan, folder);
	return 0;
}
