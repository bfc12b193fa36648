/* Hosts and what their surveys show. */
#include "server/store/agent.h"
#include "server/store/view.h"

/* The host, if the actor may see it and holds one of the roles there. */
static int require_host(struct dl_tx *tx, int64_t host, unsigned int roles, struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	int r = dl_agent_load(tx, host, &agent, err);
	return r < 0 ? r : dl_tx_require(tx, agent.organization, roles, "host", err);
}

static int host_list(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	return dl_view_host_list(tx, dl_arg_id(args, "organization"), dl_arg_page(args), ret_view,
				 err);
}

static int host_get(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	int64_t host = dl_arg_id(args, "host");
	int r = require_host(tx, host, DL_ROLE_ANY, err);
	return r < 0 ? r : dl_view_host(tx, host, ret_view, err);
}

static int host_footholds(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	int64_t host = dl_arg_id(args, "host");
	int r = require_host(tx, host, DL_ROLE_ANY, err);
	if (r < 0)
		return r;
	return dl_view_foothold_list(tx, host, dl_arg_bool(args, "with_gone"), dl_arg_page(args),
				     ret_view, err);
}

static int survey_request(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	int64_t host = dl_arg_id(args, "host");
	int r = require_host(tx, host, DL_ROLE_ADMINISTRATOR | DL_ROLE_ANALYST | DL_ROLE_TECHNICIAN,
			     err);
	if (r == 0)
		r = dl_agent_load(tx, host, &agent, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent SET survey_requested = :now, survey_delivered = NULL WHERE id = :host");
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "host", host);
	r = dl_query_run(query, err);
	if (r == 0)
		r = dl_audit_agent(tx, "survey.requested", agent.organization, host, err);
	if (r < 0)
		return r;
	tx->wake = host;
	return dl_view_host(tx, host, ret_view, err);
}

static const struct dl_case case_list = { "host list", .shows_hosts = true, .run = host_list };
static const struct dl_case case_get = { "host get", .shows_hosts = true, .run = host_get };
static const struct dl_case case_footholds = { "host footholds", .run = host_footholds };
static const struct dl_case case_request = { "survey request", .writes = true,
					     .shows_hosts = true, .run = survey_request };

void dl_store_host_list(struct dl_store *store, const struct dl_actor *actor, int64_t organization,
			struct dl_page page, dl_store_done done, void *arg)
{
	json_t *args = dl_page_args(page);
	json_object_set_new(args, "organization", json_integer(organization));
	dl_store_call(store, &case_list, actor, args, done, arg);
}

void dl_store_host_get(struct dl_store *store, const struct dl_actor *actor, int64_t host,
		       dl_store_done done, void *arg)
{
	dl_store_call(store, &case_get, actor, json_pack("{s:I}", "host", (json_int_t)host), done,
		      arg);
}

void dl_store_host_footholds(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     bool with_gone, struct dl_page page, dl_store_done done, void *arg)
{
	json_t *args = dl_page_args(page);
	json_object_set_new(args, "host", json_integer(host));
	json_object_set_new(args, "with_gone", json_boolean(with_gone));
	dl_store_call(store, &case_footholds, actor, args, done, arg);
}

void dl_store_survey_request(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     dl_store_done done, void *arg)
{
	dl_store_call(store, &case_request, actor, json_pack("{s:I}", "host", (json_int_t)host),
		      done, arg);
}
