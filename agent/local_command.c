#include "agent/local_command.h"

#include "agent/executor/executor.h"
#include "agent/platform/private_file.h"
#include "agent/platform/terminal.h"
#include "core/base/bytes.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 32, ANSWER_MAX = 64 };

/* ---- options ---- */

int dl_local_options_parse(int argc, char **argv, const char *usage, const char *takes,
			   struct dl_local_options *ret)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' },	{ "yes", no_argument, NULL, 'y' },
		{ "steps", required_argument, NULL, 's' }, { "output", required_argument, NULL, 'o' },
		{ "state", required_argument, NULL, 't' }, { "socket", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },	{ NULL, 0, NULL, 0 },
	};
	*ret = (struct dl_local_options){ .place = { DL_EXECUTOR_SOCKET, DL_STATE_FOLDER } };
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		if (strchr("jyso", c) && !strchr(takes, c))
			c = '?';
		switch (c) {
		case 'j': ret->json = true; break;
		case 'y': ret->yes = true; break;
		case 's': ret->steps = optarg; break;
		case 'o': ret->output = optarg; break;
		case 't': ret->place.state = optarg; break;
		case 'k': ret->place.socket = optarg; break;
		case 'h': fputs(usage, stdout); return DL_COMMAND_DONE;
		default: fputs(usage, stderr); return DL_COMMAND_USAGE;
		}
	}
	ret->words = argv + optind;
	ret->word_count = argc - optind;
	return 0;
}

/* ---- who ---- */

/* The audit subsystem's login uid survives su and sudo (proc(5)); without it, sudo's word. */
static int64_t login_uid(void)
{
	char text[NUMBER_TEXT_MAX] = "";
	FILE *file = fopen("/proc/self/loginuid", "re");
	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	long long uid = *text ? strtoll(text, NULL, 10) : UINT32_MAX;
	if (uid >= 0 && uid < UINT32_MAX)
		return uid;
	const char *sudo = getenv("SUDO_UID");
	uid = sudo ? strtoll(sudo, NULL, 10) : 0;
	return uid >= 0 && uid < UINT32_MAX ? uid : 0;
}

json_t *dl_local_by(void)
{
	dl_auto(dl_host) host = NULL;
	int64_t uid = login_uid();
	const struct dl_host_user *user = NULL;
	if (dl_host_open(NULL, &host, NULL) >= 0)
		user = dl_host_user_by_uid(host, uid);
	dl_autofree char *login = dl_bytes_encode_str(user ? user->name : "");
	return json_pack("{s:I,s:s}", "uid", (json_int_t)uid, "login",
			 strlen(login) <= DL_NAME_MAX_BYTES / 3 ? login : "");
}

/* ---- plans ---- */

/* A name that was changed since is told apart from another host by nobody but a person. */
static int check_host(const struct dl_document *document, struct dl_error *err)
{
	struct dl_host_identity identity = { 0 };
	dl_auto(dl_host) host = NULL;
	int r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_host_identify(host, &identity, err);
	if (r < 0)
		return r;
	dl_autofree char *name = dl_bytes_encode_str(identity.hostname);
	dl_host_identity_clear(&identity);
	if (strcmp(name, document->hostname) == 0)
		return 0;
	return dl_error_set(err, DL_E_DENIED, "it was made on the host %s, and this is %s: "
			    "propose it anew here", document->hostname, name);
}

int dl_local_plan_read(const char *path, struct dl_document *ret_document, struct dl_error *err)
{
	dl_autofree char *text = NULL;
	dl_autojson *json = NULL;
	size_t size;
	int r = dl_private_file_read(path, DL_DOCUMENT_MAX_BYTES, &text, &size, err);
	if (r >= 0)
		r = dl_json_parse(text, size, DL_DOCUMENT_MAX_BYTES, &json, err);
	if (r >= 0)
		r = dl_document_from_json(json, ret_document, err);
	if (r >= 0)
		r = check_host(ret_document, err);
	return r < 0 ? dl_error_prefix(err, r, "the plan '%s'", path) : 0;
}

int dl_local_plan_id(const char *word, char ret_id[DL_ID_TEXT_SIZE], struct dl_error *err)
{
	unsigned char id[(DL_ID_TEXT_SIZE - 1) / 2];
	dl_autodocument document = { 0 };
	if (dl_hex_decode(word, id, sizeof(id), NULL) >= 0) {
		memcpy(ret_id, word, DL_ID_TEXT_SIZE);
		return 0;
	}
	int r = dl_local_plan_read(word, &document, err);
	if (r >= 0)
		memcpy(ret_id, document.plan_id, DL_ID_TEXT_SIZE);
	return r;
}

static int choose_listed(const char *list, const struct dl_plan *plan, bool *chosen,
			 struct dl_error *err)
{
	for (const char *at = list;;) {
		char *end;
		errno = 0;
		long long id = strtoll(at, &end, 10);
		if (errno || end == at || (*end && *end != ','))
			return dl_error_set(err, DL_E_INVALID, "--steps takes numbers: 1,3,4");
		if (id < 1 || (size_t)id > plan->step_count)
			return dl_error_set(err, DL_E_INVALID, "the plan has no step %lld", id);
		chosen[id - 1] = true;
		if (!*end)
			return 0;
		at = end + 1;
	}
}

int dl_local_pick(const struct dl_local_options *options, const struct dl_plan *plan,
		  bool **ret_chosen, struct dl_error *err)
{
	dl_autofree bool *chosen = dl_alloc(plan->step_count + 1, sizeof(*chosen));
	int r = 0;
	for (size_t i = 0; i < plan->step_count && !options->steps; i++)
		chosen[i] = plan->steps[i].verb != DL_VERB_MANUAL;
	if (options->steps)
		r = choose_listed(options->steps, plan, chosen, err);
	if (r >= 0)
		*ret_chosen = DL_TAKE(chosen);
	return r;
}

int dl_local_choose(const struct dl_local_options *options, const struct dl_plan *plan,
		    bool **ret_chosen, struct dl_error *err)
{
	dl_autofree bool *chosen = NULL;
	if (dl_plan_assisted_count(plan) == 0)
		return dl_error_set(err, DL_E_DENIED, "no step of this plan can be assisted; each "
						      "says what to do by hand");
	int r = dl_local_pick(options, plan, &chosen, err);
	if (r >= 0)
		r = dl_plan_close_choice(plan, chosen, err);
	if (r >= 0)
		*ret_chosen = DL_TAKE(chosen);
	return r;
}

json_t *dl_local_ids(const struct dl_plan *plan, const bool *chosen)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < plan->step_count; i++)
		if (chosen[i])
			json_array_append_new(ids, json_integer(plan->steps[i].id));
	return ids;
}

/* ---- consent and the end ---- */

int dl_local_consent(const struct dl_local_options *options, const char *question,
		     struct dl_error *err)
{
	char answer[ANSWER_MAX];
	if (options->yes)
		return 0;
	if (options->json || !dl_terminal_can_ask())
		return dl_error_set(err, DL_E_DENIED,
				    "nobody can be asked here; --yes says that it is wanted");
	printf("%s Type yes to go on: ", question);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin)) {
		answer[strcspn(answer, "\n")] = '\0';
		if (strcmp(answer, "yes") == 0)
			return 0;
	} else {
		putchar('\n');
	}
	return dl_error_set(err, DL_E_DENIED, "not agreed to, nothing was done");
}

/* Errors that mean: the host is as it was. */
int dl_local_fail(const struct dl_error *error)
{
	dl_autofree char *shown = dl_bytes_encode_str(error->text);
	fprintf(stderr, "dislodge-agent: %s\n", shown);
	switch (error->code) {
	case DL_E_DENIED:
	case DL_E_EXISTS:
	case DL_E_STALE:
	case DL_E_STATE:
	case DL_E_NO_SPACE: return DL_COMMAND_REFUSED;
	default: return DL_COMMAND_FAILED;
	}
}

void dl_local_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}
