/* portal-preview TEMPLATE [NOW]: a view (JSON) from standard input, the page to standard output.
 * portal-preview --asset URL: a static file. For tests that look at pages without a server. */
#include "core/base/mem.h"
#include "core/base/time.h"
#include "core/json/json.h"
#include "server/portal/asset.h"
#include "server/portal/portal-templates.h"

#include <stdio.h>
#include <string.h>

static int show_asset(const char *url)
{
	const struct dl_asset *asset = dl_asset_find(url);
	if (!asset) {
		fprintf(stderr, "portal-preview: no asset '%s'\n", url);
		return 1;
	}
	return fwrite(asset->plain, asset->plain_size, 1, stdout) == 1 ? 0 : 1;
}

static const struct dl_template *find_template(const char *name)
{
	for (size_t i = 0; i < dl_template_count; i++) {
		if (strcmp(dl_templates[i].name, name) == 0)
			return &dl_templates[i];
	}
	return NULL;
}

static int show_page(const char *name, int64_t now)
{
	const struct dl_template *template = find_template(name);
	json_error_t problem;
	dl_autojson *view = json_loadf(stdin, 0, &problem);
	if (!template || !view) {
		fprintf(stderr, "portal-preview: %s\n", template ? problem.text : "no such template");
		return 1;
	}
	dl_autobuf out = DL_BUF_INIT;
	struct dl_html html = { .out = &out, .view = view, .now = now };
	template->show(&html);
	return fwrite(out.data, out.size, 1, stdout) == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--asset") == 0)
		return show_asset(argv[2]);
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: portal-preview TEMPLATE [NOW] | --asset URL\n");
		return 2;
	}
	return show_page(argv[1], argc == 3 ? strtoll(argv[2], NULL, 10) : dl_time_now_ms());
}
