/* dislodge-agent run: the executor, the link, or both under one roof. */
#include "agent/command.h"

#include "agent/executor/executor.h"
#include "agent/link/backoff.h"
#include "agent/link/link.h"
#include "agent/platform/channel.h"
#include "agent/platform/confine.h"
#include "agent/platform/private_file.h"
#include "core/base/bytes.h"
#include "core/base/time.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { WELL_AFTER_MS = 60 * 1000 /* a link that lived this long starts its waits anew */ };

struct options {
	const char *role; /* NULL: both */
	const char *state, *link_state, *socket;
	int64_t survey_interval_ms, backoff_max_ms;
};

static const char usage[] =
	"usage: dislodge-agent run [executor|link] [--state DIR] [--link-state DIR]\n"
	"                          [--socket PATH] [--survey-interval SECONDS]\n"
	"                          [--backoff-max MILLISECONDS]\n"
	"\n"
	"executor  root, no network: verifies orders and carries them out\n"
	"link      user '" DL_AGENT_ACCOUNT "', network: carries messages to and from the server\n"
	"Without a role both run, the link as a child that has given root up.\n";

static const char *who = "run"; /* for the log; set once in each process */

/* Words may quote the server or a file name: controls are made visible. */
static void say(const char *words)
{
	dl_autofree char *shown = dl_bytes_encode_str(words);
	fprintf(stderr, "dislodge-agent[%s]: %s\n", who, shown);
}

static int parse_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "dislodge-agent: '%s' is not a number from %lld to %lld\n", text,
			(long long)min, (long long)max);
		return DL_COMMAND_USAGE;
	}
	*ret = value;
	return 0;
}

static int parse_role(int argc, char **argv, struct options *options)
{
	if (optind == argc)
		return 0;
	options->role = argv[optind];
	if (optind + 1 == argc &&
	    (strcmp(options->role, "executor") == 0 || strcmp(options->role, "link") == 0))
		return 0;
	fputs(usage, stderr);
	return DL_COMMAND_USAGE;
}

static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{ "state", required_argument, NULL, 's' },
		{ "link-state", required_argument, NULL, 'l' },
		{ "socket", required_argument, NULL, 'k' },
		{ "survey-interval", required_argument, NULL, 'i' },
		{ "backoff-max", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t interval = DL_SURVEY_INTERVAL_S;
	int r = 0;
	*ret = (struct options){ .state = DL_STATE_FOLDER, .link_state = DL_LINK_STATE_FOLDER,
				 .socket = DL_EXECUTOR_SOCKET };
	for (int c; r == 0 && (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		switch (c) {
		case 's': ret->state = optarg; break;
		case 'l': ret->link_state = optarg; break;
		case 'k': ret->socket = optarg; break;
		case 'i':
			r = parse_number(optarg, DL_SURVEY_INTERVAL_MIN_S,
					 DL_SURVEY_INTERVAL_MAX_S, &interval);
			break;
		case 'b':
			r = parse_number(optarg, DL_BACKOFF_START_MS, 3600 * 1000,
					 &ret->backoff_max_ms);
			break;
		case 'h': fputs(usage, stdout); return DL_COMMAND_DONE;
		default: return DL_COMMAND_USAGE;
		}
	}
	ret->survey_interval_ms = interval * 1000;
	return r != 0 ? r : parse_role(argc, argv, ret);
}

static int find_account(struct dl_account *ret, struct dl_error *err)
{
	dl_auto(dl_host) host = NULL;
	int r = dl_host_open(NULL, &host, err);
	return r < 0 ? r : dl_command_account(host, ret, err);
}

/* ---- the two halves ---- */

static int run_executor(const struct options *options, struct dl_error *err)
{
	struct dl_executor_options executor = {
		.state_folder = options->state, .socket_path = options->socket,
		.survey_interval_ms = options->survey_interval_ms, .say = say,
	};
	who = "executor";
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = find_account(&executor.link, err);
	if (r >= 0)
		r = dl_stop_watch(&executor.stop, err);
	return r < 0 ? r : dl_executor_run(&executor, err);
}

static int read_link_settings(const char *folder, struct dl_link_settings *ret,
			      struct dl_error *err)
{
	char path[DL_HOST_PATH_MAX];
	dl_autofree char *text = NULL;
	size_t size;
	if (snprintf(path, sizeof(path), "%s/%s", folder, DL_LINK_SETTINGS_NAME) >=
	    (int)sizeof(path))
		return dl_error_set(err, DL_E_LIMIT, "the folder's name is too long");
	int r = dl_private_file_read(path, DL_LINK_SETTINGS_MAX_BYTES, &text, &size, err);
	if (r == DL_E_NOT_FOUND)
		return dl_error_set(err, r, "this host is not enrolled with a server yet: "
					    "dislodge-agent enrol --key-file FILE");
	if (r < 0)
		return r;
	r = dl_link_settings_from_text(text, size, ret, err);
	explicit_bzero(text, size);
	return r;
}

/* The settings are read, no thread is started: the last moment to be locked in. */
static int confine_link(struct dl_error *err)
{
	char missing[DL_CONFINE_WORDS_MAX];
	int r = dl_confine_to_network(missing, err);
	if (r >= 0 && *missing)
		say(missing);
	return r;
}

static int run_link(const struct options *options, struct dl_error *err)
{
	dl_autosettings settings = { 0 };
	struct dl_link_options link = {
		.settings = &settings, .socket_path = options->socket,
		.backoff_max_ms = options->backoff_max_ms, .say = say,
	};
	struct dl_account account;
	int r = 0;
	who = "link";
	if (dl_process_is_root()) {
		r = find_account(&account, err);
		if (r >= 0)
			r = dl_process_become(&account, err);
	}
	if (r >= 0)
		r = read_link_settings(options->link_state, &settings, err);
	if (r >= 0)
		r = dl_stop_watch(&link.stop, err);
	if (r >= 0)
		r = confine_link(err);
	return r < 0 ? r : dl_link_run(&link, err);
}

/* ---- both ---- */

/* A host without a server is no reason to try again and again: the unit knows
 * DL_COMMAND_REFUSED (RestartPreventExitStatus). */
static int finish(int r, const struct dl_error *error)
{
	if (r >= 0)
		return 0;
	say(error->text);
	return r == DL_E_NOT_FOUND ? DL_COMMAND_REFUSED : DL_COMMAND_FAILED;
}

static int executor_body(void *context, int output)
{
	struct dl_error error = { 0 };
	(void)output;
	return finish(run_executor(context, &error), &error);
}

static int link_body(void *context, int output)
{
	struct dl_error error = { 0 };
	(void)output;
	return finish(run_link(context, &error), &error);
}

/* A link that ends is started again, ever more patiently. */
struct roof {
	const struct options *options;
	struct dl_account account;
	struct dl_child *executor, *link;
	struct dl_backoff backoff;
	int64_t link_started, link_at; /* monotonic */
	int stop;
};

static int keep_link_running(struct roof *roof, struct dl_error *err)
{
	if (roof->link || dl_time_monotonic_ms() < roof->link_at)
		return 0;
	roof->link_started = dl_time_monotonic_ms();
	return dl_child_start(&roof->account, link_body, (void *)roof->options, &roof->link, err);
}

static int bury_link(struct roof *roof, struct dl_error *err)
{
	int status;
	int r = dl_child_wait(roof->link, &status, err);
	if (r < 0)
		return r;
	dl_child_free(roof->link);
	roof->link = NULL;
	int64_t now = dl_time_monotonic_ms();
	if (now - roof->link_started > WELL_AFTER_MS)
		dl_backoff_reset(&roof->backoff);
	roof->link_at = now + dl_backoff_fail(&roof->backoff);
	say("the link ended and is started again");
	return 0;
}

/* Until a stop (0) or the executor's own end (its exit status). */
static int watch(struct roof *roof, int *ret_status, struct dl_error *err)
{
	for (;;) {
		int r = keep_link_running(roof, err);
		if (r < 0)
			return r;
		struct dl_wait items[] = {
			{ .descriptor = roof->stop },
			{ .descriptor = dl_child_descriptor(roof->executor) },
			{ .descriptor = roof->link ? dl_child_descriptor(roof->link) : -1 },
		};
		int64_t left = roof->link_at - dl_time_monotonic_ms();
		r = dl_wait(items, DL_COUNT(items), roof->link ? -1 : left > 0 ? left : 0, err);
		if (r < 0)
			return r;
		if (items[0].ready || items[1].ready)
			break;
		if (items[2].ready && (r = bury_link(roof, err)) < 0)
			return r;
	}
	if (roof->link)
		dl_child_stop(roof->link);
	dl_child_stop(roof->executor); /* finishes the step at hand first */
	return dl_child_wait(roof->executor, ret_status, err);
}

static int run_both(const struct options *options, int *ret_status, struct dl_error *err)
{
	struct roof roof = { .options = options };
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = find_account(&roof.account, err);
	if (r >= 0)
		r = dl_stop_watch(&roof.stop, err);
	if (r >= 0)
		r = dl_child_start(NULL, executor_body, (void *)options, &roof.executor, err);
	if (r >= 0)
		r = watch(&roof, ret_status, err);
	dl_child_free(roof.link);
	dl_child_free(roof.executor);
	return r;
}

int dl_cmd_run(int argc, char **argv)
{
	struct options options;
	struct dl_error error = { 0 };
	int status = 0;
	int r = parse_options(argc, argv, &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (!options.role)
		r = run_both(&options, &status, &error);
	else if (strcmp(options.role, "executor") == 0)
		r = run_executor(&options, &error);
	else
		r = run_link(&options, &error);
	r = finish(r, &error);
	return r != 0 ? r : status;
}
