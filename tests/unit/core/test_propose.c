/* From chosen footholds to a plan: which steps, in which order, with which words. */
#include "sample.h"

#include "core/base/buf.h"
#include "core/plan/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
	*state = sample_survey();
	return 0;
}

static int tear_down(void **state)
{
	dl_survey_free(*state);
	return 0;
}

static int propose_edited(const struct dl_survey *survey, const struct dl_plan_edit *edit,
			  struct dl_plan **ret)
{
	struct dl_error err;
	*ret = NULL;
	return dl_plan_propose(survey, edit, ret, &err);
}

/* Proposes for all footholds of the survey; every proposal must survive its own reader. */
static struct dl_plan *propose(const struct dl_survey *survey, struct dl_plan_edit edit)
{
	const char *keys[16];
	struct dl_plan *plan = NULL, *again = NULL;
	if (!edit.keys) {
		assert_true(survey->foothold_count <= DL_COUNT(keys));
		for (size_t i = 0; i < survey->foothold_count; i++)
			keys[i] = survey->footholds[i]->key;
		edit.keys = keys;
		edit.key_count = survey->foothold_count;
	}
	assert_int_equal(propose_edited(survey, &edit, &plan), 0);
	dl_autojson *json = dl_plan_to_json(plan);
	assert_int_equal(dl_plan_from_json(json, &again, NULL), 0);
	dl_autojson *again_json = dl_plan_to_json(again);
	assert_true(json_equal(json, again_json));
	dl_plan_free(again);
	return plan;
}

static struct dl_plan *propose_all(const struct dl_survey *survey)
{
	return propose(survey, (struct dl_plan_edit){ 0 });
}

static void expect_titles(const struct dl_plan *plan, const char *const *titles)
{
	size_t count = 0;
	for (; titles[count]; count++) {
		assert_true(count < plan->step_count);
		assert_string_equal(plan->steps[count].title, titles[count]);
		assert_int_equal(plan->steps[count].id, (int64_t)count + 1);
	}
	assert_int_equal(plan->step_count, count);
}

static void orders_timers_services_lines_files_and_what_is_manual(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *modified = sample_service("cron.service", NULL);
	sample_object(modified, DL_ROLE_UNIT)->baseline = DL_BASELINE_DIFFERENT;
	sample_add(survey, modified);
	sample_add(survey, sample_run_value("Updater", "x.exe"));
	sample_add(survey, sample_cron("alice", "* * * * * /tmp/x", "/tmp/x"));
	sample_add(survey, sample_service("x.service", "/opt/x"));
	sample_add(survey, sample_timer("x.timer", "x.service", NULL));
	dl_auto(dl_plan) plan = propose_all(survey);
	static const char *const titles[] = {
		"Stop and remove timer `x.timer`",
		"Stop and remove service `x.service`",
		"Remove the cron line of alice that runs `/tmp/x`",
		"Delete the Run value `Updater` in "
		"`HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Run`",
		"Move the file `/tmp/x` to quarantine",
		"Move the file `/opt/x` to quarantine",
		"Deal with service `cron.service` by hand",
		NULL,
	};
	expect_titles(plan, titles);
	assert_int_equal(dl_plan_assisted_count(plan), 6);
}

static void gives_each_verb_its_exact_target(void **state)
{
	struct dl_survey *survey = *state;
	const char *service_key = sample_add(survey, sample_service("x.service", "/opt/x"));
	sample_add(survey, sample_cron("alice", "* * * * * /opt/y%09", NULL));
	dl_auto(dl_plan) plan = propose_all(survey);
	const struct dl_step *unit = &plan->steps[0], *line = &plan->steps[1];
	const struct dl_step *file = &plan->steps[2];
	assert_int_equal(unit->verb, DL_VERB_SYSTEMD_UNIT_REMOVE);
	assert_string_equal(unit->unit, "x.service");
	assert_string_equal(unit->key, service_key);
	assert_int_equal(unit->object_count, 2);
	assert_string_equal(unit->objects[1].link_target, "/etc/systemd/system/x.service");
	assert_int_equal(line->verb, DL_VERB_CRON_LINE_REMOVE);
	assert_string_equal(line->line, "* * * * * /opt/y%09");
	assert_int_equal(line->occurrence, 1);
	assert_string_equal(line->objects[0].path, "/var/spool/cron/crontabs/alice");
	assert_int_equal(file->verb, DL_VERB_FILE_QUARANTINE);
	assert_int_equal(file->object_count, 1);
	assert_string_equal(file->objects[0].path, "/opt/x");
	assert_non_null(file->objects[0].sha256);
	assert_string_equal(file->key, service_key);
}

static void says_why_each_step_is_in_the_plan(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_timer("x.timer", "x.service", "/opt/x"));
	sample_add(survey, sample_service("x.service", "/opt/x"));
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_string_equal(plan->steps[0].why,
			    "It starts `x.service`, schedule `OnCalendar=hourly`.");
	assert_string_equal(plan->steps[1].why, "It runs `/opt/x` as root.");
	assert_string_equal(plan->steps[2].why,
			    "It is run by timer `x.timer`, service `x.service`.");
}

static void moves_a_shared_payload_once_and_only_after_all_its_triggers(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_cron("alice", "* * * * * /opt/x", "/opt/x"));
	sample_add(survey, sample_service("x.service", "/opt/x"));
	sample_add(survey, sample_timer("y.timer", "y.service", "/opt/y"));
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 5);
	const struct dl_step *shared = &plan->steps[3];
	assert_string_equal(shared->objects[0].path, "/opt/x");
	assert_int_equal(shared->require_count, 2);
	assert_int_equal(shared->requires[0], 2);
	assert_int_equal(shared->requires[1], 3);
	assert_int_equal(plan->steps[4].require_count, 1);
	assert_int_equal(plan->steps[4].requires[0], 1);
}

static void leaves_out_a_payload_that_an_unchosen_foothold_runs(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	sample_add(survey, sample_cron("alice", "* * * * * /opt/x", "/opt/x"));
	dl_auto(dl_plan) plan =
		propose(survey, (struct dl_plan_edit){ .keys = &key, .key_count = 1 });
	assert_int_equal(plan->step_count, 1);
	assert_int_equal(plan->steps[0].verb, DL_VERB_SYSTEMD_UNIT_REMOVE);
}

static void leaves_out_a_payload_that_is_part_of_a_foothold(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_service("x.service", "/etc/systemd/system/y.service"));
	sample_add(survey, sample_service("y.service", NULL));
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 2);
	assert_int_equal(plan->steps[1].verb, DL_VERB_SYSTEMD_UNIT_REMOVE);
}

static void never_makes_a_step_of_a_packages_own_tool(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *foothold = sample_service("x.service", "/opt/x");
	struct dl_object *shell = sample_file(foothold, DL_ROLE_PAYLOAD, "/usr/bin/dash");
	shell->package = dl_strdup("dash");
	shell->baseline = DL_BASELINE_SAME;
	shell->protected_by = dl_strdup("it is a shell");
	sample_add(survey, foothold);
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 2);
	assert_string_equal(plan->steps[1].objects[0].path, "/opt/x");
}

static void makes_no_step_of_a_payload_that_is_missing(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *foothold = sample_service("x.service", "/opt/x");
	sample_object(foothold, DL_ROLE_PAYLOAD)->type = DL_TYPE_MISSING;
	sample_add(survey, foothold);
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 1);
}

static void makes_a_manual_step_of_a_payload_no_step_may_move(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *foothold = sample_service("x.service", "/opt/folder");
	sample_object(foothold, DL_ROLE_PAYLOAD)->type = DL_TYPE_FOLDER;
	sample_file(foothold, DL_ROLE_PAYLOAD, "/dev/x")->type = DL_TYPE_OTHER;
	sample_file(foothold, DL_ROLE_PAYLOAD, "/boot/x")->protected_by = dl_strdup("it boots");
	sample_file(foothold, DL_ROLE_PAYLOAD, "/usr/bin/ls")->baseline = DL_BASELINE_DIFFERENT;
	sample_add(survey, foothold);
	dl_auto(dl_plan) plan = propose_all(survey);
	static const enum dl_reason reasons[] = { DL_REASON_UNSUPPORTED, DL_REASON_UNSUPPORTED,
						  DL_REASON_PROTECTED,
						  DL_REASON_MODIFIED_EXISTING };
	assert_int_equal(plan->step_count, 5);
	assert_int_equal(dl_plan_assisted_count(plan), 1);
	for (size_t i = 0; i < DL_COUNT(reasons); i++) {
		const struct dl_step *step = &plan->steps[i + 1];
		assert_int_equal(step->verb, DL_VERB_MANUAL);
		assert_int_equal(step->manual_because, reasons[i]);
		assert_true(strlen(step->detail) > 20);
		assert_int_equal(step->require_count, 0);
	}
	assert_string_equal(plan->steps[3].title, "Deal with `/boot/x` by hand");
}

static void leaves_a_file_to_people_while_a_manual_trigger_still_runs_it(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *modified = sample_service("ssh.service", "/opt/x");
	sample_object(modified, DL_ROLE_UNIT)->baseline = DL_BASELINE_DIFFERENT;
	sample_add(survey, modified);
	sample_add(survey, sample_cron("alice", "* * * * * /opt/x", "/opt/x"));
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 3);
	assert_int_equal(dl_plan_assisted_count(plan), 1);
	assert_string_equal(plan->steps[2].title, "Deal with `/opt/x` by hand");
	assert_int_equal(plan->steps[2].manual_because, DL_REASON_NEEDS_ATTENTION);
	assert_non_null(strstr(plan->steps[2].detail, "service `ssh.service`"));
}

static void can_assist_nothing_when_everything_was_modified(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *value = sample_run_value("Shell", "x.exe");
	sample_object(value, DL_ROLE_VALUE)->baseline = DL_BASELINE_DIFFERENT;
	sample_add(survey, value);
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 1);
	assert_int_equal(dl_plan_assisted_count(plan), 0);
	assert_int_equal(plan->steps[0].manual_because, DL_REASON_MODIFIED_EXISTING);
	assert_string_equal(
		plan->steps[0].title,
		"Deal with the Run value `Shell` in "
		"`HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Run`"
		" by hand");
}

static void deletes_a_registry_value_that_was_created(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_run_value("Updater", "x.exe"));
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->step_count, 1);
	assert_int_equal(plan->steps[0].verb, DL_VERB_REG_VALUE_DELETE);
	assert_int_equal(plan->steps[0].object_count, 1);
}

static void says_move_the_link_for_a_symlink(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *foothold = sample_service("x.service", NULL);
	sample_link(foothold, DL_ROLE_PAYLOAD, "/opt/x", "/opt/real");
	sample_add(survey, foothold);
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_string_equal(plan->steps[1].title, "Move the link `/opt/x` to quarantine");
}

static void counts_a_foothold_chosen_twice_once(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	const char *keys[] = { key, key };
	dl_auto(dl_plan) plan =
		propose(survey, (struct dl_plan_edit){ .keys = keys, .key_count = 2 });
	assert_int_equal(plan->step_count, 2);
}

static void refuses_a_key_the_survey_does_not_have(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = "0000";
	struct dl_plan *plan = NULL;
	struct dl_plan_edit edit = { .keys = &key, .key_count = 1 };
	assert_int_equal(propose_edited(survey, &edit, &plan), DL_E_NOT_FOUND);
	assert_null(plan);
}

static void refuses_more_steps_than_a_plan_may_have(void **state)
{
	struct dl_survey *survey = *state;
	static const char *keys[DL_PLAN_STEPS_MAX + 1];
	for (int i = 0; i <= DL_PLAN_STEPS_MAX; i++) {
		struct dl_foothold *foothold = sample_cron("alice", "* * * * * x", NULL);
		foothold->occurrence = i + 1;
		keys[i] = sample_add(survey, foothold);
	}
	struct dl_plan *plan = NULL;
	struct dl_plan_edit edit = { .keys = keys, .key_count = DL_PLAN_STEPS_MAX + 1 };
	assert_int_equal(propose_edited(survey, &edit, &plan), DL_E_LIMIT);
	edit.key_count = DL_PLAN_STEPS_MAX;
	assert_int_equal(propose_edited(survey, &edit, &plan), 0);
	dl_plan_free(plan);
}

static void leaves_alone_the_payload_a_person_names(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	const char *left = "/opt/x", *wrong = "/opt/y";
	struct dl_plan_edit edit = { .keys = &key, .key_count = 1, .leave_payloads = &left,
				     .leave_count = 1 };
	dl_auto(dl_plan) plan = propose(survey, edit);
	assert_int_equal(plan->step_count, 1);
	struct dl_plan *none = NULL;
	edit.leave_payloads = &wrong;
	assert_int_equal(propose_edited(survey, &edit, &none), DL_E_INVALID);
}

static void makes_manual_what_a_person_downgrades(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	dl_autojson *downgrade =
		json_pack("[{s:s,s:s}]", "path", "/opt/x", "instructions", "Send it to the lab.");
	dl_auto(dl_plan) plan = propose(
		survey,
		(struct dl_plan_edit){ .keys = &key, .key_count = 1, .downgrade = downgrade });
	const struct dl_step *step = &plan->steps[1];
	assert_int_equal(step->verb, DL_VERB_MANUAL);
	assert_true(step->downgraded);
	assert_string_equal(step->detail, "Send it to the lab.");
	assert_string_equal(step->title, "Deal with `/opt/x` by hand");
	assert_int_equal(step->require_count, 0);
}

static void leaves_the_payload_to_people_when_its_trigger_is_downgraded(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", "/opt/x"));
	dl_autojson *downgrade = json_pack("[{s:s,s:s}]", "key", key, "instructions", "Wait.");
	dl_auto(dl_plan) plan = propose(
		survey,
		(struct dl_plan_edit){ .keys = &key, .key_count = 1, .downgrade = downgrade });
	assert_int_equal(plan->step_count, 2);
	assert_int_equal(dl_plan_assisted_count(plan), 0);
	assert_true(plan->steps[0].downgraded);
	assert_false(plan->steps[1].downgraded);
}

static void keeps_the_rules_reason_when_a_person_adds_instructions(void **state)
{
	struct dl_survey *survey = *state;
	struct dl_foothold *modified = sample_service("cron.service", NULL);
	sample_object(modified, DL_ROLE_UNIT)->baseline = DL_BASELINE_NONE;
	const char *key = sample_add(survey, modified);
	dl_autojson *downgrade = json_pack("[{s:s,s:s}]", "key", key, "instructions", "Ask Bob.");
	dl_auto(dl_plan) plan = propose(
		survey,
		(struct dl_plan_edit){ .keys = &key, .key_count = 1, .downgrade = downgrade });
	assert_int_equal(plan->steps[0].manual_because, DL_REASON_MODIFIED_EXISTING);
	assert_false(plan->steps[0].downgraded);
	assert_non_null(strstr(plan->steps[0].detail, "nothing proves"));
	assert_non_null(strstr(plan->steps[0].detail, "\n\nAsk Bob."));
}

static void appends_the_steps_a_person_writes(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", NULL));
	dl_autojson *manual = json_pack("[{s:s,s:s}]", "title", "Change alice's password",
					"instructions", "Also on the mail server.");
	dl_auto(dl_plan) plan = propose(
		survey, (struct dl_plan_edit){ .keys = &key, .key_count = 1, .manual = manual });
	assert_int_equal(plan->step_count, 2);
	assert_int_equal(plan->steps[1].verb, DL_VERB_MANUAL);
	assert_int_equal(plan->steps[1].manual_because, DL_REASON_NONE);
	assert_string_equal(plan->steps[1].key, "");
	assert_string_equal(plan->steps[1].title, "Change alice's password");
	assert_string_equal(plan->steps[1].detail, "Also on the mail server.");
}

static int propose_requiring(const struct dl_survey *survey, const char *step, const char *first,
			     struct dl_plan **ret)
{
	const char *keys[] = { survey->footholds[0]->key, survey->footholds[1]->key };
	dl_autojson *requires = json_pack("[{s:s,s:s}]", "step", step, "requires", first);
	struct dl_plan_edit edit = { .keys = keys, .key_count = 2, .requires = requires };
	return propose_edited(survey, &edit, ret);
}

static void adds_requirements_that_keep_the_order(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_timer("x.timer", "x.service", NULL));
	sample_add(survey, sample_service("x.service", "/opt/x"));
	const char *timer = survey->footholds[0]->key, *service = survey->footholds[1]->key;
	dl_auto(dl_plan) plan = NULL;
	assert_int_equal(propose_requiring(survey, service, timer, &plan), 0);
	assert_int_equal(plan->steps[1].require_count, 1);
	assert_int_equal(plan->steps[1].requires[0], 1);
	dl_plan_free(DL_TAKE(plan));
	assert_int_equal(propose_requiring(survey, "/opt/x", timer, &plan), 0);
	assert_int_equal(plan->steps[2].require_count, 2);
	assert_int_equal(plan->steps[2].requires[0], 1);
	assert_int_equal(plan->steps[2].requires[1], 2);
	dl_plan_free(DL_TAKE(plan));
	assert_int_equal(propose_requiring(survey, "/opt/x", service, &plan), 0);
	assert_int_equal(plan->steps[2].require_count, 1);
}

static void refuses_requirements_that_break_the_order_or_name_nothing(void **state)
{
	struct dl_survey *survey = *state;
	sample_add(survey, sample_timer("x.timer", "x.service", NULL));
	sample_add(survey, sample_service("x.service", "/opt/x"));
	const char *timer = survey->footholds[0]->key, *service = survey->footholds[1]->key;
	struct dl_plan *plan = NULL;
	assert_int_equal(propose_requiring(survey, timer, service, &plan), DL_E_INVALID);
	assert_int_equal(propose_requiring(survey, timer, timer, &plan), DL_E_INVALID);
	assert_int_equal(propose_requiring(survey, service, "/opt/x", &plan), DL_E_INVALID);
	assert_int_equal(propose_requiring(survey, service, "/opt/y", &plan), DL_E_INVALID);
	assert_int_equal(propose_requiring(survey, "", timer, &plan), DL_E_INVALID);
	assert_null(plan);
}

static void refuses_edits_that_break_their_schema(void **state)
{
	struct dl_survey *survey = *state;
	const char *key = sample_add(survey, sample_service("x.service", NULL));
	static const char *const wrong[] = {
		"{}",
		"[1]",
		"[{}]",
		"[{\"key\":\"x\",\"path\":\"y\",\"instructions\":\"z\"}]",
		"[{\"title\":\"x\",\"instructions\":\"z\",\"verb\":\"file.quarantine\"}]",
		"[{\"title\":\"\",\"instructions\":\"z\"}]",
		"[{\"step\":\"x\"}]",
		"[{\"path\":\"/not/in/plan\",\"instructions\":\"z\"}]",
	};
	for (size_t i = 0; i < DL_COUNT(wrong); i++) {
		dl_autojson *list = json_loads(wrong[i], 0, NULL);
		struct dl_plan_edit edits[] = {
			{ .keys = &key, .key_count = 1, .downgrade = list },
			{ .keys = &key, .key_count = 1, .manual = list },
			{ .keys = &key, .key_count = 1, .requires = list },
		};
		for (size_t k = 0; k < DL_COUNT(edits); k++) {
			struct dl_plan *plan = NULL;
			assert_int_equal(propose_edited(survey, &edits[k], &plan), DL_E_INVALID);
			assert_null(plan);
		}
	}
}

static void cuts_hostile_names_in_titles_between_characters(void **state)
{
	struct dl_survey *survey = *state;
	dl_autobuf path = DL_BUF_INIT;
	dl_buf_puts(&path, "/");
	for (int i = 0; i < 300; i++)
		dl_buf_puts(&path, i % 2 ? "ä" : "%0A");
	sample_add(survey, sample_service("x.service", path.data));
	dl_auto(dl_plan) plan = propose_all(survey);
	const char *title = plan->steps[1].title;
	assert_true(strlen(title) < 400);
	assert_non_null(strstr(title, "ä…`") ? strstr(title, "ä…`") : strstr(title, "%0A…`"));
	assert_string_equal(plan->steps[1].objects[0].path, path.data);
}

static void keeps_backticks_of_a_hostile_name_apart_from_the_words(void **state)
{
	char line[4096];
	memset(line, '`', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	sample_add(*state, sample_cron("eve", "* * * * * `id`", NULL));
	sample_add(*state, sample_cron("eve", line, NULL));
	dl_auto(dl_plan) plan = propose_all(*state);
	assert_non_null(strstr(plan->steps[0].title, "`` * * * * * `id` ``"));
	assert_true(strlen(plan->steps[1].title) < 4 * DL_WORDS_NAME_MAX_BYTES);
}

static void names_only_a_few_of_many_triggers(void **state)
{
	struct dl_survey *survey = *state;
	for (int i = 0; i < 8; i++) {
		char name[32];
		snprintf(name, sizeof(name), "x%d.service", i);
		sample_add(survey, sample_service(name, "/opt/x"));
	}
	dl_auto(dl_plan) plan = propose_all(survey);
	assert_int_equal(plan->steps[8].require_count, 8);
	assert_non_null(strstr(plan->steps[8].why, "service `x4.service` and 3 more."));
	assert_null(strstr(plan->steps[8].why, "x5.service"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(orders_timers_services_lines_files_and_what_is_manual),
		TEST(gives_each_verb_its_exact_target),
		TEST(says_why_each_step_is_in_the_plan),
		TEST(moves_a_shared_payload_once_and_only_after_all_its_triggers),
		TEST(leaves_out_a_payload_that_an_unchosen_foothold_runs),
		TEST(leaves_out_a_payload_that_is_part_of_a_foothold),
		TEST(never_makes_a_step_of_a_packages_own_tool),
		TEST(makes_no_step_of_a_payload_that_is_missing),
		TEST(makes_a_manual_step_of_a_payload_no_step_may_move),
		TEST(leaves_a_file_to_people_while_a_manual_trigger_still_runs_it),
		TEST(can_assist_nothing_when_everything_was_modified),
		TEST(deletes_a_registry_value_that_was_created),
		TEST(says_move_the_link_for_a_symlink),
		TEST(counts_a_foothold_chosen_twice_once),
		TEST(refuses_a_key_the_survey_does_not_have),
		TEST(refuses_more_steps_than_a_plan_may_have),
		TEST(leaves_alone_the_payload_a_person_names),
		TEST(makes_manual_what_a_person_downgrades),
		TEST(leaves_the_payload_to_people_when_its_trigger_is_downgraded),
		TEST(keeps_the_rules_reason_when_a_person_adds_instructions),
		TEST(appends_the_steps_a_person_writes),
		TEST(adds_requirements_that_keep_the_order),
		TEST(refuses_requirements_that_break_the_order_or_name_nothing),
		TEST(refuses_edits_that_break_their_schema),
		TEST(cuts_hostile_names_in_titles_between_characters),
		TEST(keeps_backticks_of_a_hostile_name_apart_from_the_words),
		TEST(names_only_a_few_of_many_triggers),
	};
	return cmocka_run_group_tests_name("propose", tests, NULL, NULL);
}
