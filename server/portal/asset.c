#include "server/portal/asset.h"

#include <string.h>
#include <strings.h>

const char *dl_asset_url(const char *name)
{
	for (size_t i = 0; i < dl_asset_count; i++) {
		if (strcmp(dl_assets[i].name, name) == 0)
			return dl_assets[i].url;
	}
	return "/static/";
}

const struct dl_asset *dl_asset_find(const char *url)
{
	for (size_t i = 0; i < dl_asset_count; i++) {
		if (strcmp(dl_assets[i].url, url) == 0)
			return &dl_assets[i];
	}
	return NULL;
}

/* "q=0", "q=0.0" … mean: not this one. */
static bool is_refused(const char *parameters, size_t length)
{
	const char *q = memchr(parameters, '=', length);
	return q && strspn(q + 1, "0.") >= (size_t)(parameters + length - q - 1);
}

bool dl_asset_accepts_gzip(const char *accept_encoding)
{
	for (const char *item = accept_encoding; item && *item;) {
		item += strspn(item, " \t,");
		size_t length = strcspn(item, ",");
		size_t name = strcspn(item, " \t;,");
		bool named = name == 4 && strncasecmp(item, "gzip", 4) == 0;
		if (named)
			return !is_refused(item + name, length - name);
		item += length;
	}
	return false;
}

bool dl_asset_matches(const struct dl_asset *asset, const char *if_none_match)
{
	return if_none_match &&
	       (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, asset->etag));
}
