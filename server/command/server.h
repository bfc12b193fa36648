/* The running server: everything joined. */
#ifndef DL_SERVER_COMMAND_SERVER_H
#define DL_SERVER_COMMAND_SERVER_H

#include "server/api/api.h"
#include "server/command/data.h"

struct dl_server_options {
	const char *folder;
	const char *portal;    /* address of portal and API */
	bool portal_tls;       /* with the certificate of the data folder */
	const char *agent;     /* address of the agent endpoint, always TLS */
	const char *agent_url; /* what enrolment keys say; NULL: from certificate and port */
};

struct dl_server;

/* Opens the data and the store, and listens. */
int dl_server_new(const struct dl_server_options *options, struct dl_server **ret_server,
		  struct dl_error *err);
/* Until SIGTERM. */
int dl_server_run(struct dl_server *server, struct dl_error *err);
void dl_server_free(struct dl_server *server);
DL_DEFINE_AUTO(dl_server, dl_server_free)

/* All routes of both listeners, as dl_router_to_json has them. */
json_t *dl_server_routes(void);

#endif
