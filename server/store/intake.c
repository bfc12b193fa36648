#include "server/store/intake.h"

static const int64_t hour_ms = INT64_C(3600) * 1000;

/* A clock that was set back begins a new hour too: it must not block for longer. */
static bool hour_is_over(const struct dl_tx *tx, const struct dl_agent *agent)
{
	return tx->now < agent->intake_since || tx->now - agent->intake_since >= hour_ms;
}

bool dl_intake_spent(const struct dl_tx *tx, const struct dl_agent *agent)
{
	return !hour_is_over(tx, agent) && agent->intake_bytes >= DL_INTAKE_HOUR_BYTES;
}

int dl_intake_add(struct dl_tx *tx, struct dl_agent *agent, int64_t bytes, struct dl_error *err)
{
	if (hour_is_over(tx, agent)) {
		agent->intake_since = tx->now;
		agent->intake_bytes = 0;
	}
	agent->intake_bytes += bytes;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE agent SET intake_since = :since, intake_bytes = :bytes WHERE id = :id");
	dl_query_int(query, "since", agent->intake_since);
	dl_query_int(query, "bytes", agent->intake_bytes);
	dl_query_int(query, "id", agent->id);
	return dl_query_run(query, err);
}
