#include "agent/executor/executor.h"

#include "agent/executor/request.h"
#include "agent/platform/channel.h"
#include "agent/platform/change.h"
#include "agent/platform/host.h"
#include "core/base/time.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
	PEERS_MAX = 4,
	REQUESTS_PER_TURN = 16, /* of one peer, before the others and the work have a turn */
	SURVEY_GAP_MS = 2000,   /* between surveys that were asked for */
	SAY_MAX = 1024,
};

struct executor {
	const struct dl_executor_options *options;
	int state; /* folder handle */
	struct dl_journal *journal;
	struct dl_identity *identity;
	struct dl_admission *admission;
	struct dl_remedy *remedy;
	struct dl_quarantine *quarantine; /* for local acts */
	struct dl_host_identity machine;
	struct dl_listener *listener;
	struct dl_channel *peers[PEERS_MAX];
	struct dl_agenda agenda;
	struct dl_desk desk;
	int64_t next_survey, earliest_survey; /* monotonic */
};

static void executor_free(struct executor *executor)
{
	if (!executor)
		return;
	for (size_t i = 0; i < PEERS_MAX; i++)
		dl_channel_free(executor->peers[i]);
	dl_listener_free(executor->listener);
	dl_agenda_clear(&executor->agenda);
	dl_host_identity_clear(&executor->machine);
	dl_quarantine_free(executor->quarantine);
	dl_remedy_free(executor->remedy);
	dl_admission_free(executor->admission);
	dl_identity_free(executor->identity);
	dl_journal_close(executor->journal);
	if (executor->state >= 0)
		close(executor->state);
	free(executor);
}
DL_DEFINE_AUTO(executor, executor_free)

static void say(const struct executor *executor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct executor *executor, const char *format, ...)
{
	char line[SAY_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	executor->options->say(line);
}

static int identify_machine(struct executor *executor, struct dl_error *err)
{
	dl_auto(dl_host) host = NULL;
	int r = dl_host_open(NULL, &host, err);
	return r < 0 ? r : dl_host_identify(host, &executor->machine, err);
}

static int open_state(struct executor *executor, struct dl_error *err)
{
	int r = dl_state_folder_open(executor->options->state_folder, &executor->state, err);
	if (r >= 0)
		r = dl_journal_open(executor->state, &executor->journal, err);
	if (r >= 0)
		r = dl_identity_load(executor->journal, &executor->identity, err);
	if (r >= 0)
		r = dl_remedy_open(executor->state, executor->journal, &executor->remedy, err);
	if (r >= 0)
		r = dl_quarantine_open(executor->state, executor->journal, &executor->quarantine,
				       err);
	if (r >= 0)
		r = identify_machine(executor, err);
	if (r < 0)
		return r;
	executor->admission = dl_admission_new(executor->identity, executor->journal);
	executor->desk = (struct dl_desk){
		.work = { executor->journal, executor->identity, executor->admission,
			  executor->remedy },
		.local = { executor->journal, executor->remedy, executor->quarantine,
			   executor->identity },
		.agenda = &executor->agenda,
		.boot_id = executor->machine.boot_id,
	};
	return 0;
}

static void drop_peer(struct executor *executor, size_t i)
{
	dl_channel_free(executor->peers[i]);
	executor->peers[i] = NULL;
}

static void announce_outbox(struct executor *executor)
{
	dl_autojson *event = json_pack("{s:s}", "event", "outbox");
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (executor->peers[i] && dl_channel_send(executor->peers[i], event, NULL) < 0)
			drop_peer(executor, i);
}

static void accept_peer(struct executor *executor)
{
	dl_auto(dl_channel) peer = NULL;
	struct dl_error error = { 0 };
	int r = dl_listener_accept(executor->listener, &peer, &error);
	if (r == DL_E_BUSY)
		return;
	if (r < 0) {
		say(executor, "%s", error.text);
		return;
	}
	int64_t uid = dl_channel_peer(peer);
	if (uid != 0 && uid != executor->options->link.uid) {
		say(executor, "refused a connection of uid %" PRId64, uid);
		return;
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (executor->peers[i])
			continue;
		executor->peers[i] = DL_TAKE(peer);
		return;
	}
	say(executor, "refused a connection: %d are open", PEERS_MAX);
}

/* A journal that cannot be read just now is no fault of the peer's; all else is. */
static int answer(struct executor *executor, bool by_root, const json_t *request,
		  json_t **ret_answer, struct dl_error *err)
{
	int r = dl_request_answer(&executor->desk, by_root, request, ret_answer, err);
	if (r >= 0 || r == DL_E_INVALID || r == DL_E_LIMIT)
		return r;
	say(executor, "%s", err->text);
	*ret_answer = json_pack("{s:b, s:s, s:s}", "ok", 0, "reason",
				dl_reason_name(DL_REASON_IO_ERROR), "message", err->text);
	return 0;
}

static int serve_request(struct executor *executor, struct dl_channel *peer, struct dl_error *err)
{
	dl_autojson *request = NULL, *reply = NULL;
	int r = dl_channel_receive(peer, &request, err);
	if (r >= 0)
		r = answer(executor, dl_channel_peer(peer) == 0, request, &reply, err);
	return r < 0 ? r : dl_channel_send(peer, reply, err);
}

static void serve_peer(struct executor *executor, size_t i)
{
	struct dl_error error = { 0 };
	int r = dl_channel_flush(executor->peers[i], &error);
	for (int n = 0; r >= 0 && n < REQUESTS_PER_TURN; n++)
		r = serve_request(executor, executor->peers[i], &error);
	if (r >= 0 || r == DL_E_BUSY)
		return;
	if (r != DL_E_UNAVAILABLE)
		say(executor, "closing a connection: %s", error.text);
	drop_peer(executor, i);
}

static void end_permit(struct executor *executor, struct dl_permit *permit)
{
	const struct dl_work *work = &executor->desk.work;
	struct dl_error error = { 0 };
	const char *plan_id = permit->order->plan_id;
	int r;
	if (permit->verdict == DL_VERDICT_GO) {
		say(executor, "plan %s: starting", plan_id);
		r = dl_work_do(work, permit->order, &error);
		executor->agenda.survey = true;
		executor->earliest_survey = 0;
	} else {
		say(executor, "plan %s: %s, nothing is done", plan_id,
		    permit->verdict == DL_VERDICT_EXPIRED ? "expired" : "cancelled");
		r = dl_work_forbid(work, permit->order, permit->verdict, &error);
	}
	if (r >= 0) {
		say(executor, "plan %s: over", plan_id);
		return;
	}
	say(executor, "plan %s: %s", plan_id, error.text);
	dl_admission_ask(executor->admission, plan_id, NULL);
}

static void do_permits(struct executor *executor)
{
	struct dl_agenda *agenda = &executor->agenda;
	for (size_t i = 0; i < agenda->permit_count; i++) {
		end_permit(executor, &agenda->permits[i]);
		dl_permit_clear(&agenda->permits[i]);
		announce_outbox(executor);
	}
	agenda->permit_count = 0;
}

static void do_survey(struct executor *executor)
{
	int64_t now = dl_time_monotonic_ms();
	bool wanted = executor->agenda.survey && now >= executor->earliest_survey;
	if (!wanted && now < executor->next_survey)
		return;
	struct dl_error error = { 0 };
	if (dl_work_survey(&executor->desk.work, &error) < 0)
		say(executor, "%s", error.text);
	if (dl_local_retain(&executor->desk.local, &error) < 0)
		say(executor, "%s", error.text);
	executor->agenda.survey = false;
	now = dl_time_monotonic_ms();
	executor->next_survey = now + executor->options->survey_interval_ms;
	executor->earliest_survey = now + SURVEY_GAP_MS;
	announce_outbox(executor);
}

static int64_t time_to_survey(const struct executor *executor)
{
	int64_t due = executor->next_survey;
	if (executor->agenda.survey && executor->earliest_survey < due)
		due = executor->earliest_survey;
	int64_t left = due - dl_time_monotonic_ms();
	return left > 0 ? left : 0;
}

/* One turn: hear what is there, then do what is due. *ret_stop: it is time to end. */
static int turn(struct executor *executor, bool *ret_stop, struct dl_error *err)
{
	struct dl_wait items[PEERS_MAX + 2];
	for (size_t i = 0; i < PEERS_MAX; i++) {
		const struct dl_channel *peer = executor->peers[i];
		items[i] = (struct dl_wait){
			.descriptor = peer ? dl_channel_descriptor(peer) : -1,
			.want_write = peer && dl_channel_has_unsent(peer),
		};
	}
	items[PEERS_MAX] = (struct dl_wait){
		.descriptor = dl_listener_descriptor(executor->listener) };
	items[PEERS_MAX + 1] = (struct dl_wait){ .descriptor = executor->options->stop };
	int r = dl_wait(items, DL_COUNT(items), time_to_survey(executor), err);
	if (r < 0)
		return r;
	*ret_stop = items[PEERS_MAX + 1].ready;
	if (*ret_stop)
		return 0;
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (items[i].ready)
			serve_peer(executor, i);
	if (items[PEERS_MAX].ready)
		accept_peer(executor);
	do_permits(executor);
	do_survey(executor);
	return 0;
}

static int run(struct executor *executor, struct dl_error *err)
{
	struct dl_error recovery = { 0 };
	if (dl_work_recover(&executor->desk.work, &recovery) < 0)
		say(executor, "%s", recovery.text);
	if (dl_local_recover(&executor->desk.local, &recovery) < 0)
		say(executor, "%s", recovery.text);
	int r = dl_listener_open(executor->options->socket_path, executor->options->link.gid,
				 &executor->listener, err);
	if (r < 0)
		return r;
	say(executor, "executor of agent %" PRId64 " is ready", executor->identity->agent);
	for (bool stop = false; r >= 0 && !stop;)
		r = turn(executor, &stop, err);
	return r;
}

int dl_executor_run(const struct dl_executor_options *options, struct dl_error *err)
{
	dl_auto(executor) executor = DL_NEW(struct executor);
	executor->options = options;
	executor->state = -1;
	int r = open_state(executor, err);
	return r < 0 ? r : run(executor, err);
}
