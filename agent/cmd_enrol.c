/* dislodge-agent enrol: makes this host an agent of one organization.
 *
 * Root reads the key file and makes the key; the network is spoken to by a
 * child that has given root up and says back no more than the answer. It is
 * started first of all: no secret is in the memory that it gets a copy of. */
#include "agent/command.h"

#include "agent/executor/enrolment.h"
#include "agent/executor/executor.h"
#include "agent/link/call.h"
#include "agent/link/link.h"
#include "agent/platform/change.h"
#include "agent/platform/private_file.h"
#include "core/base/bytes.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	CALL_TIMEOUT_MS = 60 * 1000,
	CHILD_TIMEOUT_MS = 90 * 1000,
	ERRAND_MAX_BYTES = 64 * 1024,
	ERRAND_TIMEOUT_MS = 10 * 60 * 1000, /* somebody may type the key file in */
	CHILD_SAYS_MAX = 128 * 1024,
};

struct options {
	const char *key_file, *state, *link_state;
	bool again;
};

static const char usage[] =
	"usage: dislodge-agent enrol --key-file FILE|- [--again]\n"
	"                            [--state DIR] [--link-state DIR]\n"
	"\n"
	"Makes this host an agent of the organization whose enrolment key is in FILE\n"
	"(\"-\": standard input). Needs root, and the user '" DL_AGENT_ACCOUNT "' for the network\n"
	"half. --again gives an enrolled host a new identity; the old one is over.\n";

static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{ "key-file", required_argument, NULL, 'k' },
		{ "again", no_argument, NULL, 'a' },
		{ "state", required_argument, NULL, 's' },
		{ "link-state", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	*ret = (struct options){ .state = DL_STATE_FOLDER, .link_state = DL_LINK_STATE_FOLDER };
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		switch (c) {
		case 'k': ret->key_file = optarg; break;
		case 'a': ret->again = true; break;
		case 's': ret->state = optarg; break;
		case 'l': ret->link_state = optarg; break;
		case 'h': fputs(usage, stdout); return DL_COMMAND_DONE;
		default: return DL_COMMAND_USAGE;
		}
	}
	if (optind == argc && ret->key_file)
		return 0;
	fputs(usage, stderr);
	return DL_COMMAND_USAGE;
}

static int read_key_file(const struct options *options, struct dl_key_file *ret,
			 struct dl_error *err)
{
	dl_autofree char *text = NULL;
	size_t size;
	int r = dl_private_file_read(options->key_file, DL_KEY_FILE_MAX_BYTES, &text, &size, err);
	if (r < 0)
		return r;
	r = dl_key_file_parse(text, size, ret, err);
	explicit_bzero(text, size);
	if (r < 0)
		return r;
	const struct dl_link_settings place = { ret->server, ret->tls_pin, NULL };
	return dl_link_settings_check(&place, err);
}

static int refuse_second_identity(struct dl_journal *journal, bool again, struct dl_error *err)
{
	dl_auto(dl_identity) present = NULL;
	int r = dl_identity_load(journal, &present, NULL);
	if (r == DL_E_NOT_FOUND || again)
		return 0;
	if (r < 0)
		return dl_error_set(err, r, "this host has a damaged identity; "
					    "'enrol --again' gives it a new one");
	return dl_error_set(err, DL_E_EXISTS,
			    "this host is enrolled already, as agent %" PRId64 "; "
			    "'enrol --again' gives it a new identity, and the old one is over",
			    present->agent);
}

/* ---- the child without root ---- */

static int call_server(const json_t *errand, json_t **ret_answer, struct dl_error *err)
{
	const struct dl_link_settings place = {
		(char *)json_string_value(json_object_get(errand, "server")),
		(char *)json_string_value(json_object_get(errand, "tls_pin")),
		NULL,
	};
	dl_auto(dl_caller) caller = NULL;
	int r = dl_caller_new(&place, &caller, err);
	if (r < 0)
		return r;
	return dl_caller_ask(caller, "/agent/v1/enrol", json_object_get(errand, "request"),
			     DL_ENROL_ANSWER_MAX_BYTES, CALL_TIMEOUT_MS, ret_answer, err);
}

/* Where to and what with, from the parent: root made it, so it is as it should be. */
static int hear_errand(int parent, json_t **ret_errand, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	size_t size;
	int r = dl_parent_read(parent, ERRAND_MAX_BYTES, ERRAND_TIMEOUT_MS, &text, &size, err);
	return r < 0 ? r : dl_json_parse(text, size, ERRAND_MAX_BYTES, ret_errand, err);
}

static int run_errand(void *context, int parent)
{
	dl_autojson *errand = NULL, *answer = NULL, *says = NULL;
	struct dl_error error = { 0 };
	(void)context;
	int r = hear_errand(parent, &errand, &error);
	if (r >= 0)
		r = call_server(errand, &answer, &error);
	if (r < 0) {
		dl_autofree char *words = dl_bytes_encode_str(error.text);
		says = json_pack("{s:i, s:s}", "code", r, "message", words);
	} else {
		says = json_pack("{s:i, s:O}", "code", 0, "answer", answer);
	}
	dl_autofree char *text = dl_json_text(says);
	return dl_parent_write(parent, text, strlen(text), NULL) < 0;
}

static int hear_child(struct dl_child *child, json_t **ret_answer, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	dl_autojson *says = NULL;
	const char *message = "";
	int64_t code;
	size_t size;
	json_t *answer;
	int r = dl_child_read(child, CHILD_SAYS_MAX, CHILD_TIMEOUT_MS, &text, &size, err);
	if (r >= 0)
		r = dl_json_parse(text, size, CHILD_SAYS_MAX, &says, err);
	if (r >= 0)
		r = dl_json_int(says, "code", INT32_MIN, 0, &code, err);
	if (r < 0)
		return dl_error_prefix(err, r, "the process that calls the server");
	dl_json_str_opt(says, "message", DL_ERROR_TEXT_SIZE * 3, &message, NULL);
	if (code < 0)
		return dl_error_set(err, (int)code, "%s", message);
	r = dl_json_object(says, "answer", &answer, err);
	if (r >= 0)
		*ret_answer = json_incref(answer);
	return r;
}

static int ask_server(const struct dl_key_file *file, struct dl_child *child, json_t *request,
		      json_t **ret_answer, struct dl_error *err)
{
	dl_autojson *errand = json_pack("{s:s, s:s, s:O}", "server", file->server, "tls_pin",
					file->tls_pin, "request", request);
	dl_autofree char *text = dl_json_text(errand);
	int r = dl_child_tell(child, text, strlen(text), err);
	if (r >= 0)
		r = hear_child(child, ret_answer, err);
	return r < 0 ? dl_error_prefix(err, r, "enrolling with %s", file->server) : 0;
}

/* ---- keeping what came of it ---- */

/* Link's half first: an identity is what makes a host enrolled. */
static int keep(const struct options *options, const struct dl_key_file *file,
		const struct dl_account *account, struct dl_journal *journal,
		const struct dl_enrolled *enrolled, struct dl_error *err)
{
	dl_autosettings settings = { dl_strdup(file->server), dl_strdup(file->tls_pin),
				     dl_strdup(enrolled->token) };
	int r = dl_link_settings_check(&settings, err);
	if (r < 0)
		return r;
	dl_autofree char *text = dl_link_settings_to_text(&settings);
	r = dl_private_folder(options->link_state, account, err);
	if (r >= 0)
		r = dl_private_file_write(options->link_state, DL_LINK_SETTINGS_NAME, account, text,
					  strlen(text), err);
	explicit_bzero(text, strlen(text));
	return r < 0 ? r : dl_identity_store(journal, enrolled->identity, err);
}

static int enrol_with(const struct options *options, struct dl_journal *journal,
		      const struct dl_account *account, struct dl_child *child,
		      struct dl_host *host, struct dl_error *err)
{
	dl_autokeyfile file = { 0 };
	dl_auto(dl_identity) earlier = NULL;
	dl_auto(dl_signing_key) key = NULL;
	dl_autojson *request = NULL, *answer = NULL;
	struct dl_enrolled enrolled;
	int r = read_key_file(options, &file, err);
	dl_identity_load(journal, &earlier, NULL); /* one that cannot be read vouches for nothing */
	if (r >= 0)
		r = dl_enrolment_request(&file, host, earlier ? earlier->key : NULL, &key, &request,
					 err);
	if (r >= 0)
		r = ask_server(&file, child, request, &answer, err);
	if (r >= 0)
		r = dl_enrolment_accept(&file, answer, &key, &enrolled, err);
	if (r < 0)
		return r;
	dl_auto(dl_identity) identity = enrolled.identity;
	r = keep(options, &file, account, journal, &enrolled, err);
	if (r < 0)
		return r;
	dl_autofree char *organization = dl_bytes_encode_str(enrolled.organization);
	printf("Enrolled with %s as agent %" PRId64 " of '%s'.\n", file.server, identity->agent,
	       organization);
	return 0;
}

static int enrol(const struct options *options, struct dl_error *err)
{
	dl_auto(dl_host) host = NULL;
	dl_auto(dl_child) child = NULL;
	dl_auto(dl_journal) journal = NULL;
	dl_autohandle state = -1;
	struct dl_account account;
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_command_account(host, &account, err);
	if (r >= 0)
		r = dl_child_start(&account, run_errand, NULL, &child, err);
	if (r >= 0)
		r = dl_state_folder_open(options->state, &state, err);
	if (r >= 0)
		r = dl_journal_open(state, &journal, err);
	if (r == DL_E_BUSY)
		return dl_error_set(err, r, "the agent is running: stop it first (systemctl stop "
					    "dislodge-executor dislodge-link)");
	if (r >= 0)
		r = refuse_second_identity(journal, options->again, err);
	return r < 0 ? r : enrol_with(options, journal, &account, child, host, err);
}

int dl_cmd_enrol(int argc, char **argv)
{
	struct options options;
	struct dl_error error = { 0 };
	int r = parse_options(argc, argv, &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (enrol(&options, &error) >= 0)
		return 0;
	fprintf(stderr, "dislodge-agent: %s\n", error.text);
	return DL_COMMAND_FAILED;
}
