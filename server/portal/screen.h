/* Screen: one page on its way from several views of the store to the browser.
 *
 * A handler makes a screen, names what to load, and returns. The loads run one
 * after the other; each view becomes a member of the page's own view. Then
 * `finish` adds what only the page needs, and replies. When the client has
 * gone meanwhile, or a load fails, the screen ends by itself.
 */
#ifndef DL_SERVER_PORTAL_SCREEN_H
#define DL_SERVER_PORTAL_SCREEN_H

#include "server/portal/portal-templates.h"
#include "server/portal/portal.h"

struct dl_screen {
	struct dl_portal *portal;
	json_t *view;               /* what the template shows; owned */
	void (*show)(struct dl_html *html);
	int64_t id;                 /* of the thing in the path, 0 for none */

	/* private to screen.c */
	struct dl_http *http;
	uint64_t request;
	const struct dl_load *loads;
	size_t load_count, loaded;
	void (*finish)(struct dl_screen *screen, struct dl_request *request);
};

struct dl_load {
	const char *member; /* of the page's view */
	/* Calls one use case of the store with this `done` and `arg`. */
	void (*start)(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg);
	/* Its failure does not end the page: the words become the member `problem`. */
	bool may_fail;
};

/* A page of a signed-in person; `section` is the part of the navigation. */
struct dl_screen *dl_screen_new(struct dl_request *request, struct dl_portal *portal,
				void (*show)(struct dl_html *html), const char *title,
				const char *section);

/* Consumes the screen; `loads` is static. `finish` ends in dl_screen_reply,
 * dl_screen_drop or another reply followed by dl_screen_drop. */
void dl_screen_load(struct dl_screen *screen, const struct dl_load *loads, size_t count,
		    void (*finish)(struct dl_screen *screen, struct dl_request *request));

/* Renders, replies and consumes the screen. */
void dl_screen_reply(struct dl_screen *screen, struct dl_request *request, int status);
void dl_screen_drop(struct dl_screen *screen);

/* The request this screen answers; NULL when the client has gone. */
struct dl_request *dl_screen_request(const struct dl_screen *screen);

/* The page's title, once it is known. */
void dl_screen_title(struct dl_screen *screen, const char *title);

/* The number in the path into screen->id; replies 404, consumes the screen and
 * returns false when there is none. */
bool dl_screen_take_id(struct dl_screen *screen, struct dl_request *request);

const struct dl_actor *dl_screen_actor(const struct dl_request *request);

/* The query's page; a broken cursor counts as none. */
struct dl_page dl_screen_page(struct dl_request *request);

/* The member `next` of the view: the address of this page with the list's
 * next cursor, when there is one. */
void dl_screen_next(struct dl_screen *screen, struct dl_request *request, const char *list);

void dl_screen_error(struct dl_request *request, int status, const char *code,
		     const char *message);
void dl_screen_ask_to_sign_in(struct dl_request *request);

/* What follows an act of the store: on success 303 to the printed path,
 * else the error's page. `dl_store_x(…, dl_screen_redirect, dl_screen_then(request, …))`. */
void *dl_screen_then(struct dl_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void dl_screen_redirect(void *then, int result, json_t *view, const struct dl_error *err);

#endif
