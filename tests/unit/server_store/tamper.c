/* Somebody with the database in hand: what they change shows. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "server/store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

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
		STORE_TEST(the_schema_itself_refuses_to_forget),
		STORE_TEST(a_database_of_a_newer_server_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
