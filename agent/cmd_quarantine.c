/* dislodge-agent quarantine: what was removed, to look at, give back or destroy. */
#include "agent/local_command.h"
#include "agent/report.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: dislodge-agent quarantine list [--json]\n"
	"       dislodge-agent quarantine show ID [--json]\n"
	"       dislodge-agent quarantine restore ID [--yes] [--json]\n"
	"       dislodge-agent quarantine purge ID... [--yes] [--json]\n"
	"\n"
	"What plans removed lies in the quarantine until somebody puts it back or purges it.\n"
	"'restore' gives back one object alone, without telling systemd or cron of it; to put\n"
	"back a whole step use 'dislodge-agent undo'. 'purge' destroys for good: what is purged\n"
	"cannot be undone. Nothing is purged by itself unless /etc/dislodge/agent.conf says so\n"
	"(purge_after_days). Needs root.\n"
	"\n"
	"Exit code: 0 done; 1 failed; 2 wrong usage; 3 some of it done; 4 nothing was done.\n";

/* ---- looking ---- */

static int list_items(const struct dl_local_options *options, struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s}", "act", "items");
	dl_autojson *list = NULL;
	struct dl_page page = dl_page_stdout();
	int r = dl_local_ask(&options->place, ask, &list, err);
	if (r < 0)
		return r;
	if (options->json)
		dl_local_print_json(list);
	else
		dl_report_items(&page, list);
	return 0;
}

static int load_item(const struct dl_local_options *options, const char *id, json_t **ret_item,
		     struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s,s:s}", "act", "item", "id", id);
	if (!ask)
		return dl_error_set(err, DL_E_INVALID, "that is no id");
	return dl_local_ask(&options->place, ask, ret_item, err);
}

static int show_item(const struct dl_local_options *options, struct dl_error *err)
{
	dl_autojson *item = NULL;
	struct dl_page page = dl_page_stdout();
	int r = load_item(options, options->words[1], &item, err);
	if (r < 0)
		return r;
	if (options->json)
		dl_local_print_json(item);
	else
		dl_report_item(&page, item);
	return 0;
}

/* ---- deciding ---- */

/* Shows each object, so that the answer is about these and no others. */
static int load_ids(const struct dl_local_options *options, json_t *ids, struct dl_error *err)
{
	struct dl_page page = dl_page_stdout();
	for (int i = 1; i < options->word_count; i++) {
		dl_autojson *item = NULL;
		int r = load_item(options, options->words[i], &item, err);
		if (r < 0)
			return r;
		if (!options->json)
			dl_report_item(&page, item);
		json_array_append_new(ids, json_string(options->words[i]));
	}
	return 0;
}

static int print_ends(const struct dl_local_options *options, const json_t *answer)
{
	struct dl_page page = dl_page_stdout();
	size_t i, failed = 0;
	json_t *item;
	const json_t *items = json_object_get(answer, "items");
	json_array_foreach(items, i, item) {
		const char *state = json_string_value(json_object_get(item, "state"));
		bool bad = strcmp(state, "failed") == 0;
		failed += bad;
		if (options->json)
			continue;
		printf("%s%s%s  ", dl_page_ink(&page, bad ? DL_INK_RED : DL_INK_GREEN), state,
		       dl_page_ink(&page, DL_INK_PLAIN));
		dl_page_cut(&page, json_string_value(json_object_get(item, "path")),
			    strlen(state) + 2);
		dl_page_words(&page, "detail", json_string_value(json_object_get(item, "detail")));
	}
	if (options->json)
		dl_local_print_json(answer);
	if (failed == 0)
		return DL_COMMAND_OK;
	return failed < i ? DL_COMMAND_PARTLY : DL_COMMAND_FAILED;
}

static int decide(const struct dl_local_options *options, const char *act, int *ret_exit,
		  struct dl_error *err)
{
	bool purges = strcmp(act, "purge") == 0;
	dl_autojson *ids = json_array();
	dl_autojson *answer = NULL;
	int r = load_ids(options, ids, err);
	if (r >= 0)
		r = dl_local_consent(options,
				     purges ? "Destroy this for good? It cannot be undone then." :
					      "Put this back in its place?",
				     err);
	if (r < 0)
		return r;
	dl_autojson *ask = json_pack("{s:s,s:O,s:o}", "act", act, "ids", ids, "by", dl_local_by());
	r = dl_local_ask(&options->place, ask, &answer, err);
	if (r >= 0)
		*ret_exit = print_ends(options, answer);
	return r;
}

static int act(const struct dl_local_options *options, int *ret_exit, struct dl_error *err)
{
	const char *word = options->words[0];
	int r = dl_command_needs_root(err);
	if (r < 0)
		return r;
	if (strcmp(word, "list") == 0 && options->word_count == 1)
		return list_items(options, err);
	if (strcmp(word, "show") == 0 && options->word_count == 2)
		return show_item(options, err);
	if ((strcmp(word, "restore") == 0 && options->word_count == 2) ||
	    (strcmp(word, "purge") == 0 && options->word_count > 1))
		return decide(options, word, ret_exit, err);
	fputs(usage, stderr);
	*ret_exit = DL_COMMAND_USAGE;
	return 0;
}

int dl_cmd_quarantine(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	int code = DL_COMMAND_OK;
	int r = dl_local_options_parse(argc, argv, usage, "jy", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count == 0) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	r = act(&options, &code, &error);
	return r < 0 ? dl_local_fail(&error) : code;
}
