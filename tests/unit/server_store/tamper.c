/* Somebody with the database in hand: what they change shows. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "server/store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* As an attacker with the file would: without the triggers in the way. */
static void run_sql(struct bench *bench, const char *sql)
{
	dl_auto(dl_db) db = NULL;
	struct dl_error err = { 0 };
	assert_int_equal(dl_db_open(bench->path, true, &db, &err), 0);
	assert_int_equal(dl_db_exec(db, "DROP TRIGGER IF EXISTS audit_keeps_rows", &err), 0);
	assert_int_equal(dl_db_exec(db, "DROP TRIGGER IF EXISTS audit_keeps_content", &err), 0);
	if (dl_db_exec(db, sql, &err) < 0)
		fail_msg("%s", err.text);
}

static int64_t broken_at(struct bench *bench)
{
	dl_autojson *view = ASK(dl_store_audit_verify, bench->store, &bench->system);
	return int_of(view, "broken_at");
}

static void a_changed_event_shows(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(broken_at(bench), 0);
	run_sql(bench, "UPDATE audit SET actor_name = 'somebody else' WHERE id = 3");
	assert_int_equal(broken_at(bench), 3);
}

static void a_changed_hash_shows(void **state)
{
	struct bench *bench = *state;
	run_sql(bench, "UPDATE audit SET hash = substr(hash, 2) || substr(hash, 1, 1) WHERE id = 4");
	assert_int_equal(broken_at(bench), 4);
}

static void a_removed_event_shows(void **state)
{
	struct bench *bench = *state;
	run_sql(bench, "DELETE FROM audit WHERE id = 2");
	assert_int_equal(broken_at(bench), 3);
}

static void an_inserted_event_shows(void **state)
{
	struct bench *bench = *state;
	run_sql(bench, "INSERT INTO audit SELECT 1000000, time, organization_id, incident_id, "
		       "revision_no, actor_kind, actor_id, actor_name, address, action, object, "
		       "detail, hash FROM audit WHERE id = 2");
	assert_int_equal(broken_at(bench), 1000000);
}

/* ---- the end of the chain ---- */

static const char *problem_of(const json_t *verification)
{
	assert_false(json_is_true(json_object_get(verification, "ok")));
	return text_of(verification, "problem");
}

static void expect_problem(struct bench *bench, const char *words)
{
	dl_autojson *view = ASK(dl_store_audit_verify, bench->store, &bench->system);
	if (!strstr(problem_of(view), words))
		fail_msg("it says: %s", problem_of(view));
}

static void reopen(struct bench *bench)
{
	dl_store_close(bench->store);
	bench_open(bench);
}

/* So that all of it is anchored in both places. */
static void stop_and_start(struct bench *bench, int64_t *ret_events)
{
	reopen(bench);
	dl_autojson *view = ASK(dl_store_audit_verify, bench->store, &bench->system);
	assert_true(json_is_true(json_object_get(view, "ok")));
	assert_int_equal(int_of(view, "anchored"), int_of(view, "events"));
	assert_true(int_of(view, "anchored_at") > 0);
	*ret_events = int_of(view, "events");
}

static void copy_path(const struct bench *bench, char path[128])
{
	snprintf(path, 128, "%s.anchor", bench->path);
}

static void a_cut_at_the_end_shows(void **state)
{
	struct bench *bench = *state;
	int64_t events = 0;
	stop_and_start(bench, &events);
	run_sql(bench, "DELETE FROM audit WHERE id > (SELECT MAX(id) - 2 FROM audit)");
	expect_problem(bench, "cut off");
	assert_int_equal(broken_at(bench), events - 1);
}

static void a_cut_with_the_row_put_back_too_shows(void **state)
{
	struct bench *bench = *state;
	int64_t events = 0;
	stop_and_start(bench, &events);
	run_sql(bench, "CREATE TABLE kept AS SELECT words FROM audit_anchor");
	json_decref(ASK(dl_store_organization_add, bench->store, &bench->system, "Third"));
	reopen(bench);
	run_sql(bench, "DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit);"
		       "UPDATE audit_anchor SET words = (SELECT words FROM kept)");
	expect_problem(bench, "cut off");
	assert_int_equal(broken_at(bench), events + 1);
}

static void a_chain_that_goes_on_after_a_cut_still_shows_it(void **state)
{
	struct bench *bench = *state;
	int64_t events = 0;
	stop_and_start(bench, &events);
	run_sql(bench, "DELETE FROM audit WHERE id > (SELECT MAX(id) - 2 FROM audit);"
		       "DELETE FROM audit_anchor");
	for (int i = 0; i < 4; i++)
		json_decref(ASK(dl_store_login_refused, bench->store, &bench->system, "x"));
	reopen(bench);
	expect_problem(bench, "written anew");
	assert_int_equal(broken_at(bench), events);
}

static void an_anchor_that_others_made_shows(void **state)
{
	struct bench *bench = *state;
	int64_t events = 0;
	stop_and_start(bench, &events);
	run_sql(bench, "UPDATE audit_anchor SET words = replace(words, 'events', 'event5')");
	expect_problem(bench, "not what this server signed");
	json_decref(ASK(dl_store_login_refused, bench->store, &bench->system, "x"));
	expect_problem(bench, "not what this server signed");
}

static void a_missing_copy_shows(void **state)
{
	struct bench *bench = *state;
	int64_t events = 0;
	char path[128];
	stop_and_start(bench, &events);
	copy_path(bench, path);
	assert_int_equal(unlink(path), 0);
	expect_problem(bench, "copy beside the database is missing");
}

static void a_copy_is_private(void **state)
{
	struct bench *bench = *state;
	struct stat status;
	char path[128];
	copy_path(bench, path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void the_schema_itself_refuses_to_forget(void **state)
{
	struct bench *bench = *state;
	dl_auto(dl_db) db = NULL;
	struct dl_error err = { 0 };
	assert_int_equal(dl_db_open(bench->path, true, &db, &err), 0);
	assert_true(dl_db_exec(db, "DELETE FROM audit", &err) < 0);
	assert_true(dl_db_exec(db, "UPDATE audit SET object = ''", &err) < 0);
	assert_int_equal(broken_at(bench), 0);
}

static void a_database_of_a_newer_server_is_refused(void **state)
{
	struct bench *bench = *state;
	run_sql(bench, "INSERT INTO migration VALUES (999999, 'future', 0)");
	struct dl_store *store = NULL;
	struct dl_error err = { 0 };
	struct dl_store_options options = { .path = bench->path, .key = bench->server_key,
					    .key_cert = bench->key_cert, .root_key = "" };
	assert_int_equal(dl_store_open(&options, &store, &err), DL_E_UNSUPPORTED);
	assert_null(store);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_changed_event_shows),
		STORE_TEST(a_changed_hash_shows),
		STORE_TEST(a_removed_event_shows),
		STORE_TEST(an_inserted_event_shows),
		STORE_TEST(a_cut_at_the_end_shows),
		STORE_TEST(a_cut_with_the_row_put_back_too_shows),
		STORE_TEST(a_chain_that_goes_on_after_a_cut_still_shows_it),
		STORE_TEST(an_anchor_that_others_made_shows),
		STORE_TEST(a_missing_copy_shows),
		STORE_TEST(a_copy_is_private),
		STORE_TEST(the_schema_itself_refuses_to_forget),
		STORE_TEST(a_database_of_a_newer_server_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
