/* From a request's body and query to the store's arguments, and from the
 * store's view to the reply. Shared by the handlers of server/api. */
#ifndef DL_SERVER_API_ANSWER_H
#define DL_SERVER_API_ANSWER_H

#include "core/json/json.h"
#include "server/auth/caller.h"

/* Replies with the failure and returns true when `result` is negative. */
bool dl_answer_failed(struct dl_request *request, int result, const struct dl_error *err);

/* The body as an object with no members but `names`; an empty body counts as {}. */
int dl_answer_body(struct dl_request *request, const char *const *names, json_t **ret_body,
		   struct dl_error *err);

/* A number of the query, 0 … max; untouched when absent. */
int dl_answer_query_number(struct dl_request *request, const char *name, int64_t max,
			   int64_t *ret, struct dl_error *err);
int dl_answer_page(struct dl_request *request, struct dl_page *ret, struct dl_error *err);

const struct dl_actor *dl_answer_actor(const struct dl_request *request);

void dl_answer_json(struct dl_request *request, int status, const json_t *json);

/* `dl_store_x(…, dl_answer_view, dl_answer_later(request))`: the view is the
 * reply, if the client is still there. */
void *dl_answer_later(struct dl_request *request);
void dl_answer_view(void *later, int result, json_t *view, const struct dl_error *err);
/* The same, but the reply is {}. */
void dl_answer_nothing(void *later, int result, json_t *view, const struct dl_error *err);

#endif
