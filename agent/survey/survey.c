#include "agent/survey/survey.h"

#include "agent/survey/scan.h"
#include "agent/survey/units.h"
#include "core/base/bytes.h"
#include "core/base/time.h"

static const struct {
	enum dl_kind kind;
	dl_scan_kind scan;
} kinds[] = {
	{ DL_KIND_SYSTEMD_TIMER, dl_scan_systemd_timer },
	{ DL_KIND_SYSTEMD_SERVICE, dl_scan_systemd_service },
	{ DL_KIND_CRON_SYSTEM, dl_scan_cron_system },
	{ DL_KIND_CRON_USER, dl_scan_cron_user },
};

#define PRELOAD_FILE "/etc/ld.so.preload"

/* A file there makes the loader run its libraries in every program, ours too, ld.so(8). */
static void judge_trust(struct dl_scan *scan)
{
	struct dl_host_facts facts;
	struct dl_error err = { 0 };
	int r = dl_host_look(scan->host, PRELOAD_FILE, false, &facts, &err);
	if (r == 0 && facts.type == DL_TYPE_MISSING)
		return;
	scan->survey->trusted = false;
	scan->survey->untrusted_because =
		dl_strdup(r < 0 ? PRELOAD_FILE " cannot be looked at" :
				  PRELOAD_FILE " is present: what this host says may be made up");
}

static int describe_host(struct dl_scan *scan, struct dl_error *err)
{
	struct dl_host_identity identity = { 0 };
	int r = dl_host_identify(scan->host, &identity, err);
	if (r < 0)
		return r;
	struct dl_survey *survey = scan->survey;
	survey->host.hostname = dl_scan_text(identity.hostname, DL_NAME_MAX_BYTES);
	survey->host.os = dl_scan_text(identity.os, DL_NAME_MAX_BYTES);
	survey->host.kernel = dl_scan_text(identity.kernel, DL_NAME_MAX_BYTES);
	survey->host.architecture = dl_scan_text(identity.architecture, DL_NAME_MAX_BYTES);
	dl_host_identity_clear(&identity);
	return 0;
}

static void scan_kind(struct dl_scan *scan, size_t index)
{
	struct dl_error err = { 0 };
	size_t to_come = DL_COUNT(kinds) - 1 - index;
	scan->kind = kinds[index].kind;
	scan->room = DL_SURVEY_FOOTHOLDS_MAX - to_come * DL_SCAN_RESERVED;
	scan->room_bytes = DL_SURVEY_MAX_BYTES - (to_come + 1) * DL_SCAN_RESERVED_BYTES;
	scan->looks_max = dl_host_looks(scan->host) + DL_SCAN_KIND_LOOKS;
	dl_survey_cover(scan->survey, scan->kind, DL_COVERAGE_COMPLETE, NULL);
	if (kinds[index].scan(scan, &err) < 0)
		dl_scan_partial(scan, "%s", err.text);
}

int dl_survey_make(struct dl_host *host, const struct dl_survey_options *options,
		   struct dl_survey **ret_survey, struct dl_error *err)
{
	dl_auto(dl_survey) survey = dl_survey_new();
	struct dl_scan scan = { .host = host, .options = options, .survey = survey };
	survey->started = dl_time_now_ms();
	survey->trusted = true;
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		dl_survey_cover(survey, kind, DL_COVERAGE_UNSUPPORTED,
				"not a kind of this platform");
	int r = describe_host(&scan, err);
	if (r < 0)
		return r;
	judge_trust(&scan);
	for (size_t i = 0; i < DL_COUNT(kinds); i++)
		scan_kind(&scan, i);
	dl_units_free(scan.units);
	survey->finished = dl_time_now_ms();
	*ret_survey = DL_TAKE(survey);
	return 0;
}
