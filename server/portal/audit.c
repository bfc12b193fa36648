/* Activity: who did what, when, on which revision; and whether the chain holds. */
#include "server/portal/details.h"
#include "server/portal/handler.h"
#include "server/portal/screen.h"

static void load_audit(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		       void *arg)
{
	struct dl_audit_filter filter = { 0 };
	dl_store_audit_list(screen->portal->store, dl_screen_actor(request), &filter,
			    dl_screen_page(request), done, arg);
}

static void load_verification(struct dl_screen *screen, struct dl_request *request,
			      dl_store_done done, void *arg)
{
	dl_store_audit_verify(screen->portal->store, dl_screen_actor(request), done, arg);
}

static void finish(struct dl_screen *screen, struct dl_request *request)
{
	dl_details_spell(json_object_get(json_object_get(screen->view, "audit"), "items"));
	dl_screen_next(screen, request, "audit");
	dl_screen_reply(screen, request, 200);
}

void dl_portal_audit(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = { { "audit", load_audit } };
	struct dl_screen *screen =
		dl_screen_new(request, app, dl_template_audit, "Activity", "audit");
	dl_screen_load(screen, loads, DL_COUNT(loads), finish);
}

void dl_portal_audit_verify(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = {
		{ "verification", load_verification }, { "audit", load_audit },
	};
	struct dl_screen *screen =
		dl_screen_new(request, app, dl_template_audit, "Activity", "audit");
	dl_screen_load(screen, loads, DL_COUNT(loads), finish);
}
