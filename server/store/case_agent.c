/* Agents: how a host enters, who it is, and what waits for it. */
#include "server/store/agent.h"

#include "core/base/bytes.h"
#include "core/crypto/random.h"
#include "core/wire/envelope.h"

#include <stdio.h>
#include <string.h>

enum {
	STATEMENT_MAX_BYTES = 16 * 1024,
	VERSION_MAX_BYTES = 128,
	BOOT_ID_MAX_BYTES = 128,
	HELD_MAX = 1000,
	ORDERS_PER_POLL = 8,
	CONTACT_EVERY_MS = 60 * 1000,
	/* A host that was asked for a survey is asked again when none came. */
	SURVEY_AGAIN_MS = 120 * 1000,
};

/* ---- enrolment ---- */

struct statement {
	const char *body; /* borrowed from the request */
	json_t *fields;   /* owned */
	const char *public_key, *machine_hash, *hostname, *os, *version; /* borrowed from fields */
};

static void statement_clear(struct statement *statement)
{
	json_decref(statement->fields);
}

static int read_statement(struct statement *statement, struct dl_error *err)
{
	static const char *const members[] = { "version", "public_key", "machine_hash", "hostname",
					       "os", "agent_version", "nonce", NULL };
	const json_t *fields = statement->fields;
	const char *nonce = NULL;
	int64_t version = 0;
	int r = dl_json_only(fields, members, err);
	if (r == 0)
		r = dl_json_int(fields, "version", 1, 1, &version, err);
	if (r == 0)
		r = dl_json_hex(fields, "public_key", DL_PUBLIC_KEY_SIZE, &statement->public_key, err);
	if (r == 0)
		r = dl_json_hex(fields, "machine_hash", DL_SHA256_SIZE, &statement->machine_hash, err);
	if (r == 0)
		r = dl_json_str(fields, "hostname", DL_STORE_NAME_MAX_BYTES * 3, &statement->hostname,
				err);
	if (r == 0)
		r = dl_json_str(fields, "os", DL_STORE_NAME_MAX_BYTES * 3, &statement->os, err);
	if (r == 0)
		r = dl_json_str(fields, "agent_version", VERSION_MAX_BYTES, &statement->version, err);
	if (r == 0)
		r = dl_json_str(fields, "nonce", DL_STORE_NAME_MAX_BYTES, &nonce, err);
	return r;
}

/* The statement names the key that signs it, so its body is read once before
 * the signature is known to hold; nothing of it is used until then. */
static int open_statement(const json_t *envelope, struct statement *statement,
			  struct dl_error *err)
{
	const char *body = json_string_value(json_object_get(envelope, "body"));
	if (!body)
		return dl_error_set(err, DL_E_INVALID, "the statement is not an envelope");
	int r = dl_json_parse(body, strlen(body), STATEMENT_MAX_BYTES, &statement->fields, err);
	if (r == 0)
		r = read_statement(statement, err);
	if (r == 0)
		r = dl_envelope_verify(envelope, DL_TYPE_ENROL, statement->public_key,
				       STATEMENT_MAX_BYTES, &statement->body, err);
	return r;
}

/* Takes the same time wherever the two first differ. */
static bool same_secret(const char *a, const char *b, size_t size)
{
	unsigned int difference = 0;
	for (size_t i = 0; i < size; i++)
		difference |= (unsigned int)(a[i] ^ b[i]);
	return difference == 0;
}

static bool proof_holds(const char *secret, const char *body, const char *proof)
{
	uint8_t digest[DL_SHA256_SIZE];
	char expected[DL_SHA256_TEXT_SIZE];
	dl_auto(dl_sha256) hash = dl_sha256_new();
	dl_sha256_add(hash, secret, strlen(secret));
	dl_sha256_add(hash, ":", 1);
	dl_sha256_add(hash, body, strlen(body));
	dl_sha256_finish(hash, digest);
	dl_hex_encode(digest, sizeof(digest), expected);
	return same_secret(expected, proof, DL_SHA256_TEXT_SIZE - 1);
}

/* Uses up one place of the key. Which of the conditions failed is not told. */
static int use_key(struct dl_tx *tx, const json_t *body, const struct statement *statement,
		   int64_t *ret_organization, struct dl_error *err)
{
	const char *key_id = NULL, *proof = NULL;
	int r = dl_json_hex(body, "key_id", 16, &key_id, err);
	if (r == 0)
		r = dl_json_hex(body, "proof", DL_SHA256_SIZE, &proof, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE enrol_key SET hosts_used = hosts_used + 1 WHERE id = :id AND revoked = 0 "
		"AND expires > :now AND hosts_used < host_limit RETURNING organization_id, secret");
	dl_query_text(query, "id", key_id);
	dl_query_int(query, "now", tx->now);
	r = dl_query_step(query, err);
	if (r < 0)
		return r;
	if (r == 0 || !proof_holds(dl_row_text(query, "secret"), statement->body, proof))
		return dl_error_set(err, DL_E_DENIED, "the enrolment was refused: unknown, expired "
						      "or used up key, or wrong proof");
	*ret_organization = dl_row_int(query, "organization_id");
	return 0;
}

static int agent_insert(struct dl_tx *tx, const struct statement *statement, int64_t organization,
			const char *token, int64_t *ret_agent, struct dl_error *err)
{
	char key_id[DL_KEY_ID_TEXT_SIZE], token_hash[DL_SHA256_TEXT_SIZE];
	int r = dl_key_id(statement->public_key, key_id, err);
	if (r < 0)
		return r;
	dl_sha256_text(token, strlen(token), token_hash);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO agent (organization_id, public_key, key_id, token_hash, machine_hash, "
		"hostname, os, version, enrolled) VALUES (:organization, :public_key, :key_id, "
		":token_hash, :machine, :hostname, :os, :version, :now) RETURNING id");
	dl_query_int(query, "organization", organization);
	dl_query_text(query, "public_key", statement->public_key);
	dl_query_text(query, "key_id", key_id);
	dl_query_text(query, "token_hash", token_hash);
	dl_query_text(query, "machine", statement->machine_hash);
	dl_query_text(query, "hostname", statement->hostname);
	dl_query_text(query, "os", statement->os);
	dl_query_text(query, "version", statement->version);
	dl_query_int(query, "now", tx->now);
	r = dl_query_one(query, "agent", err);
	if (r == DL_E_EXISTS)
		return dl_error_set(err, DL_E_DENIED, "this agent key is enrolled already");
	if (r == 0)
		*ret_agent = dl_row_int(query, "id");
	return r;
}

static int enrol_view(struct dl_tx *tx, int64_t agent, int64_t organization, const char *token,
		      json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "SELECT name FROM organization WHERE id = :id");
	dl_query_int(query, "id", organization);
	int r = dl_query_one(query, "organization", err);
	if (r == 0)
		*ret_view = json_pack("{s:I,s:I,s:s,s:s,s:s}", "agent_id", (json_int_t)agent,
				      "organization_id", (json_int_t)organization, "organization",
				      dl_row_text(query, "name"), "token", token, "root_key",
				      tx->options->root_key);
	return r;
}

static int settle_machine(struct dl_tx *tx, int64_t id, const char *statement,
			  const json_t *earlier, struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	int r = dl_agent_load(tx, id, &agent, err);
	return r < 0 ? r : dl_machine_settle(tx, &agent, statement, earlier, err);
}

static int enrol(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	static const char *const members[] = { "key_id", "proof", "statement", "earlier", NULL };
	struct statement statement __attribute__((cleanup(statement_clear))) = { 0 };
	json_t *envelope = NULL;
	int64_t organization = 0, agent = 0;
	char token[DL_TOKEN_TEXT_SIZE];
	int r = dl_json_only(args, members, err);
	if (r == 0)
		r = dl_json_object(args, "statement", &envelope, err);
	if (r == 0)
		r = open_statement(envelope, &statement, err);
	if (r == 0)
		r = use_key(tx, args, &statement, &organization, err);
	if (r < 0)
		return r;
	dl_random_token(token);
	r = agent_insert(tx, &statement, organization, token, &agent, err);
	if (r == 0)
		r = dl_audit_agent(tx, "agent.enrolled", organization, agent, err);
	if (r == 0)
		r = settle_machine(tx, agent, statement.body, json_object_get(args, "earlier"), err);
	return r < 0 ? r : enrol_view(tx, agent, organization, token, ret_view, err);
}

/* ---- identity ---- */

static int authenticate(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			struct dl_error *err)
{
	const char *hash = NULL;
	int r = dl_json_hex(args, "token_hash", DL_SHA256_SIZE, &hash, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT id, organization_id FROM agent WHERE token_hash = :hash AND revoked = 0");
	dl_query_text(query, "hash", hash);
	r = dl_query_one(query, "agent", err);
	if (r == 0)
		*ret_view = json_pack("{s:I,s:I}", "agent_id", (json_int_t)dl_row_int(query, "id"),
				      "organization_id",
				      (json_int_t)dl_row_int(query, "organization_id"));
	return r;
}

void dl_agent_clear(struct dl_agent *agent)
{
	free(agent->public_key);
	free(agent->key_id);
	free(agent->hostname);
	free(agent->machine_hash);
}

int dl_agent_load(struct dl_tx *tx, int64_t id, struct dl_agent *ret_agent, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "SELECT * FROM agent WHERE id = :id");
	dl_query_int(query, "id", id);
	int r = dl_query_one(query, "host", err);
	if (r < 0)
		return r;
	*ret_agent = (struct dl_agent){
		.id = id,
		.organization = dl_row_int(query, "organization_id"),
		.public_key = dl_strdup(dl_row_text(query, "public_key")),
		.key_id = dl_strdup(dl_row_text(query, "key_id")),
		.hostname = dl_strdup(dl_row_text(query, "hostname")),
		.machine_hash = dl_strdup(dl_row_text(query, "machine_hash")),
		.last_seq = dl_row_int(query, "last_seq"),
		.last_contact = dl_row_int(query, "last_contact"),
		.survey_requested = dl_row_int(query, "survey_requested"),
		.survey_delivered = dl_row_int(query, "survey_delivered"),
		.intake_since = dl_row_int(query, "intake_since"),
		.intake_bytes = dl_row_int(query, "intake_bytes"),
		.revoked = dl_row_int(query, "revoked"),
		.forked = dl_row_int(query, "forked"),
		.unconfirmed = dl_row_int(query, "unconfirmed"),
	};
	return 0;
}

int dl_agent_load_actor(struct dl_tx *tx, struct dl_agent *ret_agent, struct dl_error *err)
{
	if (tx->actor_kind != DL_ACTOR_AGENT)
		return dl_error_set(err, DL_E_DENIED, "this is for agents");
	int r = dl_agent_load(tx, tx->actor_id, ret_agent, err);
	if (r == 0 && ret_agent->revoked) {
		dl_agent_clear(ret_agent);
		*ret_agent = (struct dl_agent){ 0 };
		return dl_error_set(err, DL_E_DENIED, "this agent was revoked");
	}
	return r;
}

int dl_audit_agent(struct dl_tx *tx, const char *action, int64_t organization, int64_t agent,
		   struct dl_error *err)
{
	char object[64];
	snprintf(object, sizeof(object), "host %lld", (long long)agent);
	return dl_audit_write(tx, &(struct dl_audit_event){ .action = action, .object = object,
							    .organization = organization }, err);
}

/* ---- poll ---- */

struct poll {
	const char *boot_id, *version;
	json_t *held;
};

static int read_poll(const json_t *body, struct poll *poll, struct dl_error *err)
{
	static const char *const members[] = { "boot_id", "version", "last_seq", "held", NULL };
	int64_t last_seq = 0;
	int r = dl_json_only(body, members, err);
	if (r == 0)
		r = dl_json_str(body, "boot_id", BOOT_ID_MAX_BYTES, &poll->boot_id, err);
	if (r == 0)
		r = dl_json_str(body, "version", VERSION_MAX_BYTES, &poll->version, err);
	if (r == 0)
		r = dl_json_int(body, "last_seq", 0, INT64_MAX, &last_seq, err);
	if (r == 0)
		r = dl_json_array(body, "held", HELD_MAX, &poll->held, err);
	return r;
}

static bool holds(const json_t *held, const char *plan_id)
{
	size_t i;
	json_t *id;
	json_array_foreach(held, i, id) {
		if (json_is_string(id) && strcmp(json_string_value(id), plan_id) == 0)
			return true;
	}
	return false;
}

/* Queued orders the agent does not hold yet, oldest first. A forked or an
 * unconfirmed agent is shown none: it could not claim them. */
static int waiting_orders(struct dl_tx *tx, const struct dl_agent *agent, const json_t *held,
			  json_t *orders, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT plan_id, envelope FROM plan_order WHERE agent_id = :agent "
		"AND state = 'queued' AND not_after > :now ORDER BY created, plan_id");
	dl_query_int(query, "agent", agent->id);
	dl_query_int(query, "now", tx->now);
	int r = 0;
	while (!agent->forked && !agent->unconfirmed && json_array_size(orders) < ORDERS_PER_POLL &&
	       (r = dl_query_step(query, err)) > 0) {
		if (holds(held, dl_row_text(query, "plan_id")))
			continue;
		json_t *envelope = json_loads(dl_row_text(query, "envelope"), 0, NULL);
		json_array_append_new(orders, json_pack("{s:o,s:o}", "key", dl_tx_key_cert(tx),
							"order", envelope));
	}
	return r < 0 ? r : 0;
}

static const struct dl_case case_contact;

static int poll_agent(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		      struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	struct poll poll = { 0 };
	dl_autojson *orders = json_array();
	int r = read_poll(args, &poll, err);
	if (r == 0)
		r = dl_agent_load_actor(tx, &agent, err);
	if (r == 0)
		r = waiting_orders(tx, &agent, poll.held, orders, err);
	if (r < 0)
		return r;
	bool survey = agent.survey_requested &&
		      (agent.survey_delivered < agent.survey_requested ||
		       tx->now - agent.survey_delivered > SURVEY_AGAIN_MS);
	if (survey || tx->now - agent.last_contact > CONTACT_EVERY_MS) {
		tx->follow = &case_contact;
		tx->follow_args = json_pack("{s:s,s:s,s:b}", "boot_id", poll.boot_id, "version",
					    poll.version, "survey", survey);
	}
	*ret_view = json_pack("{s:O,s:b,s:I}", "orders", orders, "survey", survey, "acked_through",
			      (json_int_t)agent.last_seq);
	return 0;
}

/* What a poll leaves behind; nobody waits for it. */
static int contact(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	(void)ret_view;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent SET last_contact = :now, boot_id = :boot_id, version = :version, "
		"survey_delivered = CASE WHEN :survey = 1 THEN :now ELSE survey_delivered END "
		"WHERE id = :id");
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "boot_id", json_string_value(json_object_get(args, "boot_id")));
	dl_query_text(query, "version", json_string_value(json_object_get(args, "version")));
	dl_query_int(query, "survey", dl_arg_bool(args, "survey"));
	dl_query_int(query, "id", tx->actor_id);
	return dl_query_run(query, err);
}

/* ---- the face ---- */

static const struct dl_case case_enrol = { "enrol", .writes = true, .run = enrol };
static const struct dl_case case_authenticate = { "agent authenticate", .run = authenticate };
static const struct dl_case case_poll = { "agent poll", .run = poll_agent };
static const struct dl_case case_contact = { "agent contact", .writes = true, .run = contact };

void dl_store_enrol(struct dl_store *store, const struct dl_actor *actor, const json_t *body,
		    dl_store_done done, void *arg)
{
	dl_store_call(store, &case_enrol, actor, json_deep_copy(body), done, arg);
}

void dl_store_agent_authenticate(struct dl_store *store, const char *token_hash,
				 dl_store_done done, void *arg)
{
	struct dl_actor system = { .kind = DL_ACTOR_SYSTEM };
	dl_store_call(store, &case_authenticate, &system,
		      json_pack("{s:s?}", "token_hash", token_hash), done, arg);
}

void dl_store_agent_poll(struct dl_store *store, const struct dl_actor *actor, const json_t *body,
			 dl_store_done done, void *arg)
{
	dl_store_call(store, &case_poll, actor, json_deep_copy(body), done, arg);
}
