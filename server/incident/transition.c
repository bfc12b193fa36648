#include "server/incident/transition.h"

#include "core/base/mem.h"

#include <string.h>

struct transition {
	const char *from, *to;
};

static const struct transition incident_moves[] = {
	{ "draft", "open" },     /* sent */
	{ "open", "resolved" },  /* proof */
	{ "resolved", "open" },  /* a foothold returned; an undo */
	{ "draft", "closed" },
	{ "open", "closed" },
};

static const struct transition revision_moves[] = {
	{ "draft", "sent" },
	{ "sent", "approved" },
	{ "sent", "rejected" },
	{ "sent", "superseded" },
	{ "approved", "superseded" },
	{ "rejected", "superseded" },
	{ "approved", "sent" }, /* its order ended before it started */
};

static const struct transition order_moves[] = {
	{ "queued", "claimed" },
	{ "queued", "cancelled" },
	{ "queued", "expired" },
	{ "queued", "refused" },
	{ "claimed", "refused" }, /* refused by the host after the claim, before any step */
	{ "claimed", "finished" },
};

static int move(const char *what, const struct transition *moves, size_t count, const char *from,
		const char *to, struct dl_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(moves[i].from, from) == 0 && strcmp(moves[i].to, to) == 0)
			return 0;
	return dl_error_set(err, DL_E_STATE, "the %s is %s and cannot become %s", what, from, to);
}

int dl_incident_move(const char *from, const char *to, struct dl_error *err)
{
	return move("incident", incident_moves, DL_COUNT(incident_moves), from, to, err);
}

int dl_revision_move(const char *from, const char *to, struct dl_error *err)
{
	return move("revision", revision_moves, DL_COUNT(revision_moves), from, to, err);
}

int dl_order_move(const char *from, const char *to, struct dl_error *err)
{
	return move("order", order_moves, DL_COUNT(order_moves), from, to, err);
}
