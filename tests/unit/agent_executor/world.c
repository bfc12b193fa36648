#include "tests/unit/agent_executor/world.h"

#include "core/base/buf.h"
#include "core/base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { AGENT = 7, ORGANIZATION = 3, HOUR_MS = 3600 * 1000 };

static const char revision[] =
	"{\"version\":1,\"incident_id\":5,\"no\":1,\"subject\":\"s\",\"severity\":\"high\","
	"\"summary\":\"\",\"recommendations\":\"\",\"steps\":[{\"id\":1,"
	"\"verb\":\"file.quarantine\","
	"\"key\":\"0000000000000000000000000000000000000000000000000000000000000001\","
	"\"title\":\"Quarantine a file\",\"manual_because\":\"\",\"downgraded\":false,"
	"\"occurrence\":0,\"requires\":[],\"objects\":[%s]}]}";

static struct dl_signing_key *new_key(void)
{
	struct dl_signing_key *key = NULL;
	assert_int_equal(dl_signing_key_generate(&key, NULL), 0);
	return key;
}

static char *revision_text(void)
{
	struct dl_object object = {
		.role = DL_ROLE_PAYLOAD, .type = DL_TYPE_FILE, .path = (char *)"/opt/x",
		.size = 1, .mode = 0755, .links = 1, .owner = (char *)"root",
		.sha256 = (char *)"00000000000000000000000000000000"
				  "00000000000000000000000000000000",
		.baseline = DL_BASELINE_ABSENT,
	};
	dl_autojson *json = dl_object_to_json(&object);
	dl_autofree char *object_text = dl_json_text(json);
	dl_autobuf text = DL_BUF_INIT;
	size_t head = (size_t)(strstr(revision, "%s") - revision);
	dl_buf_append(&text, revision, head);
	dl_buf_puts(&text, object_text);
	dl_buf_puts(&text, revision + head + 2);
	return dl_buf_take(&text);
}

static struct dl_order *new_order(const struct dl_identity *identity)
{
	struct dl_order *order = DL_NEW(struct dl_order);
	dl_random_id(order->plan_id);
	order->kind = DL_ORDER_REMOVE;
	order->organization = identity->organization;
	order->agent = identity->agent;
	order->incident = 5;
	memcpy(order->agent_key_id, identity->key_id, sizeof(order->agent_key_id));
	order->issued = dl_time_now_ms();
	order->not_after = order->issued + HOUR_MS;
	order->revision = revision_text();
	order->approvals = json_pack("[{s:s, s:s, s:I, s:s}]", "user", "tina", "role",
				     "technician", "time", (json_int_t)order->issued, "method",
				     "session");
	dl_autojson *parsed = NULL;
	struct dl_error err = { 0 };
	if (dl_json_parse(order->revision, strlen(order->revision), DL_ORDER_MAX_BYTES, &parsed,
			  &err) < 0 ||
	    dl_plan_from_json(json_object_get(parsed, "steps"), &order->plan, &err) < 0)
		fail_msg("%s", err.text);
	order->chosen = dl_alloc(1, sizeof(order->chosen[0]));
	order->chosen[0] = true;
	return order;
}

static struct dl_identity *new_identity(const struct dl_signing_key *root)
{
	struct dl_identity *identity = DL_NEW(struct dl_identity);
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	identity->agent = AGENT;
	identity->organization = ORGANIZATION;
	identity->key = new_key();
	dl_signing_key_public(identity->key, public_key);
	assert_int_equal(dl_key_id(public_key, identity->key_id, NULL), 0);
	dl_signing_key_public(root, identity->root_key);
	return identity;
}

static void start_host(struct world *world)
{
	struct dl_error err = { 0 };
	if (dl_journal_open(world->state, &world->journal, &err) < 0 ||
	    dl_identity_load(world->journal, &world->identity, &err) < 0)
		fail_msg("%s", err.text);
	world->admission = dl_admission_new(world->identity, world->journal);
}

static void stop_host(struct world *world)
{
	dl_admission_free(world->admission);
	dl_identity_free(world->identity);
	dl_journal_close(world->journal);
}

static void enrol(struct world *world)
{
	dl_auto(dl_journal) journal = NULL;
	dl_auto(dl_identity) identity = new_identity(world->root);
	struct dl_error err = { 0 };
	if (dl_journal_open(world->state, &journal, &err) < 0 ||
	    dl_identity_store(journal, identity, &err) < 0)
		fail_msg("%s", err.text);
}

int world_set_up(void **state)
{
	struct world *world = DL_NEW(struct world);
	int64_t now = dl_time_now_ms();
	snprintf(world->folder, sizeof(world->folder), "/tmp/dislodge-test.XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	world->state = open(world->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->state >= 0);
	world->root = new_key();
	world->server = new_key();
	world->cert = world_cert(world->root, world->server, now - HOUR_MS, now + HOUR_MS);
	enrol(world);
	start_host(world);
	world->order = new_order(world->identity);
	*state = world;
	return 0;
}

static void remove_folder(struct world *world)
{
	DIR *folder = fdopendir(world->state); /* takes the handle over */
	for (struct dirent *entry; (entry = readdir(folder));)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(world->folder);
}

int world_tear_down(void **state)
{
	struct world *world = *state;
	stop_host(world);
	dl_order_free(world->order);
	json_decref(world->cert);
	dl_signing_key_free(world->root);
	dl_signing_key_free(world->server);
	remove_folder(world);
	free(world);
	return 0;
}

void world_restart(struct world *world)
{
	stop_host(world);
	start_host(world);
}

json_t *world_cert(const struct dl_signing_key *root, const struct dl_signing_key *key,
		   int64_t not_before, int64_t not_after)
{
	struct dl_key_cert cert = { .not_before = not_before, .not_after = not_after };
	json_t *envelope = NULL;
	dl_signing_key_public(key, cert.public_key);
	dl_autofree char *body = dl_key_cert_to_body(&cert);
	assert_int_equal(dl_envelope_sign(root, DL_TYPE_KEY, body, &envelope, NULL), 0);
	return envelope;
}

json_t *world_sign_order(const struct world *world, const struct dl_signing_key *key)
{
	struct dl_error err = { 0 };
	dl_autofree char *body = NULL;
	json_t *envelope = NULL;
	if (dl_order_to_body(world->order, &body, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(dl_envelope_sign(key, DL_TYPE_ORDER, body, &envelope, NULL), 0);
	return envelope;
}

void world_read_claim(const struct world *world, const json_t *claim, struct dl_ticket *ret)
{
	char agent_key[DL_PUBLIC_KEY_TEXT_SIZE];
	const char *body, *plan_id, *sha256, *nonce;
	dl_autojson *json = NULL;
	dl_signing_key_public(world->identity->key, agent_key);
	assert_int_equal(dl_envelope_verify(claim, DL_TYPE_CLAIM, agent_key, 4096, &body, NULL), 0);
	assert_int_equal(dl_json_parse(body, strlen(body), 4096, &json, NULL), 0);
	assert_int_equal(dl_json_hex(json, "plan_id", 16, &plan_id, NULL), 0);
	assert_int_equal(dl_json_hex(json, "order_sha256", 32, &sha256, NULL), 0);
	assert_int_equal(dl_json_hex(json, "nonce", 16, &nonce, NULL), 0);
	*ret = (struct dl_ticket){ .server_time = dl_time_now_ms(), .start_within_ms = 60000,
				   .verdict = DL_VERDICT_GO };
	memcpy(ret->plan_id, plan_id, sizeof(ret->plan_id));
	memcpy(ret->order_sha256, sha256, sizeof(ret->order_sha256));
	memcpy(ret->nonce, nonce, sizeof(ret->nonce));
}

json_t *world_sign_ticket(const struct world *world, const struct dl_ticket *ticket)
{
	json_t *envelope = NULL;
	dl_autofree char *body = dl_ticket_to_body(ticket);
	assert_int_equal(dl_envelope_sign(world->server, DL_TYPE_TICKET, body, &envelope, NULL), 0);
	return envelope;
}

json_t *world_answer(const struct world *world, const json_t *claim, enum dl_verdict verdict)
{
	struct dl_ticket ticket;
	world_read_claim(world, claim, &ticket);
	ticket.verdict = verdict;
	return world_sign_ticket(world, &ticket);
}

int world_plan_state(const struct world *world)
{
	dl_autoplan plan = { 0 };
	if (dl_journal_plan(world->journal, world->order->plan_id, &plan, NULL) < 0)
		return -1;
	return (int)plan.state;
}
