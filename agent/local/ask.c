#include "agent/local/ask.h"

#include "agent/local/alone.h"
#include "agent/platform/channel.h"
#include "core/base/time.h"

/* Events may come before the answer; the executor may be at work. */
static int await_answer(struct dl_channel *channel, int64_t deadline, json_t **ret_answer,
			struct dl_error *err)
{
	for (;;) {
		dl_autojson *message = NULL;
		int r = dl_channel_receive(channel, &message, err);
		if (r >= 0 && !json_object_get(message, "event")) {
			*ret_answer = DL_TAKE(message);
			return 0;
		}
		if (r >= 0)
			continue;
		if (r != DL_E_BUSY)
			return dl_error_set(err, DL_E_IO, "the executor ended before it answered");
		int64_t left = deadline - dl_time_monotonic_ms();
		if (left <= 0)
			return dl_error_set(err, DL_E_TIMEOUT, "the executor does not answer yet");
		struct dl_wait item = { .descriptor = dl_channel_descriptor(channel),
					.want_write = dl_channel_has_unsent(channel) };
		r = dl_wait(&item, 1, left, err);
		if (r >= 0)
			r = dl_channel_flush(channel, err);
		if (r < 0)
			return r;
	}
}

int dl_local_request(const struct dl_local_place *place, const json_t *request, int64_t wait_ms,
		     json_t **ret_answer, struct dl_error *err)
{
	dl_auto(dl_channel) channel = NULL;
	int r = dl_channel_connect(place->socket, &channel, err);
	if (r < 0)
		return r;
	r = dl_channel_send(channel, request, err);
	if (r < 0)
		return dl_error_set(err, DL_E_IO, "the executor could not be asked");
	return await_answer(channel, dl_time_monotonic_ms() + wait_ms, ret_answer, err);
}

static int take_answer(const json_t *reply, json_t **ret_answer, struct dl_error *err)
{
	const char *message = "the executor's answer is not understood";
	int64_t code = DL_E_IO;
	json_t *answer;
	if (json_is_true(json_object_get(reply, "ok"))) {
		int r = dl_json_object(reply, "answer", &answer, err);
		if (r >= 0)
			*ret_answer = json_incref(answer);
		return r;
	}
	dl_json_int_opt(reply, "code", INT32_MIN, -1, &code, NULL);
	dl_json_str_opt(reply, "message", DL_ERROR_TEXT_SIZE * 3, &message, NULL);
	return dl_error_set(err, (int)code, "%s", message);
}

static int ask_here(const char *state, const json_t *ask, json_t **ret_answer,
		    struct dl_error *err)
{
	dl_auto(dl_alone) alone = NULL;
	bool changed;
	int r = dl_alone_open(state, &alone, err);
	return r < 0 ? r : dl_local_answer(dl_alone_local(alone), ask, ret_answer, &changed, err);
}

int dl_local_ask(const struct dl_local_place *place, const json_t *ask, json_t **ret_answer,
		 struct dl_error *err)
{
	dl_autojson *request = json_pack("{s:s,s:O}", "request", "local", "ask", ask);
	dl_autojson *reply = NULL;
	int r = dl_local_request(place, request, DL_LOCAL_WAIT_MS, &reply, err);
	if (r == DL_E_UNAVAILABLE)
		return ask_here(place->state, ask, ret_answer, err);
	return r < 0 ? r : take_answer(reply, ret_answer, err);
}
