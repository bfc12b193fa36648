#include "tests/unit/server_store/bench.h"

#include "core/base/mem.h"
#include "core/base/time.h"
#include "core/crypto/random.h"
#include "core/wire/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- answers ---- */

void answer_start(struct answer *answer)
{
	*answer = (struct answer){ .done = false };
	pthread_mutex_init(&answer->lock, NULL);
	pthread_cond_init(&answer->arrived, NULL);
}

void answer_arrive(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct answer *answer = arg;
	pthread_mutex_lock(&answer->lock);
	answer->result = result;
	answer->view = json_deep_copy(view); /* another thread releases it */
	answer->err = *err;
	answer->done = true;
	pthread_cond_signal(&answer->arrived);
	pthread_mutex_unlock(&answer->lock);
}

void answer_wait(struct answer *answer)
{
	pthread_mutex_lock(&answer->lock);
	while (!answer->done)
		pthread_cond_wait(&answer->arrived, &answer->lock);
	pthread_mutex_unlock(&answer->lock);
}

/* ---- the bench ---- */

static void on_wake(void *ctx, int64_t agent)
{
	((struct bench *)ctx)->woken = agent;
}

static bool is_online(void *ctx, int64_t agent)
{
	return agent == ((struct bench *)ctx)->woken;
}

void bench_open(struct bench *bench)
{
	struct dl_error err = { 0 };
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	dl_signing_key_public(bench->server_key, public_key);
	struct dl_store_options options = {
		.path = bench->path, .key = bench->server_key, .key_cert = bench->key_cert,
		.root_key = public_key, .is_online = is_online, .wake = on_wake, .ctx = bench,
	};
	if (dl_store_open(&options, &bench->store, &err) < 0)
		fail_msg("%s", err.text);
}

static void make_keys(struct bench *bench)
{
	struct dl_key_cert cert = { .not_before = 1, .not_after = INT64_MAX };
	assert_int_equal(dl_signing_key_generate(&bench->server_key, NULL), 0);
	dl_signing_key_public(bench->server_key, cert.public_key);
	dl_autofree char *body = dl_key_cert_to_body(&cert);
	assert_int_equal(dl_envelope_sign(bench->server_key, DL_TYPE_KEY, body, &bench->key_cert,
					  NULL), 0);
}

static int64_t add_organization(struct bench *bench, const char *name)
{
	dl_autojson *view = ASK(dl_store_organization_add, bench->store, &bench->system, name);
	return int_of(view, "id");
}

static struct dl_actor add_user(struct bench *bench, const char *login, int64_t organization,
				const char *role)
{
	dl_autojson *memberships = json_pack("[{s:I,s:s}]", "organization",
					     (json_int_t)organization, "role", role);
	dl_autojson *view = ASK(dl_store_user_add, bench->store, &bench->system,
				&(struct dl_user_add_request){ login, login, "$argon2id$",
							       memberships });
	return (struct dl_actor){ DL_ACTOR_USER, int_of(view, "id"), "192.0.2.1" };
}

int bench_setup(void **state)
{
	struct bench *bench = DL_NEW(struct bench);
	snprintf(bench->folder, sizeof(bench->folder), "/tmp/dislodge-store-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	snprintf(bench->path, sizeof(bench->path), "%s/store.db", bench->folder);
	make_keys(bench);
	bench_open(bench);
	bench->system = (struct dl_actor){ .kind = DL_ACTOR_SYSTEM };
	bench->organization = add_organization(bench, "First");
	bench->other_organization = add_organization(bench, "Second");
	bench->administrator = add_user(bench, "admin", bench->organization, "administrator");
	bench->analyst = add_user(bench, "ann", bench->organization, "analyst");
	bench->technician = add_user(bench, "tom", bench->organization, "technician");
	bench->reader = add_user(bench, "rea", bench->organization, "reader");
	bench->stranger = add_user(bench, "eve", bench->other_organization, "analyst");
	json_decref(ASK(dl_store_membership_add, bench->store, &bench->system, bench->stranger.id,
			bench->other_organization, "technician"));
	json_decref(ASK(dl_store_membership_add, bench->store, &bench->system, bench->stranger.id,
			bench->other_organization, "administrator"));
	bench_enrol(bench, bench->organization, "machine", &bench->host);
	*state = bench;
	return 0;
}

int bench_teardown(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".anchor" };
	struct bench *bench = *state;
	dl_store_close(bench->store);
	for (size_t i = 0; i < DL_COUNT(endings); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s%s", bench->path, endings[i]);
		unlink(path);
	}
	rmdir(bench->folder);
	dl_signing_key_free(bench->server_key);
	dl_signing_key_free(bench->host.key);
	json_decref(bench->key_cert);
	free(bench);
	return 0;
}

/* ---- enrolment ---- */

static json_t *enrolment(const struct dl_signing_key *key, const json_t *enrol_key,
			 const char *machine)
{
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE], machine_hash[DL_SHA256_TEXT_SIZE],
		proof[DL_SHA256_TEXT_SIZE], nonce[DL_ID_TEXT_SIZE];
	dl_signing_key_public(key, public_key);
	dl_sha256_text(machine, strlen(machine), machine_hash);
	dl_random_id(nonce);
	dl_autojson *statement = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "version", 1,
					   "public_key", public_key, "machine_hash", machine_hash,
					   "hostname", machine, "os", "Debian 12", "agent_version",
					   "0.1.0", "nonce", nonce);
	dl_autofree char *body = dl_json_text(statement);
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(key, DL_TYPE_ENROL, body, &envelope, NULL), 0);
	char *secret = NULL;
	assert_true(asprintf(&secret, "%s:%s", text_of(enrol_key, "secret"), body) > 0);
	dl_sha256_text(secret, strlen(secret), proof);
	free(secret);
	return json_pack("{s:s,s:s,s:o}", "key_id", text_of(enrol_key, "id"), "proof", proof,
			 "statement", envelope);
}

static void sign_as_earlier(json_t *request, const struct dl_signing_key *earlier)
{
	const char *body = text_of(json_object_get(request, "statement"), "body");
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(earlier, DL_TYPE_ENROL, body, &envelope, NULL), 0);
	json_object_set_new(request, "earlier", envelope);
}

void bench_enrol_signed(struct bench *bench, int64_t organization, const char *machine,
			const struct dl_signing_key *earlier, struct host *ret_host)
{
	dl_autojson *key = ASK(dl_store_enrol_key_create, bench->store, &bench->system,
			       &(struct dl_enrol_key_request){ organization, "test", 1,
							       dl_time_now_ms() + 60000 });
	*ret_host = (struct host){ .organization = organization };
	assert_int_equal(dl_signing_key_generate(&ret_host->key, NULL), 0);
	dl_autojson *request = enrolment(ret_host->key, key, machine);
	if (earlier)
		sign_as_earlier(request, earlier);
	dl_autojson *view = ASK(dl_store_enrol, bench->store, &bench->system, request);
	ret_host->id = int_of(view, "agent_id");
	ret_host->actor = (struct dl_actor){ DL_ACTOR_AGENT, ret_host->id, "192.0.2.7" };
}

void bench_enrol(struct bench *bench, int64_t organization, const char *machine,
		 struct host *ret_host)
{
	bench_enrol_signed(bench, organization, machine, NULL, ret_host);
}

/* ---- the host ---- */

json_t *host_record(struct host *host, const char *type, json_t *content)
{
	dl_autojson *record = json_pack("{s:i,s:I,s:I,s:I,s:s,s:o}", "version", 1, "agent_id",
					(json_int_t)host->id, "seq", (json_int_t)++host->seq,
					"time", (json_int_t)dl_time_now_ms(), "type", type,
					"content", content);
	dl_autofree char *body = dl_json_text(record);
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(host->key, DL_TYPE_RECORD, body, &envelope, NULL), 0);
	return envelope;
}

void host_send(struct bench *bench, struct host *host, json_t *record)
{
	dl_autojson *records = json_pack("[o]", record);
	dl_autojson *view = ASK(dl_store_records, bench->store, &host->actor, records);
	assert_int_equal(int_of(view, "acked_through"), host->seq);
}

static void fill_object(struct dl_object *object, enum dl_object_role role, const char *path,
			const char *content)
{
	char sha256[DL_SHA256_TEXT_SIZE];
	dl_sha256_text(content, strlen(content), sha256);
	object->role = role;
	object->type = DL_TYPE_FILE;
	object->path = dl_strdup(path);
	object->size = (int64_t)strlen(content);
	object->owner = dl_strdup("root");
	object->mode = 0755;
	object->links = 1;
	object->sha256 = dl_strdup(sha256);
	object->baseline = DL_BASELINE_ABSENT;
}

static struct dl_foothold *unit(enum dl_kind kind, const char *name, const char *payload)
{
	char path[128];
	struct dl_foothold *foothold = dl_foothold_new(kind);
	snprintf(path, sizeof(path), "/etc/systemd/system/%s", name);
	foothold->scope = dl_strdup("system");
	foothold->location = dl_strdup(path);
	foothold->name = dl_strdup(name);
	foothold->command = dl_strdup(payload);
	foothold->state = dl_strdup("enabled, active");
	foothold->active = true;
	fill_object(dl_foothold_add_object(foothold), DL_ROLE_UNIT, path, name);
	fill_object(dl_foothold_add_object(foothold), DL_ROLE_PAYLOAD, payload, payload);
	dl_foothold_seal(foothold);
	return foothold;
}

static struct dl_foothold *cron_line(void)
{
	struct dl_foothold *foothold = dl_foothold_new(DL_KIND_CRON_USER);
	foothold->scope = dl_strdup("user:joe");
	foothold->location = dl_strdup("/var/spool/cron/crontabs/joe");
	foothold->line = dl_strdup("* * * * * /home/joe/.x");
	foothold->occurrence = 1;
	foothold->command = dl_strdup("/home/joe/.x");
	foothold->user = dl_strdup("joe");
	foothold->active = true;
	fill_object(dl_foothold_add_object(foothold), DL_ROLE_TABLE, foothold->location, "table");
	dl_foothold_seal(foothold);
	return foothold;
}

struct dl_survey *host_survey(const char *names)
{
	struct dl_survey *survey = dl_survey_new();
	survey->started = survey->finished = dl_time_now_ms();
	survey->trusted = true;
	survey->host.hostname = dl_strdup("machine");
	survey->host.os = dl_strdup("Debian 12");
	survey->host.kernel = dl_strdup("6.1");
	survey->host.architecture = dl_strdup("x86_64");
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		dl_survey_cover(survey, (enum dl_kind)kind, DL_COVERAGE_COMPLETE, NULL);
	if (strstr(names, "timer"))
		dl_survey_add(survey, unit(DL_KIND_SYSTEMD_TIMER, "evil.timer", "/opt/evil"));
	if (strstr(names, "service"))
		dl_survey_add(survey, unit(DL_KIND_SYSTEMD_SERVICE, "evil.service", "/opt/evil"));
	if (strstr(names, "cron"))
		dl_survey_add(survey, cron_line());
	return survey;
}

void host_send_survey(struct bench *bench, struct host *host, const char *names)
{
	dl_auto(dl_survey) survey = host_survey(names);
	host_send(bench, host, host_record(host, "survey", dl_survey_to_json(survey)));
}

json_t *host_poll(struct bench *bench, struct host *host, const char *held)
{
	dl_autojson *body = json_pack("{s:s,s:s,s:I,s:o}", "boot_id", "boot", "version", "0.1.0",
				      "last_seq", (json_int_t)host->seq, "held",
				      held ? json_pack("[s]", held) : json_array());
	return ASK(dl_store_agent_poll, bench->store, &host->actor, body);
}

json_t *host_claim(struct host *host, const char *plan_id, const char *order_sha256,
		   const char *nonce)
{
	dl_autojson *claim = json_pack("{s:i,s:I,s:s,s:s,s:s}", "version", 1, "agent_id",
				       (json_int_t)host->id, "plan_id", plan_id, "order_sha256",
				       order_sha256, "nonce", nonce);
	dl_autofree char *body = dl_json_text(claim);
	json_t *envelope = NULL;
	assert_int_equal(dl_envelope_sign(host->key, DL_TYPE_CLAIM, body, &envelope, NULL), 0);
	return envelope;
}

char *host_claim_order(struct bench *bench, struct host *host, const char *nonce)
{
	dl_autojson *poll = host_poll(bench, host, NULL);
	const json_t *first = json_array_get(json_object_get(poll, "orders"), 0);
	const char *body = text_of(json_object_get(first, "order"), "body");
	char sha256[DL_SHA256_TEXT_SIZE];
	dl_auto(dl_order) order = NULL;
	assert_int_equal(dl_order_from_body(body, &order, NULL), 0);
	dl_sha256_text(body, strlen(body), sha256);
	dl_autojson *claim = host_claim(host, order->plan_id, sha256, nonce);
	dl_autojson *answer = ASK(dl_store_claim, bench->store, &host->actor, claim);
	dl_autojson *ticket = json_loads(text_of(json_object_get(answer, "ticket"), "body"), 0,
					 NULL);
	return dl_strdup(text_of(ticket, "verdict"));
}

json_t *host_result(struct host *host, const json_t *order_view, const char *state)
{
	json_t *runs = json_array(), *step;
	size_t i;
	json_array_foreach(json_object_get(order_view, "steps"), i, step)
		json_array_append_new(runs, json_pack(
			"{s:O,s:s,s:s,s:s,s:{s:[],s:b,s:b},s:[s],s:[],s:I,s:I}", "step", step,
			"state", state, "reason", "", "detail", "", "flags", "still_running",
			"partial", 0, "needs_reboot", 0, "evidence", "systemd was asked again",
			"quarantine", "started", (json_int_t)1, "finished", (json_int_t)2));
	return host_record(host, "result", json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:o}", "plan_id", text_of(order_view, "plan_id"), "kind",
		text_of(order_view, "kind"), "state", "finished", "reason", "", "detail", "",
		"runs", runs));
}

/* ---- people ---- */

const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	if (!text)
		fail_msg("no text '%s'", name);
	return text;
}

int64_t int_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

const char *status_of(const json_t *incident, int64_t id)
{
	const json_t *steps = json_object_get(incident, "steps_view");
	return text_of(json_array_get(steps, (size_t)id - 1), "status");
}

char *foothold_key(struct bench *bench, const char *kind)
{
	dl_autojson *list = ASK(dl_store_host_footholds, bench->store, &bench->analyst,
				bench->host.id, true, (struct dl_page){ 0 });
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(list, "items"), i, item)
		if (strcmp(text_of(item, "kind"), kind) == 0)
			return dl_strdup(text_of(item, "key"));
	fail_msg("no foothold of kind %s", kind);
	return NULL;
}

static json_t *all_keys(struct bench *bench)
{
	dl_autojson *list = ASK(dl_store_host_footholds, bench->store, &bench->analyst,
				bench->host.id, false, (struct dl_page){ 0 });
	json_t *keys = json_array(), *item;
	size_t i;
	json_array_foreach(json_object_get(list, "items"), i, item)
		json_array_append(keys, json_object_get(item, "key"));
	return keys;
}

json_t *report_sent(struct bench *bench)
{
	dl_autojson *edit = json_pack("{s:o}", "keys", all_keys(bench));
	dl_autojson *draft = ASK(dl_store_incident_create, bench->store, &bench->analyst,
				 bench->host.id,
				 &(struct dl_report_request){ "Miner", "high", "It mines.",
							      "Approve.", edit });
	return ASK(dl_store_report_send, bench->store, &bench->analyst, int_of(draft, "id"),
		   text_of(json_object_get(draft, "shown_revision"), "digest"));
}

json_t *approve_all(struct bench *bench, const json_t *incident)
{
	return ASK(dl_store_decide, bench->store, &bench->technician,
		   &(struct dl_decide_request){
			   .incident = int_of(incident, "id"), .approve = true,
			   .digest = text_of(json_object_get(incident, "shown_revision"),
					     "digest") });
}

json_t *incident_now(struct bench *bench, const json_t *incident)
{
	return ASK(dl_store_incident_get, bench->store, &bench->technician,
		   int_of(incident, "id"), 0);
}
