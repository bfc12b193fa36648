#include "cli/call.h"
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>

enum { KEY_SHOWN = 12 };

static char *key_words(const json_t *foothold)
{
	dl_autofree char *key = dl_screen_member(foothold, "key");
	return dl_strndup(key, KEY_SHOWN);
}

static char *where_words(const json_t *foothold)
{
	dl_autofree char *location = dl_screen_member(foothold, "location");
	dl_autofree char *line = dl_screen_member(foothold, "line");
	dl_autobuf text = DL_BUF_INIT;

	dl_buf_puts(&text, location);
	if (json_object_get(foothold, "line"))
		dl_buf_printf(&text, ": %s", line);
	return dl_buf_take(&text);
}

static void footholds_print(const json_t *footholds)
{
	static const char *const heads[] = { "KEY", "KIND", "CHANGE", "HOSTS", "ASSISTED", "RUNS AS",
					     "WHERE", NULL };
	dl_auto(dl_table) table = dl_table_new(heads);
	size_t i;
	json_t *foothold;

	json_array_foreach((json_t *)footholds, i, foothold) {
		char *cells[] = {
			key_words(foothold),
			dl_screen_member(foothold, "kind"),
			dl_screen_member(foothold, "change"),
			dl_screen_member(foothold, "hosts"),
			dl_screen_member(foothold, "assisted"),
			dl_screen_member(foothold, "user"),
			where_words(foothold),
		};
		dl_table_add(table, cells);
	}
	dl_table_print(table, "no footholds");
}

static int footholds_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", "gone", NULL };
	struct dl_options options = { 0 };
	dl_autojson *footholds = NULL;
	char path[64];
	int64_t host;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &host, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/api/hosts/%" PRId64 "/footholds%s", host,
		 options.gone ? "?gone=1" : "");
	r = dl_call_list(path, &footholds, err);
	if (r < 0)
		return r;
	if (options.json)
		dl_screen_json(footholds);
	else
		footholds_print(footholds);
	return 0;
}

const struct dl_command dl_command_footholds = {
	.name = "footholds",
	.arguments = "HOST-ID [--gone] [--json]",
	.summary = "list what the newest survey of a host found",
	.details = "--gone adds those that are not there any more.\n",
	.run = footholds_run,
};
