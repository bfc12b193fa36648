/* dislodge-agent status: asks the running executor of this host. */
#include "agent/command.h"

#include "agent/executor/executor.h"
#include "agent/platform/channel.h"
#include "core/base/time.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

enum { ANSWER_TIMEOUT_MS = 30 * 1000, HELD_MAX = 100000, NAME_MAX_BYTES = 256 };

struct options {
	const char *socket;
	bool json;
};

static const char usage[] = "usage: dislodge-agent status [--json] [--socket PATH]\n"
			    "\n"
			    "Says whether the agent runs here and what it holds. Needs root.\n";

static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	*ret = (struct options){ .socket = DL_EXECUTOR_SOCKET };
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		switch (c) {
		case 'j': ret->json = true; break;
		case 'k': ret->socket = optarg; break;
		case 'h': fputs(usage, stdout); return DL_COMMAND_DONE;
		default: return DL_COMMAND_USAGE;
		}
	}
	if (optind == argc)
		return 0;
	fputs(usage, stderr);
	return DL_COMMAND_USAGE;
}

/* Events may come before the answer; the executor may be at work. */
static int await_answer(struct dl_channel *channel, json_t **ret_answer, struct dl_error *err)
{
	int64_t deadline = dl_time_monotonic_ms() + ANSWER_TIMEOUT_MS;
	for (;;) {
		dl_autojson *message = NULL;
		int r = dl_channel_receive(channel, &message, err);
		if (r >= 0 && !json_object_get(message, "event")) {
			*ret_answer = DL_TAKE(message);
			return 0;
		}
		if (r < 0 && r != DL_E_BUSY)
			return r;
		int64_t left = deadline - dl_time_monotonic_ms();
		if (left <= 0)
			return dl_error_set(err, DL_E_TIMEOUT, "the executor does not answer");
		struct dl_wait item = { .descriptor = dl_channel_descriptor(channel) };
		r = dl_wait(&item, 1, left, err);
		if (r < 0)
			return r;
	}
}

static int ask(const struct options *options, json_t **ret_answer, struct dl_error *err)
{
	dl_auto(dl_channel) channel = NULL;
	dl_autojson *request = json_pack("{s:s}", "request", "status");
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = dl_channel_connect(options->socket, &channel, err);
	if (r == DL_E_UNAVAILABLE)
		return dl_error_prefix(err, r, "the agent is not running here");
	if (r >= 0)
		r = dl_channel_send(channel, request, err);
	return r < 0 ? r : await_answer(channel, ret_answer, err);
}

static int show(const json_t *answer, struct dl_error *err)
{
	int64_t agent, seq;
	const char *version;
	json_t *held;
	int r = dl_json_int(answer, "agent_id", 1, INT64_MAX, &agent, err);
	if (r >= 0)
		r = dl_json_int(answer, "last_seq", 0, INT64_MAX, &seq, err);
	if (r >= 0)
		r = dl_json_str(answer, "version", NAME_MAX_BYTES, &version, err);
	if (r >= 0)
		r = dl_json_array(answer, "held", HELD_MAX, &held, err);
	if (r < 0)
		return r;
	printf("dislodge-agent %s is running as agent %" PRId64 ".\n", version, agent);
	printf("Plans waiting or at work: %zu. Records made so far: %" PRId64 ".\n",
	       json_array_size(held), seq);
	return 0;
}

int dl_cmd_status(int argc, char **argv)
{
	struct options options;
	struct dl_error error = { 0 };
	dl_autojson *answer = NULL;
	int r = parse_options(argc, argv, &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	r = ask(&options, &answer, &error);
	if (r >= 0 && options.json) {
		dl_autofree char *text = dl_json_text(answer);
		puts(text);
	} else if (r >= 0) {
		r = show(answer, &error);
	}
	if (r >= 0)
		return 0;
	fprintf(stderr, "dislodge-agent: %s\n", error.text);
	return DL_COMMAND_FAILED;
}
