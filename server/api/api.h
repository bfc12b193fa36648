/* The JSON API (docs/api.md) and the agent endpoint (docs/protocol.md), as
 * tables of routes over the store's use cases. */
#ifndef DL_SERVER_API_API_H
#define DL_SERVER_API_API_H

#include "server/auth/enrol_file.h"
#include "server/auth/session.h"
#include "server/dispatch/dispatch.h"

/* Everything is borrowed and outlives the loop. */
struct dl_api {
	struct dl_http *http;
	struct dl_store *store;
	struct dl_sessions *sessions;
	struct dl_dispatch *dispatch;
	struct dl_throttle *enrolments;
	struct dl_enrol_server enrol_server;
};

/* Tables whose handlers get the struct dl_api as `app`. The caller keeps the table. */
struct dl_route_table dl_api_table(struct dl_api *api);
struct dl_route_table dl_agent_table(struct dl_api *api);

enum {
	DL_API_BODY_MAX_BYTES = 256 * 1024,
	DL_AGENT_BODY_MAX_BYTES = 64 * 1024,
	DL_AGENT_RECORDS_MAX_BYTES = 8 * 1024 * 1024,
	DL_AGENT_POLL_MS = 50 * 1000, /* and up to DL_AGENT_POLL_JITTER_MS more */
	DL_AGENT_POLL_JITTER_MS = 5 * 1000,
};

#endif
