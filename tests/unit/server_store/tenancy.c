/* What belongs to another organization answers like what does not exist, and a
 * role counts where it was given. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOBODY 999999

struct scene {
	json_t *incident, *edit;
	int64_t id;
	const char *digest, *plan_id;
};

static struct scene scene_of(struct bench *bench, bool approved)
{
	host_send_survey(bench, &bench->host, "timer");
	struct scene scene = { .incident = report_sent(bench) };
	if (approved) {
		json_t *after = approve_all(bench, scene.incident);
		json_decref(scene.incident);
		scene.incident = after;
		scene.plan_id = text_of(json_array_get(json_object_get(after, "orders"), 0),
					"plan_id");
	}
	dl_autofree char *key = foothold_key(bench, "systemd.timer");
	scene.edit = json_pack("{s:[s]}", "keys", key);
	scene.id = int_of(scene.incident, "id");
	scene.digest = text_of(json_object_get(scene.incident, "shown_revision"), "digest");
	return scene;
}

static void scene_end(struct scene *scene)
{
	json_decref(scene->incident);
	json_decref(scene->edit);
}

/* Every use case about one thing, asked by `actor` with real ids. */
static void ask_everything(struct bench *bench, const struct scene *scene, int code,
			   const struct dl_actor *actor)
{
	struct dl_store *store = bench->store;
	struct dl_report_request report = { "S", "low", "", "", scene->edit };
	struct dl_decide_request decide = { .incident = scene->id, .digest = scene->digest,
					    .approve = true };
	struct dl_undo_request undo = { .plan_id = scene->plan_id };
	struct dl_enrol_key_request key = { bench->organization, "k", 1, INT64_MAX };
	FAILS(code, dl_store_survey_request, store, actor, bench->host.id);
	FAILS(code, dl_store_report_preview, store, actor, bench->host.id, &report);
	FAILS(code, dl_store_incident_create, store, actor, bench->host.id, &report);
	FAILS(code, dl_store_draft_save, store, actor, scene->id, &report);
	FAILS(code, dl_store_report_send, store, actor, scene->id, scene->digest);
	FAILS(code, dl_store_decide, store, actor, &decide);
	FAILS(code, dl_store_manual_done, store, actor, scene->id, 1, "note");
	FAILS(code, dl_store_incident_close, store, actor, scene->id, "false_positive", "");
	FAILS(code, dl_store_order_cancel, store, actor, scene->plan_id);
	FAILS(code, dl_store_order_undo, store, actor, &undo);
	FAILS(code, dl_store_enrol_key_create, store, actor, &key);
	FAILS(code, dl_store_enrol_key_list, store, actor, bench->organization);
}

static void another_organization_sees_nothing_at_all(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, true);
	struct dl_store *store = bench->store;
	const struct dl_actor *eve = &bench->stranger;
	ask_everything(bench, &scene, DL_E_NOT_FOUND, eve);
	FAILS(DL_E_NOT_FOUND, dl_store_host_get, store, eve, bench->host.id);
	FAILS(DL_E_NOT_FOUND, dl_store_host_footholds, store, eve, bench->host.id, true,
	      (struct dl_page){ 0 });
	FAILS(DL_E_NOT_FOUND, dl_store_incident_get, store, eve, scene.id, 0);
	FAILS(DL_E_NOT_FOUND, dl_store_user_set_password, store, eve,
	      &(struct dl_password_request){ .user = bench->analyst.id, .password_hash = "x" });
	FAILS(DL_E_NOT_FOUND, dl_store_membership_add, store, eve, bench->analyst.id,
	      bench->other_organization, "reader");
	FAILS(DL_E_NOT_FOUND, dl_store_membership_add, store, eve, eve->id, bench->organization,
	      "reader");
	scene_end(&scene);
}

/* The analyst works for both: each administrator is shown one half of that. */
static void an_administrator_sees_no_memberships_elsewhere(void **state)
{
	struct bench *bench = *state;
	json_decref(ASK(dl_store_membership_add, bench->store, &bench->system, bench->analyst.id,
			bench->other_organization, "analyst"));
	dl_autojson *theirs = ASK(dl_store_user_list, bench->store, &bench->stranger,
				  (struct dl_page){ 0 });
	dl_autojson *ours = ASK(dl_store_user_list, bench->store, &bench->administrator,
				(struct dl_page){ 0 });
	dl_autojson *all = ASK(dl_store_user_list, bench->store, &bench->system,
			       (struct dl_page){ 0 });
	dl_autofree char *theirs_text = dl_json_text(theirs);
	dl_autofree char *ours_text = dl_json_text(ours);
	dl_autofree char *all_text = dl_json_text(all);
	assert_non_null(strstr(theirs_text, "\"login\":\"ann\""));
	assert_non_null(strstr(theirs_text, "Second"));
	assert_null(strstr(theirs_text, "First"));
	assert_non_null(strstr(ours_text, "First"));
	assert_null(strstr(ours_text, "Second"));
	assert_non_null(strstr(all_text, "Second"));
	assert_non_null(strstr(all_text, "First"));
}

static void a_missing_thing_answers_with_the_same_words_as_a_foreign_one(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, true);
	struct answer foreign, missing;
	ASK_(foreign, dl_store_incident_get, bench->store, &bench->stranger, scene.id, 0);
	ASK_(missing, dl_store_incident_get, bench->store, &bench->stranger, NOBODY, 0);
	assert_int_equal(foreign.result, missing.result);
	assert_string_equal(foreign.err.text, missing.err.text);
	ASK_(foreign, dl_store_order_cancel, bench->store, &bench->stranger, scene.plan_id);
	ASK_(missing, dl_store_order_cancel, bench->store, &bench->stranger,
	     "00000000000000000000000000000000");
	assert_int_equal(foreign.result, missing.result);
	assert_string_equal(foreign.err.text, missing.err.text);
	ASK_(foreign, dl_store_host_get, bench->store, &bench->stranger, bench->host.id);
	ASK_(missing, dl_store_host_get, bench->store, &bench->stranger, NOBODY);
	assert_string_equal(foreign.err.text, missing.err.text);
	scene_end(&scene);
}

static void lists_hold_only_what_the_actor_may_see(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, true);
	struct dl_incident_filter incidents = { .organization = bench->organization };
	struct dl_audit_filter audit = { .organization = bench->organization };
	struct dl_page page = { 0 };
	dl_autojson *a = ASK(dl_store_host_list, bench->store, &bench->stranger, 0, page);
	dl_autojson *b = ASK(dl_store_incident_list, bench->store, &bench->stranger, &incidents, page);
	dl_autojson *c = ASK(dl_store_audit_list, bench->store, &bench->stranger, &audit, page);
	assert_int_equal(json_array_size(json_object_get(a, "items")), 0);
	assert_int_equal(json_array_size(json_object_get(b, "items")), 0);
	assert_int_equal(json_array_size(json_object_get(c, "items")), 0);
	dl_autojson *d = ASK(dl_store_host_list, bench->store, &bench->reader, 0, page);
	dl_autojson *e = ASK(dl_store_organization_list, bench->store, &bench->reader);
	assert_int_equal(json_array_size(json_object_get(d, "items")), 1);
	assert_int_equal(json_array_size(json_object_get(e, "items")), 1);
	scene_end(&scene);
}

static void a_reader_may_read_and_nothing_else(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, true);
	ask_everything(bench, &scene, DL_E_DENIED, &bench->reader);
	dl_autojson *view = ASK(dl_store_incident_get, bench->store, &bench->reader, scene.id, 0);
	const char *name;
	json_t *can;
	json_object_foreach(json_object_get(view, "can"), name, can)
		assert_false(json_is_true(can));
	scene_end(&scene);
}

static void an_administrator_decides_nothing_about_plans(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, false);
	struct dl_decide_request decide = { .incident = scene.id, .digest = scene.digest,
					    .approve = true };
	FAILS(DL_E_DENIED, dl_store_decide, bench->store, &bench->administrator, &decide);
	FAILS(DL_E_DENIED, dl_store_decide, bench->store, &bench->analyst, &decide);
	FAILS(DL_E_DENIED, dl_store_decide, bench->store, &bench->system, &decide);
	scene_end(&scene);
}

static void an_agent_is_no_user_and_claims_only_its_own(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, true);
	struct host other;
	bench_enrol(bench, bench->organization, "other", &other);
	FAILS(DL_E_NOT_FOUND, dl_store_incident_get, bench->store, &bench->host.actor, scene.id, 0);
	dl_autojson *none = json_array();
	FAILS(DL_E_DENIED, dl_store_records, bench->store, &bench->analyst, none);
	dl_autojson *claim = host_claim(&other, scene.plan_id, scene.digest,
					"00112233445566778899aabbccddeeff");
	FAILS(DL_E_NOT_FOUND, dl_store_claim, bench->store, &other.actor, claim);
	FAILS(DL_E_DENIED, dl_store_claim, bench->store, &bench->host.actor, claim);
	dl_signing_key_free(other.key);
	scene_end(&scene);
}

static void a_role_in_all_organizations_counts_everywhere(void **state)
{
	struct bench *bench = *state;
	struct scene scene = scene_of(bench, false);
	json_decref(ASK(dl_store_membership_add, bench->store, &bench->system, bench->stranger.id, 0,
			"technician"));
	dl_autojson *view = ASK(dl_store_incident_get, bench->store, &bench->stranger, scene.id, 0);
	assert_true(json_is_true(json_object_get(json_object_get(view, "can"), "decide")));
	json_decref(ASK(dl_store_membership_remove, bench->store, &bench->system,
			bench->stranger.id, 0, "technician"));
	FAILS(DL_E_NOT_FOUND, dl_store_incident_get, bench->store, &bench->stranger, scene.id, 0);
	scene_end(&scene);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(another_organization_sees_nothing_at_all),
		STORE_TEST(an_administrator_sees_no_memberships_elsewhere),
		STORE_TEST(a_missing_thing_answers_with_the_same_words_as_a_foreign_one),
		STORE_TEST(lists_hold_only_what_the_actor_may_see),
		STORE_TEST(a_reader_may_read_and_nothing_else),
		STORE_TEST(an_administrator_decides_nothing_about_plans),
		STORE_TEST(an_agent_is_no_user_and_claims_only_its_own),
		STORE_TEST(a_role_in_all_organizations_counts_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
