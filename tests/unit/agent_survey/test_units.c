/* Services and timers of a host in memory, rows L1 to L3. */
#include "world.h"

#include "agent/survey/dropins.h"

static const char beacon[] = "[Service]\nExecStart=/opt/beacon --now\nUser=alice\n"
			     "[Install]\nWantedBy=multi-user.target\n";

static struct fake_host *host_with_beacon(void)
{
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, UNITS "/beacon.service", beacon);
	fake_link(fake, UNITS "/multi-user.target.wants/beacon.service", UNITS "/beacon.service");
	fake_file(fake, "/opt/beacon", "payload");
	return fake;
}

/* A vendor's service, enabled as its [Install] says. */
static void put_vendor(struct fake_host *fake)
{
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, VENDOR "/good.service", "[Service]\nExecStart=/usr/bin/good\n"
						"[Install]\nWantedBy=multi-user.target\n"
						"Alias=fine.service\n");
	fake_owned(fake, "good", VENDOR "/good.service", "/lib/systemd/system/good.service");
	fake_link(fake, UNITS "/multi-user.target.wants/good.service",
		  "/lib/systemd/system/good.service");
	fake_link(fake, UNITS "/fine.service", "/lib/systemd/system/good.service");
}

static enum dl_reason judged(const struct dl_foothold *foothold)
{
	dl_autofree char *words = NULL;
	return dl_plan_judge(foothold, &words);
}

static void names_a_service_with_all_its_parts(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, UNITS "/beacon.service.d/a.conf", "[Service]\nExecStartPre=/opt/pre\n");
	fake_file(fake, "/opt/pre", "x");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 1);
	const struct dl_foothold *found = named(survey, "beacon.service");
	assert_int_equal(found->kind, DL_KIND_SYSTEMD_SERVICE);
	assert_string_equal(found->scope, "system");
	assert_string_equal(found->location, UNITS "/beacon.service");
	assert_string_equal(found->command, "/opt/beacon --now; ExecStartPre=/opt/pre");
	assert_string_equal(found->user, "alice");
	dl_autofree char *objects = objects_of(found);
	assert_string_equal(objects,
			    "unit:" UNITS "/beacon.service "
			    "link:" UNITS "/multi-user.target.wants/beacon.service "
			    "dropin:" UNITS "/beacon.service.d/a.conf "
			    "payload:/opt/beacon payload:/opt/pre");
	assert_int_equal(judged(found), DL_REASON_NONE);
}

static void counts_what_packages_own_and_lists_it_when_asked(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	put_vendor(fake);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 1);
	assert_int_equal(survey->omitted, 1);

	fake = host_with_beacon();
	put_vendor(fake);
	dl_auto(dl_survey) all = survey_of(fake, true);
	assert_int_equal(all->foothold_count, 2);
	assert_int_equal(judged(named(all, "good.service")), DL_REASON_PACKAGE_OWNED);
}

static void shows_a_packages_unit_that_was_edited(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	put_vendor(fake);
	fake_file(fake, VENDOR "/good.service", "[Service]\nExecStart=/opt/evil\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = named(survey, "good.service");
	assert_string_equal(found->objects[0].package, "good");
	assert_int_equal(found->objects[0].baseline, DL_BASELINE_DIFFERENT);
	assert_int_equal(judged(found), DL_REASON_MODIFIED_EXISTING);
}

static void shows_a_packages_unit_with_somebodys_drop_in(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	put_vendor(fake);
	fake_file(fake, "/run/systemd/system/good.service.d/evil.conf",
		  "[Service]\nExecStart=\nExecStart=/opt/evil\n");
	fake_file(fake, "/opt/evil", "x");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = named(survey, "good.service");
	assert_string_equal(found->command, "/opt/evil");
	dl_autofree char *objects = objects_of(found);
	assert_non_null(strstr(objects, "dropin:/run/systemd/system/good.service.d/evil.conf"));
	assert_non_null(strstr(objects, "payload:/opt/evil"));
	assert_int_equal(judged(found), DL_REASON_PACKAGE_OWNED);
}

static void shows_a_packages_unit_that_something_else_wants(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	put_vendor(fake);
	fake_link(fake, UNITS "/ssh.service.wants/good.service", VENDOR "/good.service");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	dl_autofree char *objects = objects_of(named(survey, "good.service"));
	assert_non_null(strstr(objects, "link:" UNITS "/ssh.service.wants/good.service"));
}

static void keeps_the_chain_of_timer_service_and_payload(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, UNITS "/tick.timer", "[Timer]\nOnCalendar=hourly\nOnBootSec=5\n"
					     "Unit=beacon.service\n");
	fake_file(fake, UNITS "/tock.timer", "[Timer]\nOnBootSec=1\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *tick = named(survey, "tick.timer");
	assert_int_equal(tick->kind, DL_KIND_SYSTEMD_TIMER);
	assert_string_equal(tick->schedule, "OnCalendar=hourly; OnBootSec=5");
	assert_string_equal(tick->activates, "beacon.service");
	assert_int_equal(tick->object_count, 1);
	assert_string_equal(named(survey, "tock.timer")->activates, "tock.service");
}

static void says_what_systemd_says(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_systemd(fake);
	fake_unit(fake, "beacon.service", "enabled", "active", "running");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_string_equal(named(survey, "beacon.service")->state, "enabled, active (running)");
	assert_true(named(survey, "beacon.service")->active);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_COMPLETE);
}

static void tells_by_links_what_is_enabled_where_no_systemd_runs(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, UNITS "/idle.service", "[Service]\nExecStart=/opt/beacon\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_string_equal(named(survey, "beacon.service")->state,
			    "enabled, systemd was not asked");
	assert_true(named(survey, "beacon.service")->active);
	assert_false(named(survey, "idle.service")->active);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_COMPLETE);
}

static void is_incomplete_when_systemd_is_silent(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_systemd_silent(fake);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	assert_non_null(named(survey, "beacon.service"));
}

static void leaves_to_people_what_no_step_can_undo(void **state)
{
	(void)state;
	static const struct {
		const char *path, *name, *words;
	} cases[] = {
		{ UNITS "/t@.service", "t@.service", "template" },
		{ "/run/systemd/transient/r.service", "r.service", "transient" },
		{ "/run/systemd/system/r.service", "r.service", "/run" },
		{ "/run/systemd/generator/g.service", "g.service", "generator" },
		{ UNITS "/sp ace.service", "sp ace.service", "ignores" },
		{ UNITS "/good.service", "good.service", "hides" },
	};
	for (size_t i = 0; i < DL_COUNT(cases); i++) {
		struct fake_host *fake = fake_host_new();
		fake_link(fake, "/lib", "usr/lib");
		fake_file(fake, VENDOR "/good.service", "[Service]\n");
		fake_owned(fake, "good", VENDOR "/good.service", VENDOR "/good.service");
		fake_file(fake, cases[i].path, beacon);
		dl_auto(dl_survey) survey = survey_of(fake, false);
		const struct dl_foothold *found = named(survey, cases[i].name);
		assert_non_null(found->manual_because);
		if (!strstr(found->manual_because, cases[i].words))
			fail_msg("%s: %s", cases[i].path, found->manual_because);
		assert_int_equal(judged(found), DL_REASON_NEEDS_ATTENTION);
	}
}

static void allows_a_step_for_an_added_unit_among_the_vendors(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_link(fake, "/lib", "usr/lib");
	fake_file(fake, VENDOR "/dbus-helper.service", "[Service]\nExecStart=/opt/x\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = named(survey, "dbus-helper.service");
	assert_string_equal(found->location, VENDOR "/dbus-helper.service");
	assert_int_equal(found->objects[0].baseline, DL_BASELINE_ABSENT);
	assert_int_equal(judged(found), DL_REASON_NONE);
}

static void lets_the_first_folder_win(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, "/usr/local/lib/systemd/system/beacon.service", "[Service]\nUser=bob\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct dl_foothold *found = survey->footholds[i];
		bool wins = strcmp(found->location, UNITS "/beacon.service") == 0;
		assert_int_equal(found->active, wins);
		assert_true(wins || strstr(found->state, "takes precedence"));
		/* The link belongs to the one in force. */
		assert_true(wins ? found->object_count == 3 : found->object_count == 1);
	}
}

static void knows_masks_aliases_and_linked_units(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_link(fake, UNITS "/masked.service", "/dev/null");
	fake_file(fake, "/dev/null", "");
	fake_link(fake, UNITS "/other.service", "beacon.service");
	fake_link(fake, UNITS "/linked.service", "/opt/units/linked.service");
	fake_file(fake, "/opt/units/linked.service", "[Service]\nExecStart=/opt/beacon\n");
	fake_link(fake, UNITS "/dangling.service", "/nowhere.service");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 3);
	assert_string_equal(named(survey, "masked.service")->state, "masked");
	assert_int_equal(judged(named(survey, "masked.service")), DL_REASON_NEEDS_ATTENTION);
	dl_autofree char *aliased = objects_of(named(survey, "beacon.service"));
	assert_non_null(strstr(aliased, "link:" UNITS "/other.service"));
	dl_autofree char *linked = objects_of(named(survey, "linked.service"));
	assert_string_equal(linked, "unit:/opt/units/linked.service link:" UNITS "/linked.service "
				    "payload:/opt/beacon");
}

static void passes_over_a_generated_unit_of_a_packages_script(void **state)
{
	(void)state;
	struct fake_host *fake = fake_host_new();
	fake_file(fake, "/etc/init.d/x", "script");
	fake_conffile(fake, "x", "/etc/init.d/x");
	fake_file(fake, "/run/systemd/generator.late/x.service",
		  "[Unit]\nSourcePath=/etc/init.d/x\n[Service]\nExecStart=/etc/init.d/x start\n");
	fake_file(fake, "/run/systemd/generator.late/y.service",
		  "[Unit]\nSourcePath=/etc/init.d/y\n[Service]\nExecStart=/etc/init.d/y start\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 1);
	assert_int_equal(survey->omitted, 1);
	assert_string_equal(survey->footholds[0]->name, "y.service");
}

static void outlives_hostile_units(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_fifo(fake, UNITS "/pipe.service");
	fake_file(fake, UNITS "/huge.service", "")->size = INT64_MAX;
	fake_link(fake, UNITS "/loop.service", "loop.service");
	fake_file(fake, UNITS "/<b>\"'&\n.service", beacon);
	fake_file(fake, UNITS "/\xff\xfe\xe2\x80\xae.service", beacon);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_non_null(named(survey, "beacon.service"));
	assert_non_null(named(survey, "pipe.service")->manual_because);
	assert_null(named(survey, "huge.service")->command);
	assert_non_null(named(survey, "<b>\"'&%0A.service"));
	assert_non_null(named(survey, "%FF%FE%E2%80%AE.service"));
	dl_autojson *json = dl_survey_to_json(survey);
	dl_auto(dl_survey) again = NULL;
	assert_int_equal(dl_survey_from_json(json, &again, NULL), 0);
	assert_int_equal(again->foothold_count, survey->foothold_count);
}

static void says_when_folders_hold_more_than_it_reads(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_overfull(fake, UNITS);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	assert_int_equal(survey->coverage[DL_KIND_CRON_SYSTEM], DL_COVERAGE_COMPLETE);
}

static void says_when_a_unit_cannot_be_read(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_broken(fake, UNITS "/beacon.service");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	assert_non_null(strstr(survey->coverage_why[DL_KIND_SYSTEMD_SERVICE], "beacon.service"));
}

static struct fake_host *host_with_dropin(const char *path, const char *content)
{
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, path, content);
	fake_file(fake, "/opt/pre", "x");
	return fake;
}

/* The drop-in changes the beacon, is no part of it, and stands for itself. */
static void expect_shared(struct fake_host *fake, const char *unit, const char *path,
			  const char *name)
{
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = named(survey, unit);
	dl_autofree char *objects = objects_of(found);
	assert_non_null(strstr(found->command, "ExecStartPre=/opt/pre"));
	assert_null(strstr(objects, "dropin:"));
	assert_non_null(strstr(objects, "payload:/opt/pre"));
	const struct dl_foothold *shared = named(survey, name);
	dl_autofree char *parts = objects_of(shared);
	dl_autobuf expected = DL_BUF_INIT;
	dl_buf_printf(&expected, "dropin:%s payload:/opt/pre", path);
	assert_string_equal(parts, expected.data);
	assert_string_equal(shared->location, path);
	assert_true(shared->active);
	assert_null(shared->user);
	assert_int_equal(judged(shared), DL_REASON_NEEDS_ATTENTION);
	assert_int_equal(judged(found), DL_REASON_NONE);
}

static void refuses_to_take_a_drop_in_of_all_services_with_one_of_them(void **state)
{
	(void)state;
	const char *path = "/run/systemd/system/service.d/all.conf";
	expect_shared(host_with_dropin(path, "[Service]\nExecStartPre=/opt/pre\n"),
		      "beacon.service", path, "service.d/all.conf");
}

static void refuses_to_take_a_drop_in_of_a_prefix_with_one_unit_of_it(void **state)
{
	(void)state;
	const char *path = UNITS "/far-away-.service.d/p.conf";
	struct fake_host *fake = host_with_dropin(path, "[Service]\nExecStartPre=/opt/pre\n");
	fake_file(fake, UNITS "/far-away-beacon-2.service", beacon);
	expect_shared(fake, "far-away-beacon-2.service", path, "far-away-.service.d/p.conf");
	fake = host_with_dropin(path, "[Service]\nExecStartPre=/opt/pre\n");
	fake_file(fake, UNITS "/far-away-beacon@1.service", beacon);
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_string_equal(named(survey, "far-away-beacon@1.service")->command,
			    "/opt/beacon --now");
}

static void names_a_drop_in_of_all_timers(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_dropin(UNITS "/timer.d/often.conf",
						  "[Timer]\nOnCalendar=minutely\n");
	fake_file(fake, UNITS "/tick.timer", "[Timer]\nOnBootSec=1\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *shared = named(survey, "timer.d/often.conf");
	assert_int_equal(shared->kind, DL_KIND_SYSTEMD_TIMER);
	assert_string_equal(shared->schedule, "OnCalendar=minutely");
	assert_null(shared->activates);
	assert_string_equal(named(survey, "tick.timer")->schedule,
			    "OnCalendar=minutely; OnBootSec=1");
}

static void counts_the_shared_drop_ins_of_packages(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_dropin(VENDOR "/service.d/10-x.conf", "[Service]\n");
	fake_owned(fake, "good", VENDOR "/service.d/10-x.conf", VENDOR "/service.d/10-x.conf");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->foothold_count, 1);
	assert_int_equal(survey->omitted, 1);
}

static void takes_the_drop_ins_of_an_alias_with_the_unit(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_dropin(UNITS "/alias.service.d/a.conf",
						  "[Service]\nExecStartPre=/opt/pre\n");
	fake_link(fake, UNITS "/alias.service", "beacon.service");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	const struct dl_foothold *found = named(survey, "beacon.service");
	dl_autofree char *objects = objects_of(found);
	assert_non_null(strstr(objects, "dropin:" UNITS "/alias.service.d/a.conf"));
	assert_string_equal(found->command, "/opt/beacon --now; ExecStartPre=/opt/pre");
	assert_int_equal(survey->foothold_count, 1);
}

static void refuses_to_take_the_drop_ins_of_a_unit_that_an_alias_hides(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	put_vendor(fake);
	fake_link(fake, UNITS "/good.service", "beacon.service");
	fake_file(fake, UNITS "/good.service.d/a.conf", "[Service]\nNice=5\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	dl_autofree char *objects = objects_of(named(survey, "beacon.service"));
	assert_null(strstr(objects, "dropin:"));
	dl_autofree char *hidden = objects_of(named(survey, "good.service"));
	assert_non_null(strstr(hidden, "dropin:" UNITS "/good.service.d/a.conf"));
}

static void reads_drop_ins_in_the_order_of_their_names(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	fake_file(fake, UNITS "/beacon.service.d/10-a.conf", "[Service]\nExecStart=\n"
							     "ExecStart=/opt/ten\n");
	fake_file(fake, UNITS "/service.d/20-b.conf", "[Service]\nExecStart=\n"
						      "ExecStart=/opt/twenty\n");
	fake_file(fake, UNITS "/service.d/10-a.conf", "[Service]\nUser=nobody\n");
	fake_file(fake, VENDOR "/beacon.service.d/10-a.conf", "[Service]\nUser=nobody\n");
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_string_equal(named(survey, "beacon.service")->command, "/opt/twenty");
	assert_string_equal(named(survey, "beacon.service")->user, "alice");
}

static void says_when_a_unit_has_more_drop_ins_than_it_reads(void **state)
{
	(void)state;
	struct fake_host *fake = host_with_beacon();
	for (int i = 0; i <= DL_DROPINS_MAX; i++) {
		dl_autobuf path = DL_BUF_INIT;
		dl_buf_printf(&path, UNITS "/beacon.service.d/%d.conf", i);
		fake_file(fake, path.data, "[Service]\n");
	}
	dl_auto(dl_survey) survey = survey_of(fake, false);
	assert_int_equal(survey->coverage[DL_KIND_SYSTEMD_SERVICE], DL_COVERAGE_PARTIAL);
	assert_int_equal(judged(named(survey, "beacon.service")), DL_REASON_NEEDS_ATTENTION);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_service_with_all_its_parts),
		cmocka_unit_test(counts_what_packages_own_and_lists_it_when_asked),
		cmocka_unit_test(shows_a_packages_unit_that_was_edited),
		cmocka_unit_test(shows_a_packages_unit_with_somebodys_drop_in),
		cmocka_unit_test(shows_a_packages_unit_that_something_else_wants),
		cmocka_unit_test(keeps_the_chain_of_timer_service_and_payload),
		cmocka_unit_test(says_what_systemd_says),
		cmocka_unit_test(tells_by_links_what_is_enabled_where_no_systemd_runs),
		cmocka_unit_test(is_incomplete_when_systemd_is_silent),
		cmocka_unit_test(leaves_to_people_what_no_step_can_undo),
		cmocka_unit_test(allows_a_step_for_an_added_unit_among_the_vendors),
		cmocka_unit_test(lets_the_first_folder_win),
		cmocka_unit_test(knows_masks_aliases_and_linked_units),
		cmocka_unit_test(passes_over_a_generated_unit_of_a_packages_script),
		cmocka_unit_test(outlives_hostile_units),
		cmocka_unit_test(says_when_folders_hold_more_than_it_reads),
		cmocka_unit_test(says_when_a_unit_cannot_be_read),
		cmocka_unit_test(refuses_to_take_a_drop_in_of_all_services_with_one_of_them),
		cmocka_unit_test(refuses_to_take_a_drop_in_of_a_prefix_with_one_unit_of_it),
		cmocka_unit_test(names_a_drop_in_of_all_timers),
		cmocka_unit_test(counts_the_shared_drop_ins_of_packages),
		cmocka_unit_test(takes_the_drop_ins_of_an_alias_with_the_unit),
		cmocka_unit_test(refuses_to_take_the_drop_ins_of_a_unit_that_an_alias_hides),
		cmocka_unit_test(reads_drop_ins_in_the_order_of_their_names),
		cmocka_unit_test(says_when_a_unit_has_more_drop_ins_than_it_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
