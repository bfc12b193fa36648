/* The portal: server-rendered pages over the store's use cases.
 *
 * Every page and every form works without scripts. GET changes nothing; what
 * a form asks for is answered with a redirect to the page that shows it.
 */
#ifndef DL_SERVER_PORTAL_PORTAL_H
#define DL_SERVER_PORTAL_PORTAL_H

#include "server/auth/session.h"
#include "server/http/router.h"

/* Everything is borrowed and outlives the loop. */
struct dl_portal {
	struct dl_store *store;
	struct dl_sessions *sessions;
};

enum {
	DL_PORTAL_FORM_MAX_BYTES = 256 * 1024,
	DL_PORTAL_SIGN_IN_MAX_BYTES = 8 * 1024,
};

/* Routes and errors below "/": add it after the tables with longer prefixes.
 * The handlers get the struct dl_portal as `app`. */
struct dl_route_table dl_portal_table(struct dl_portal *portal);

#endif
