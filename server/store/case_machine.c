/* Machines: which agent a machine's is, when more than one enrolled as it. */
#include "core/wire/envelope.h"
#include "server/store/agent.h"
#include "server/store/view.h"

#include <string.h>

enum { STATEMENT_MAX_BYTES = 16 * 1024 };

#define OTHERS                                                                                     \
	"organization_id = :organization AND machine_hash = :machine AND id <> :id AND revoked = 0"

static struct dl_query *others_query(struct dl_tx *tx, const char *sql,
				     const struct dl_agent *agent)
{
	struct dl_query *query = dl_query_new(tx->db, sql);
	dl_query_int(query, "organization", agent->organization);
	dl_query_text(query, "machine", agent->machine_hash);
	dl_query_int(query, "id", agent->id);
	return query;
}

static int set_unconfirmed(struct dl_tx *tx, int64_t agent, bool unconfirmed,
			   struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent SET unconfirmed = :unconfirmed WHERE id = :id");
	dl_query_int(query, "unconfirmed", unconfirmed);
	dl_query_int(query, "id", agent);
	return dl_query_run(query, err);
}

static int revoke(struct dl_tx *tx, int64_t organization, int64_t agent, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "UPDATE agent SET revoked = 1 WHERE id = :id");
	dl_query_int(query, "id", agent);
	int r = dl_query_run(query, err);
	return r < 0 ? r : dl_audit_agent(tx, "agent.revoked", organization, agent, err);
}

/* ---- enrolling again ---- */

/* Whose place the new agent takes: the other that signed its statement too. */
static int find_predecessor(struct dl_tx *tx, const struct dl_agent *agent, const char *statement,
			    const json_t *earlier, int64_t *ret_id, bool *ret_unconfirmed,
			    struct dl_error *err)
{
	dl_auto(dl_query) query = others_query(tx,
		"SELECT id, public_key, unconfirmed FROM agent WHERE " OTHERS, agent);
	const char *body = NULL;
	int r;
	*ret_id = 0;
	while (earlier && (r = dl_query_step(query, err)) != 0) {
		if (r < 0)
			return r;
		if (dl_envelope_verify(earlier, DL_TYPE_ENROL, dl_row_text(query, "public_key"),
				       STATEMENT_MAX_BYTES, &body, NULL) < 0 ||
		    strcmp(body, statement) != 0)
			continue;
		*ret_id = dl_row_int(query, "id");
		*ret_unconfirmed = dl_row_int(query, "unconfirmed");
		return 0;
	}
	return 0;
}

/* 1: there are others, and each is told of. */
static int contest(struct dl_tx *tx, const struct dl_agent *agent, struct dl_error *err)
{
	dl_auto(dl_query) query = others_query(tx, "SELECT id FROM agent WHERE " OTHERS, agent);
	int r, found = 0;
	while ((r = dl_query_step(query, err)) > 0) {
		found = 1;
		r = dl_audit_agent(tx, "agent.contested", agent->organization,
				   dl_row_int(query, "id"), err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : found;
}

int dl_machine_settle(struct dl_tx *tx, const struct dl_agent *agent, const char *statement,
		      const json_t *earlier, struct dl_error *err)
{
	int64_t predecessor = 0;
	bool unconfirmed = false;
	int r = find_predecessor(tx, agent, statement, earlier, &predecessor, &unconfirmed, err);
	if (r == 0 && predecessor)
		r = revoke(tx, agent->organization, predecessor, err);
	if (r < 0)
		return r;
	if (!predecessor) {
		r = contest(tx, agent, err);
		unconfirmed = r > 0;
	}
	return r < 0 ? r : set_unconfirmed(tx, agent->id, unconfirmed, err);
}

/* ---- an administrator decides ---- */

static int revoke_others(struct dl_tx *tx, const struct dl_agent *agent, struct dl_error *err)
{
	dl_auto(dl_query) query = others_query(tx, "SELECT id FROM agent WHERE " OTHERS, agent);
	int r, revoked = 0;
	while ((r = dl_query_step(query, err)) > 0) {
		r = revoke(tx, agent->organization, dl_row_int(query, "id"), err);
		if (r < 0)
			return r;
		revoked++;
	}
	if (r == 0 && !revoked && !agent->unconfirmed)
		return dl_error_set(err, DL_E_STATE, "no other host enrolled as this machine");
	return r;
}

static int confirm(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	int r = dl_agent_load(tx, dl_arg_id(args, "host"), &agent, err);
	if (r == 0)
		r = dl_tx_require(tx, agent.organization, DL_ROLE_ADMINISTRATOR, "host", err);
	if (r == 0 && agent.revoked)
		return dl_error_set(err, DL_E_STATE, "this host was revoked");
	if (r == 0)
		r = revoke_others(tx, &agent, err);
	if (r == 0)
		r = set_unconfirmed(tx, agent.id, false, err);
	if (r == 0)
		r = dl_audit_agent(tx, "agent.confirmed", agent.organization, agent.id, err);
	if (r < 0)
		return r;
	tx->wake = agent.id; /* its orders wait */
	return dl_view_host(tx, agent.id, ret_view, err);
}

static const struct dl_case case_confirm = { "host confirm", .writes = true, .shows_hosts = true,
					     .run = confirm };

void dl_store_host_confirm(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			   dl_store_done done, void *arg)
{
	dl_store_call(store, &case_confirm, actor, json_pack("{s:I}", "host", (json_int_t)host),
		      done, arg);
}
