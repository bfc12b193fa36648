#include "agent/link/link.h"

#include "agent/link/state.h"
#include "core/base/time.h"

#include <stdarg.h>
#include <stdio.h>

enum { SAY_MAX = 1024, OUTBOX_BYTES = 4 * 1024 * 1024, IDLE_MS = 60 * 1000 };

static void link_free(struct dl_link *link)
{
	if (!link)
		return;
	dl_channel_free(link->executor);
	dl_caller_free(link->caller);
	free(link);
}
DL_DEFINE_AUTO(dl_link, link_free)

void dl_link_say(const struct dl_link *link, const char *format, ...)
{
	char line[SAY_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	link->options->say(line);
}

void dl_link_failed(struct dl_link *link, struct dl_link_errand *errand, const char *what,
		    const struct dl_error *error)
{
	int64_t before = errand->backoff.step_ms;
	int64_t wait = dl_backoff_fail(&errand->backoff);
	errand->at = dl_time_monotonic_ms() + wait;
	if (before != errand->backoff.step_ms) /* at the longest wait it has been said */
		dl_link_say(link, "%s: %s; again in %.1f s", what, error->text,
			    (double)wait / 1000);
}

void dl_link_succeeded(struct dl_link_errand *errand)
{
	dl_backoff_reset(&errand->backoff);
	errand->at = 0;
}

bool dl_link_due(const struct dl_link_errand *errand)
{
	return dl_time_monotonic_ms() >= errand->at;
}

/* What would be done now but for its time. A status is what a poll and claims start from. */
static bool poll_waits(const struct dl_link *link)
{
	return !link->poll.busy && !link->status_asked;
}

static bool claims_wait(const struct dl_link *link)
{
	return link->claims.wanted && link->claims_open == 0 && !link->status_asked;
}

static bool records_wait(const struct dl_link *link)
{
	return link->records.wanted && !link->records.busy;
}

static void start_what_is_due(struct dl_link *link)
{
	dl_link_reach_executor(link);
	if (!link->executor)
		return;
	if ((poll_waits(link) && dl_link_due(&link->poll)) ||
	    (claims_wait(link) && dl_link_due(&link->claims))) {
		link->status_asked = true;
		dl_link_ask_executor(link, DL_ASK_STATUS, json_pack("{s:s}", "request", "status"));
	}
	if (link->executor && records_wait(link) && dl_link_due(&link->records)) {
		link->records.busy = true;
		link->records.wanted = false;
		dl_link_ask_executor(link, DL_ASK_OUTBOX,
				     json_pack("{s:s, s:i}", "request", "outbox", "limit_bytes",
					       OUTBOX_BYTES));
	}
}

static int64_t sooner(int64_t wait, const struct dl_link_errand *errand, int64_t now)
{
	int64_t left = errand->at > now ? errand->at - now : 0;
	return left < wait ? left : wait;
}

static int64_t time_to_next(const struct dl_link *link)
{
	int64_t now = dl_time_monotonic_ms();
	int64_t wait = IDLE_MS;
	if (!link->executor)
		return sooner(wait, &link->connect, now);
	if (poll_waits(link))
		wait = sooner(wait, &link->poll, now);
	if (claims_wait(link))
		wait = sooner(wait, &link->claims, now);
	if (records_wait(link))
		wait = sooner(wait, &link->records, now);
	return wait;
}

static int turn(struct dl_link *link, bool *ret_stop, struct dl_error *err)
{
	start_what_is_due(link);
	struct dl_call_wait items[] = {
		{ .descriptor = link->options->stop },
		{ .descriptor = link->executor ? dl_channel_descriptor(link->executor) : -1,
		  .want_write = link->executor && dl_channel_has_unsent(link->executor) },
	};
	int r = dl_caller_wait(link->caller, items, DL_COUNT(items), time_to_next(link), err);
	if (r < 0)
		return r;
	*ret_stop = items[0].ready;
	if (items[1].ready && link->executor)
		dl_link_hear_executor(link);
	return 0;
}

int dl_link_run(const struct dl_link_options *options, struct dl_error *err)
{
	dl_auto(dl_link) link = DL_NEW(struct dl_link);
	link->options = options;
	struct dl_link_errand *errands[] = { &link->connect, &link->poll, &link->claims,
					     &link->records };
	for (size_t i = 0; i < DL_COUNT(errands); i++)
		errands[i]->backoff.max_ms = options->backoff_max_ms;
	int r = dl_caller_new(options->settings, &link->caller, err);
	if (r < 0)
		return r;
	dl_link_say(link, "link to %s starts", options->settings->server);
	for (bool stop = false; r >= 0 && !stop;)
		r = turn(link, &stop, err);
	return r;
}
