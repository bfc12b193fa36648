/* Dispatch: which agents are here, and how to reach them.
 *
 * An agent is reached through its parked poll. What waits for it is in the
 * store; dispatch only knows which request to wake, on this server process.
 * Everything runs in the loop's thread.
 */
#ifndef DL_SERVER_DISPATCH_DISPATCH_H
#define DL_SERVER_DISPATCH_DISPATCH_H

#include "server/http/request.h"

/* Between two polls an agent still counts as online for so long. */
enum { DL_DISPATCH_GRACE_MS = 10 * 1000 };

struct dl_dispatch;

struct dl_dispatch *dl_dispatch_new(struct dl_http *http);
void dl_dispatch_free(struct dl_dispatch *dispatch);
DL_DEFINE_AUTO(dl_dispatch, dl_dispatch_free)

/* A poll came in; an older one of the same agent that is still parked is woken
 * and finds that it was replaced. */
void dl_dispatch_begin(struct dl_dispatch *dispatch, int64_t agent, uint64_t request);

/* Nothing waits in the store: may the poll be parked? False when something
 * came for the agent since dl_dispatch_begin: ask the store again. */
bool dl_dispatch_may_park(struct dl_dispatch *dispatch, int64_t agent);

/* Is this still the agent's newest poll? */
bool dl_dispatch_is_newest(const struct dl_dispatch *dispatch, int64_t agent, uint64_t request);

/* The poll was answered (`left` false) or its connection ended (true: the
 * agent counts as offline at once). */
void dl_dispatch_end(struct dl_dispatch *dispatch, int64_t agent, uint64_t request, bool left);

/* Something waits for the agent. */
void dl_dispatch_wake(struct dl_dispatch *dispatch, int64_t agent);

bool dl_dispatch_is_online(const struct dl_dispatch *dispatch, int64_t agent);

#endif
