/* Views: how one thing looks to whoever may see it (docs/api.md), shared by the
 * cases that answer with it. Each looks up what it shows in the transaction it
 * is given and checks nothing: the case has asked for authority before.
 */
#ifndef DL_SERVER_STORE_VIEW_H
#define DL_SERVER_STORE_VIEW_H

#include "core/plan/plan.h"
#include "server/store/tx.h"

int dl_view_user(struct dl_tx *tx, int64_t user, json_t **ret_view, struct dl_error *err);

/* Array of the organizations the actor sees. */
int dl_view_organizations(struct dl_tx *tx, json_t **ret_items, struct dl_error *err);

int dl_view_host(struct dl_tx *tx, int64_t agent, json_t **ret_view, struct dl_error *err);

int dl_view_host_list(struct dl_tx *tx, int64_t organization, struct dl_page page,
		      json_t **ret_view, struct dl_error *err);

int dl_view_foothold_list(struct dl_tx *tx, int64_t agent, bool with_gone, struct dl_page page,
			  json_t **ret_view, struct dl_error *err);
/* The foothold by its key on one host; NOT_FOUND when no survey ever saw it. */
int dl_view_foothold(struct dl_tx *tx, int64_t agent, const char *key, json_t **ret_view,
		     struct dl_error *err);

/* A plan that belongs to no revision yet. */
int dl_view_plan(struct dl_tx *tx, int64_t agent, const struct dl_plan *plan, json_t **ret_view,
		 struct dl_error *err);

/* revision_no 0: the draft for an analyst, else the one last sent. */
int dl_view_incident(struct dl_tx *tx, int64_t incident, int64_t revision_no, json_t **ret_view,
		     struct dl_error *err);

#endif
