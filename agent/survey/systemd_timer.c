/* systemd.timer, T1053.006, row L3: a unit file that starts another unit at
 * times. What that unit runs is told by the service alone. */
#include "agent/survey/unit_foothold.h"
#include "core/base/buf.h"

#include <string.h>

/* systemd.timer(5) */
static const char *const schedule_keys[] = {
	"OnCalendar",	     "OnBootSec",   "OnStartupSec",  "OnUnitActiveSec",
	"OnUnitInactiveSec", "OnActiveSec", "OnClockChange", "OnTimezoneChange",
};

static char *schedule_words(const struct dl_unit_file *settings)
{
	dl_autobuf words = DL_BUF_INIT;
	for (size_t i = 0; i < DL_COUNT(schedule_keys); i++) {
		size_t at = 0;
		for (const char *value;
		     (value = dl_unit_file_next(settings, "Timer", schedule_keys[i], &at));)
			dl_buf_printf(&words, "%s%s=%s", words.size ? "; " : "", schedule_keys[i],
				      value);
	}
	return words.size ? dl_scan_text(words.data, DL_FOOTHOLD_LINE_MAX_BYTES) : NULL;
}

/* Without Unit= the service of the same name. */
static char *activated_unit(const char *unit, const struct dl_unit_file *settings)
{
	const char *named = dl_unit_file_get(settings, "Timer", "Unit");
	if (named || !unit)
		return dl_scan_text(named, DL_NAME_MAX_BYTES);
	dl_autobuf name = DL_BUF_INIT;
	dl_buf_append(&name, unit, strlen(unit) - strlen(".timer"));
	dl_buf_puts(&name, ".service");
	return dl_scan_text(name.data, DL_NAME_MAX_BYTES);
}

static void fill_timer(struct dl_scan *scan, const char *unit, const struct dl_unit_file *settings,
		       struct dl_foothold *foothold)
{
	(void)scan;
	foothold->schedule = schedule_words(settings);
	foothold->activates = activated_unit(unit, settings);
}

int dl_scan_systemd_timer(struct dl_scan *scan, struct dl_error *err)
{
	(void)err;
	dl_unit_footholds(scan, ".timer", fill_timer);
	return 0;
}
