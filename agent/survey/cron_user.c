/* cron.user, T1053.003, row L9: one table per user in the spool. */
#include "agent/survey/cron_table.h"
#include "core/base/buf.h"

#include <string.h>

/* Debian, SUSE, Red Hat. In the last one the others are folders and passed over. */
static const char *const spools[] = { "/var/spool/cron/crontabs", "/var/spool/cron/tabs",
				      "/var/spool/cron" };

static const char *why_inert(struct dl_scan *scan, const char *name)
{
	if (name[0] == '.')
		return "cron ignores this file name";
	return dl_host_user_by_name(scan->host, name) ? NULL : "there is no such user";
}

static void scan_spool(struct dl_scan *scan, const char *spool)
{
	dl_autonames names = { 0 };
	struct dl_error err = { 0 };
	int r = dl_host_list(scan->host, spool, &names, &err);
	if (r < 0)
		dl_scan_partial(scan, "%s: %s", spool, err.text);
	if (names.cut)
		dl_scan_partial(scan, "%s holds more names than a survey reads", spool);
	for (size_t i = 0; i < names.count && !dl_scan_is_full(scan); i++) {
		dl_autobuf path = DL_BUF_INIT;
		dl_buf_printf(&path, "%s/%s", spool, names.names[i]);
		struct dl_cron_source source = { .path = path.data, .user = names.names[i],
						 .inert = why_inert(scan, names.names[i]) };
		dl_cron_footholds(scan, &source);
	}
}

int dl_scan_cron_user(struct dl_scan *scan, struct dl_error *err)
{
	const struct dl_host_user *users;
	size_t count;
	int r = dl_host_users(scan->host, &users, &count, err);
	if (r < 0)
		dl_scan_partial(scan, "the list of users: %s", err->text);
	for (size_t i = 0; i < DL_COUNT(spools); i++) {
		dl_autofree char *spool = NULL;
		r = dl_host_canonical(scan->host, spools[i], true, &spool, err);
		if (r == 0)
			scan_spool(scan, spool);
		else if (r != DL_E_NOT_FOUND)
			return r;
	}
	return 0;
}
