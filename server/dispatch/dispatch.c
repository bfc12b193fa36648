#include "server/dispatch/dispatch.h"

#include "core/base/time.h"

/* An agent that polled since the process began. Entries stay: there are no
 * more of them than enrolled agents. */
struct presence {
	int64_t agent; /* 0: unused */
	uint64_t poll; /* newest request under way; 0: none */
	int64_t ended; /* monotonic ms of the last answer; 0: left or never */
	bool due;      /* something came since the newest poll began */
};

struct dl_dispatch {
	struct dl_http *http;
	struct presence *table; /* open addressing, at most half full */
	size_t size, used;
};

struct dl_dispatch *dl_dispatch_new(struct dl_http *http)
{
	struct dl_dispatch *dispatch = DL_NEW(struct dl_dispatch);

	dispatch->http = http;
	dispatch->size = 64;
	dispatch->table = dl_alloc(dispatch->size, sizeof(*dispatch->table));
	return dispatch;
}

void dl_dispatch_free(struct dl_dispatch *dispatch)
{
	if (!dispatch)
		return;
	free(dispatch->table);
	free(dispatch);
}

/* The agent's place, or the unused one where it belongs. Ids count up, so
 * they spread by themselves. */
static struct presence *table_place(struct presence *table, size_t size, int64_t agent)
{
	size_t place = (size_t)agent % size;

	while (table[place].agent && table[place].agent != agent)
		place = (place + 1) % size;
	return &table[place];
}

static void dispatch_grow(struct dl_dispatch *dispatch)
{
	size_t size = 2 * dispatch->size;
	struct presence *table = dl_alloc(size, sizeof(*table));

	for (size_t i = 0; i < dispatch->size; i++)
		if (dispatch->table[i].agent)
			*table_place(table, size, dispatch->table[i].agent) = dispatch->table[i];
	free(dispatch->table);
	dispatch->table = table;
	dispatch->size = size;
}

static struct presence *dispatch_presence(struct dl_dispatch *dispatch, int64_t agent)
{
	struct presence *presence = table_place(dispatch->table, dispatch->size, agent);

	if (presence->agent)
		return presence;
	if (2 * ++dispatch->used > dispatch->size) {
		dispatch_grow(dispatch);
		presence = table_place(dispatch->table, dispatch->size, agent);
	}
	presence->agent = agent;
	return presence;
}

void dl_dispatch_begin(struct dl_dispatch *dispatch, int64_t agent, uint64_t request)
{
	struct presence *presence = dispatch_presence(dispatch, agent);
	uint64_t older = presence->poll;

	presence->poll = request;
	presence->due = false;
	if (older && older != request)
		dl_request_wake(dispatch->http, older);
}

bool dl_dispatch_may_park(struct dl_dispatch *dispatch, int64_t agent)
{
	struct presence *presence = dispatch_presence(dispatch, agent);
	bool due = presence->due;

	presence->due = false;
	return !due;
}

bool dl_dispatch_is_newest(const struct dl_dispatch *dispatch, int64_t agent, uint64_t request)
{
	return table_place(dispatch->table, dispatch->size, agent)->poll == request;
}

void dl_dispatch_end(struct dl_dispatch *dispatch, int64_t agent, uint64_t request, bool left)
{
	struct presence *presence = dispatch_presence(dispatch, agent);

	if (presence->poll != request)
		return;
	presence->poll = 0;
	presence->ended = left ? 0 : dl_time_monotonic_ms();
}

void dl_dispatch_wake(struct dl_dispatch *dispatch, int64_t agent)
{
	struct presence *presence = dispatch_presence(dispatch, agent);

	presence->due = true;
	if (presence->poll)
		dl_request_wake(dispatch->http, presence->poll);
}

bool dl_dispatch_is_online(const struct dl_dispatch *dispatch, int64_t agent)
{
	const struct presence *presence = table_place(dispatch->table, dispatch->size, agent);

	if (!presence->agent)
		return false;
	if (presence->poll)
		return true;
	return presence->ended && dl_time_monotonic_ms() - presence->ended < DL_DISPATCH_GRACE_MS;
}
