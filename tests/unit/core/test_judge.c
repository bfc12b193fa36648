/* The rules, one fact at a time: what may a step remove? */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Judges and frees the foothold; the detail must say something when it is manual. */
static enum dl_reason judge(struct dl_foothold *foothold)
{
	dl_auto(dl_foothold) owned = foothold;
	dl_autofree char *detail = NULL;
	enum dl_reason reason = dl_plan_judge(owned, &detail);
	assert_true(reason == DL_REASON_NONE ? detail == NULL : strlen(detail) > 20);
	return reason;
}

static struct dl_foothold *with_baseline(struct dl_foothold *foothold, enum dl_object_role role,
					 enum dl_baseline baseline, const char *package)
{
	struct dl_object *object = sample_object(foothold, role);
	object->baseline = baseline;
	object->package = package ? dl_strdup(package) : NULL;
	return foothold;
}

static struct dl_foothold *service(void)
{
	return sample_service("x.service", "/opt/x");
}

static struct dl_foothold *cron(void)
{
	return sample_cron("alice", "* * * * * /opt/x", "/opt/x");
}

static struct dl_foothold *run_value(void)
{
	return sample_run_value("Updater", "C:\\x.exe");
}

static void allows_what_was_provably_created(void **state)
{
	(void)state;
	assert_int_equal(judge(service()), DL_REASON_NONE);
	assert_int_equal(judge(sample_timer("x.timer", "x.service", NULL)), DL_REASON_NONE);
	assert_int_equal(judge(cron()), DL_REASON_NONE);
	assert_int_equal(judge(run_value()), DL_REASON_NONE);
}

static void refuses_what_a_package_ships_unmodified(void **state)
{
	(void)state;
	assert_int_equal(judge(with_baseline(service(), DL_ROLE_UNIT, DL_BASELINE_SAME, "cron")),
			 DL_REASON_PACKAGE_OWNED);
	assert_int_equal(judge(with_baseline(cron(), DL_ROLE_TABLE, DL_BASELINE_SAME, "cron")),
			 DL_REASON_PACKAGE_OWNED);
}

static void refuses_a_package_file_that_was_modified(void **state)
{
	(void)state;
	static const enum dl_baseline baselines[] = { DL_BASELINE_DIFFERENT, DL_BASELINE_NONE,
						      DL_BASELINE_ABSENT };
	for (size_t i = 0; i < DL_COUNT(baselines); i++)
		assert_int_equal(
			judge(with_baseline(service(), DL_ROLE_UNIT, baselines[i], "cron")),
			DL_REASON_MODIFIED_EXISTING);
}

static void refuses_what_nothing_proves_to_be_created(void **state)
{
	(void)state;
	static const enum dl_object_role roles[] = { DL_ROLE_UNIT, DL_ROLE_LINK };
	static const enum dl_baseline baselines[] = { DL_BASELINE_NONE, DL_BASELINE_DIFFERENT,
						      DL_BASELINE_SAME };
	for (size_t r = 0; r < DL_COUNT(roles); r++)
		for (size_t b = 0; b < DL_COUNT(baselines); b++)
			assert_int_equal(
				judge(with_baseline(service(), roles[r], baselines[b], NULL)),
				DL_REASON_MODIFIED_EXISTING);
}

static void refuses_the_whole_unit_for_one_dropin_that_existed(void **state)
{
	(void)state;
	struct dl_foothold *foothold = service();
	sample_file(foothold, DL_ROLE_DROPIN, "/etc/systemd/system/x.service.d/a.conf")->baseline =
		DL_BASELINE_DIFFERENT;
	assert_int_equal(judge(foothold), DL_REASON_MODIFIED_EXISTING);
}

static void refuses_a_dropin_added_to_a_packaged_unit(void **state)
{
	(void)state;
	struct dl_foothold *foothold =
		with_baseline(service(), DL_ROLE_UNIT, DL_BASELINE_SAME, "cron");
	sample_file(foothold, DL_ROLE_DROPIN, "/etc/systemd/system/x.service.d/a.conf");
	assert_int_equal(judge(foothold), DL_REASON_PACKAGE_OWNED);
}

static void refuses_a_dropin_whose_unit_file_the_survey_did_not_see(void **state)
{
	(void)state;
	struct dl_foothold *foothold = service();
	sample_object(foothold, DL_ROLE_UNIT)->role = DL_ROLE_DROPIN;
	assert_int_equal(judge(foothold), DL_REASON_UNSUPPORTED);
}

static void allows_a_line_provably_added_to_a_packaged_table(void **state)
{
	(void)state;
	assert_int_equal(judge(with_baseline(cron(), DL_ROLE_TABLE, DL_BASELINE_ABSENT, "cron")),
			 DL_REASON_NONE);
}

static void refuses_a_line_that_may_have_been_changed(void **state)
{
	(void)state;
	static const enum dl_baseline baselines[] = { DL_BASELINE_NONE, DL_BASELINE_DIFFERENT,
						      DL_BASELINE_SAME };
	for (size_t i = 0; i < DL_COUNT(baselines); i++)
		assert_int_equal(judge(with_baseline(cron(), DL_ROLE_TABLE, baselines[i], NULL)),
				 DL_REASON_MODIFIED_EXISTING);
	assert_int_equal(judge(with_baseline(cron(), DL_ROLE_TABLE, DL_BASELINE_DIFFERENT, "cron")),
			 DL_REASON_MODIFIED_EXISTING);
}

static void refuses_a_line_without_its_words_or_place(void **state)
{
	(void)state;
	struct dl_foothold *no_line = cron(), *no_place = cron(), *two_tables = cron();
	free(DL_TAKE(no_line->line));
	no_place->occurrence = 0;
	sample_file(two_tables, DL_ROLE_TABLE, "/etc/crontab");
	assert_int_equal(judge(no_line), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge(no_place), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge(two_tables), DL_REASON_UNSUPPORTED);
}

static void allows_only_a_registry_value_that_was_created(void **state)
{
	(void)state;
	static const enum dl_baseline baselines[] = { DL_BASELINE_NONE, DL_BASELINE_DIFFERENT,
						      DL_BASELINE_SAME };
	assert_int_equal(judge(run_value()), DL_REASON_NONE);
	for (size_t i = 0; i < DL_COUNT(baselines); i++)
		assert_int_equal(
			judge(with_baseline(run_value(), DL_ROLE_VALUE, baselines[i], NULL)),
			DL_REASON_MODIFIED_EXISTING);
}

static void refuses_a_registry_value_that_is_something_else(void **state)
{
	(void)state;
	struct dl_foothold *foothold = run_value();
	sample_object(foothold, DL_ROLE_VALUE)->type = DL_TYPE_FILE;
	assert_int_equal(judge(foothold), DL_REASON_UNSUPPORTED);
}

static void refuses_what_the_never_list_holds_before_anything_else(void **state)
{
	(void)state;
	static const enum dl_object_role roles[] = { DL_ROLE_UNIT, DL_ROLE_LINK };
	for (size_t i = 0; i < DL_COUNT(roles); i++) {
		struct dl_foothold *foothold = service();
		struct dl_object *object = sample_object(foothold, roles[i]);
		object->protected_by = dl_strdup("it is the way in");
		assert_int_equal(judge(foothold), DL_REASON_PROTECTED);
	}
	struct dl_foothold *table = cron();
	sample_object(table, DL_ROLE_TABLE)->protected_by = dl_strdup("accounts live there");
	assert_int_equal(judge(table), DL_REASON_PROTECTED);
}

static void says_why_in_the_surveys_own_words(void **state)
{
	(void)state;
	dl_auto(dl_foothold) foothold = service();
	dl_autofree char *detail = NULL;
	foothold->manual_because = dl_strdup("It shadows the vendor's unit of 100%25 that name.");
	assert_int_equal(dl_plan_judge(foothold, &detail), DL_REASON_NEEDS_ATTENTION);
	assert_string_equal(detail, "It shadows the vendor's unit of 100%25 that name.");
}

static void says_which_file_and_package_make_it_manual(void **state)
{
	(void)state;
	dl_auto(dl_foothold) foothold =
		with_baseline(service(), DL_ROLE_UNIT, DL_BASELINE_DIFFERENT, "cron");
	dl_autofree char *detail = NULL;
	assert_int_equal(dl_plan_judge(foothold, &detail), DL_REASON_MODIFIED_EXISTING);
	assert_non_null(strstr(detail, "`/etc/systemd/system/x.service`"));
	assert_non_null(strstr(detail, "package cron"));
	assert_non_null(strstr(detail, "Reinstall the package"));
}

static enum dl_reason judge_payload(enum dl_object_type type, bool hashed)
{
	dl_auto(dl_foothold) foothold = service();
	struct dl_object *payload = sample_object(foothold, DL_ROLE_PAYLOAD);
	dl_autofree char *detail = NULL;
	payload->type = type;
	if (!hashed)
		free(DL_TAKE(payload->sha256));
	return dl_plan_judge_object(payload, &detail);
}

static void refuses_files_it_could_not_recognise_again(void **state)
{
	(void)state;
	assert_int_equal(judge_payload(DL_TYPE_FILE, true), DL_REASON_NONE);
	assert_int_equal(judge_payload(DL_TYPE_FILE, false), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge_payload(DL_TYPE_FOLDER, true), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge_payload(DL_TYPE_OTHER, true), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge_payload(DL_TYPE_MISSING, true), DL_REASON_UNSUPPORTED);
	assert_int_equal(judge_payload(DL_TYPE_SYMLINK, true), DL_REASON_UNSUPPORTED);
}

static void gives_every_reason_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (int i = 1; i < DL_REASON_COUNT; i++) {
		enum dl_reason reason = (enum dl_reason)i;
		assert_true(strlen(dl_reason_name(reason)) > 0);
		assert_true(strlen(dl_reason_sentence(reason)) > 10);
		assert_int_equal(dl_reason_parse(dl_reason_name(reason)), reason);
	}
	assert_string_equal(dl_reason_name(DL_REASON_NONE), "");
	assert_int_equal(dl_reason_parse("nonsense"), DL_REASON_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allows_what_was_provably_created),
		cmocka_unit_test(refuses_what_a_package_ships_unmodified),
		cmocka_unit_test(refuses_a_package_file_that_was_modified),
		cmocka_unit_test(refuses_what_nothing_proves_to_be_created),
		cmocka_unit_test(refuses_the_whole_unit_for_one_dropin_that_existed),
		cmocka_unit_test(refuses_a_dropin_added_to_a_packaged_unit),
		cmocka_unit_test(refuses_a_dropin_whose_unit_file_the_survey_did_not_see),
		cmocka_unit_test(allows_a_line_provably_added_to_a_packaged_table),
		cmocka_unit_test(refuses_a_line_that_may_have_been_changed),
		cmocka_unit_test(refuses_a_line_without_its_words_or_place),
		cmocka_unit_test(allows_only_a_registry_value_that_was_created),
		cmocka_unit_test(refuses_a_registry_value_that_is_something_else),
		cmocka_unit_test(refuses_what_the_never_list_holds_before_anything_else),
		cmocka_unit_test(says_why_in_the_surveys_own_words),
		cmocka_unit_test(says_which_file_and_package_make_it_manual),
		cmocka_unit_test(refuses_files_it_could_not_recognise_again),
		cmocka_unit_test(gives_every_reason_a_name_and_a_sentence),
	};
	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
