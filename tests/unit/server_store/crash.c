/* A server killed at any moment: what was acknowledged is there, and nothing is
 * there twice or by half. */
#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "core/crypto/random.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 12, STREAM = 4000 };

/* ---- a stream of use cases in a child ---- */

struct ticket {
	int pipe;
	int number;
};

/* The acknowledgement leaves the process before anything else can happen. */
static void acknowledge(void *arg, int result, json_t *view, const struct dl_error *err)
{
	const struct ticket *ticket = arg;
	(void)view;
	(void)err;
	if (result == 0 && write(ticket->pipe, &ticket->number, sizeof(ticket->number)) < 0)
		_exit(2);
}

static _Noreturn void stream_organizations(struct bench *bench, int round, int pipe)
{
	static struct ticket tickets[STREAM];
	bench_open(bench);
	for (int i = 0; i < STREAM; i++) {
		char name[64];
		snprintf(name, sizeof(name), "round %d number %d", round, i);
		tickets[i] = (struct ticket){ pipe, i };
		dl_store_organization_add(bench->store, &bench->system, name, acknowledge,
					  &tickets[i]);
		if (i % 50 == 49)
			usleep(500); /* groups of several sizes */
	}
	pause();
	_exit(1);
}

static _Noreturn void stream_records(struct bench *bench, json_t *const *records, int pipe)
{
	static struct ticket tickets[STREAM];
	bench_open(bench);
	for (int i = 0; records[i]; i++) {
		dl_autojson *one = json_pack("[O]", records[i]);
		tickets[i] = (struct ticket){ pipe, i };
		dl_store_records(bench->store, &bench->host.actor, one, acknowledge, &tickets[i]);
	}
	pause();
	_exit(1);
}

/* Kills the child some time after its first acknowledgement, and reads the rest.
 * → the highest number. The stream acknowledges in order. */
static int kill_and_count(pid_t child, int pipe)
{
	unsigned char wait = 0;
	int number = -1, last = 0;
	assert_int_equal(read(pipe, &number, sizeof(number)), sizeof(number));
	assert_int_equal(number, 0);
	dl_random(&wait, sizeof(wait));
	usleep(400 * wait);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(pipe, &number, sizeof(number)) == sizeof(number)) {
		assert_int_equal(number, last + 1);
		last = number;
	}
	print_message("killed after %d were acknowledged\n", last + 1);
	return last;
}

/* ---- what the next server finds ---- */

static int count_named(struct bench *bench, const char *prefix, int acknowledged)
{
	dl_autojson *list = ASK(dl_store_organization_list, bench->store, &bench->system);
	dl_autofree bool *seen = dl_alloc(STREAM, sizeof(*seen));
	size_t i;
	json_t *item;
	int count = 0;
	json_array_foreach(json_object_get(list, "items"), i, item) {
		const char *name = text_of(item, "name");
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		seen[atoi(name + strlen(prefix))] = true;
		count++;
	}
	for (int n = 0; n <= acknowledged; n++)
		assert_true(seen[n]);
	return count;
}

static void check_audit(struct bench *bench, int64_t events)
{
	dl_autojson *audit = ASK(dl_store_audit_verify, bench->store, &bench->system);
	assert_true(json_is_true(json_object_get(audit, "ok")));
	assert_int_equal(int_of(audit, "events"), events);
}

static int64_t audit_events(struct bench *bench)
{
	dl_autojson *audit = ASK(dl_store_audit_verify, bench->store, &bench->system);
	return int_of(audit, "events");
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
	struct bench *bench = *state;
	for (int round = 0; round < ROUNDS; round++) {
		int pipes[2];
		char prefix[64];
		int64_t events = audit_events(bench);
		snprintf(prefix, sizeof(prefix), "round %d number ", round);
		assert_int_equal(pipe(pipes), 0);
		dl_store_close(bench->store);
		pid_t child = fork();
		if (child == 0)
			stream_organizations(bench, round, pipes[1]);
		close(pipes[1]);
		int acknowledged = kill_and_count(child, pipes[0]);
		close(pipes[0]);
		bench_open(bench);
		int count = count_named(bench, prefix, acknowledged);
		assert_true(count >= acknowledged + 1);
		check_audit(bench, events + count);
	}
}

static void records_sent_again_after_a_kill_count_once(void **state)
{
	struct bench *bench = *state;
	enum { RECORDS = 200 };
	static json_t *records[RECORDS + 1];
	for (int i = 0; i < RECORDS; i++) {
		dl_auto(dl_survey) survey = host_survey(i % 2 ? "timer" : "timer service cron");
		records[i] = host_record(&bench->host, "survey", dl_survey_to_json(survey));
	}
	for (int round = 0; round < ROUNDS; round++) {
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		dl_store_close(bench->store);
		pid_t child = fork();
		if (child == 0)
			stream_records(bench, records, pipes[1]);
		close(pipes[1]);
		kill_and_count(child, pipes[0]);
		close(pipes[0]);
		bench_open(bench);
	}
	for (int i = 0; i < RECORDS; i++) {
		dl_autojson *one = json_pack("[o]", records[i]);
		json_decref(ASK(dl_store_records, bench->store, &bench->host.actor, one));
	}
	dl_autojson *host = ASK(dl_store_host_get, bench->store, &bench->analyst, bench->host.id);
	assert_false(json_is_true(json_object_get(host, "forked")));
	const json_t *survey = json_object_get(host, "survey");
	assert_int_equal(int_of(survey, "seq"), RECORDS);
	assert_int_equal(int_of(survey, "present"), 1);
	assert_int_equal(int_of(survey, "gone"), 2);
}

/* Claim, kill, claim: the order is the host's, once, under its first ticket. */
static void a_claim_survives_a_kill_with_its_ticket(void **state)
{
	struct bench *bench = *state;
	host_send_survey(bench, &bench->host, "timer");
	dl_autojson *sent = report_sent(bench);
	dl_autojson *approved = approve_all(bench, sent);
	dl_autojson *poll = host_poll(bench, &bench->host, NULL);
	const json_t *order = json_array_get(json_object_get(approved, "orders"), 0);
	const char *body = text_of(json_object_get(json_array_get(json_object_get(poll, "orders"),
								  0), "order"), "body");
	char sha256[DL_SHA256_TEXT_SIZE];
	int pipes[2], number = -1;
	dl_sha256_text(body, strlen(body), sha256);
	dl_autojson *claim = host_claim(&bench->host, text_of(order, "plan_id"), sha256,
					"00112233445566778899aabbccddeeff");
	assert_int_equal(pipe(pipes), 0);
	dl_store_close(bench->store);
	pid_t child = fork();
	if (child == 0) {
		struct ticket ticket = { pipes[1], 7 };
		bench_open(bench);
		dl_store_claim(bench->store, &bench->host.actor, claim, acknowledge, &ticket);
		pause();
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &number, sizeof(number)), sizeof(number));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	bench_open(bench);
	dl_autojson *after = incident_now(bench, sent);
	assert_string_equal(text_of(json_array_get(json_object_get(after, "orders"), 0), "state"),
			    "claimed");
	int64_t events = audit_events(bench);
	dl_autojson *again = ASK(dl_store_claim, bench->store, &bench->host.actor, claim);
	assert_non_null(strstr(text_of(json_object_get(again, "ticket"), "body"), "\"go\""));
	check_audit(bench, events);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(what_was_acknowledged_survives_a_kill),
		STORE_TEST(records_sent_again_after_a_kill_count_once),
		STORE_TEST(a_claim_survives_a_kill_with_its_ticket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
