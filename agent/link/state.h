/* The inside of link, shared by its three files: link.c turns, local.c speaks
 * with the executor, remote.c with the server. Times are monotonic ms. */
#ifndef DL_AGENT_LINK_STATE_H
#define DL_AGENT_LINK_STATE_H

#include "agent/link/backoff.h"
#include "agent/link/call.h"
#include "agent/link/link.h"
#include "agent/platform/channel.h"

enum { DL_LINK_ASKED_MAX = 64 };

/* What a request to the executor was, so that its answer finds its way; the
 * executor answers in order. */
enum dl_link_ask { DL_ASK_STATUS, DL_ASK_ORDER, DL_ASK_TICKET, DL_ASK_SURVEY, DL_ASK_OUTBOX,
		   DL_ASK_ACKED };

/* Something done again and again: when next, and how patiently after failures. */
struct dl_link_errand {
	bool busy;    /* under way */
	bool wanted;
	int64_t at;   /* not before */
	struct dl_backoff backoff;
};

struct dl_link {
	const struct dl_link_options *options;
	struct dl_caller *caller;

	struct dl_channel *executor; /* NULL while it is away */
	enum dl_link_ask asked[DL_LINK_ASKED_MAX]; /* a ring, oldest at `asked_first` */
	size_t asked_first, asked_count;

	struct dl_link_errand connect, poll, claims, records;
	bool status_asked;
	size_t claims_open; /* calls in flight */
	int64_t poll_started;
	bool posting;        /* records are on their way to the server */
	int64_t acked;       /* what the executor was told since it was reached */
};

void dl_link_say(const struct dl_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Counts a failure and sets when to try again; says it, but not the same words at every try. */
void dl_link_failed(struct dl_link *link, struct dl_link_errand *errand, const char *what,
		    const struct dl_error *error);
void dl_link_succeeded(struct dl_link_errand *errand);
bool dl_link_due(const struct dl_link_errand *errand);

/* ---- local.c ---- */

/* Connects when the executor is away and it is time. */
void dl_link_reach_executor(struct dl_link *link);
/* Sends a request (a reference is taken over) and notes what its answer will be about. */
void dl_link_ask_executor(struct dl_link *link, enum dl_link_ask ask, json_t *request);
/* Takes everything the executor has said. */
void dl_link_hear_executor(struct dl_link *link);

/* ---- remote.c ---- */

/* Starts a long poll with what the executor's status says. */
void dl_link_poll(struct dl_link *link, const json_t *status);
void dl_link_claim(struct dl_link *link, const json_t *claim);
void dl_link_send_records(struct dl_link *link, const json_t *answer);

#endif
