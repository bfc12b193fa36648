/* Static files of the portal, put into the binary by tools/embed.
 *
 * A file's address carries a hash of its content, so that browsers may keep
 * it for ever and never show an old one.
 */
#ifndef DL_SERVER_PORTAL_ASSET_H
#define DL_SERVER_PORTAL_ASSET_H

#include <stdbool.h>
#include <stddef.h>

struct dl_asset {
	const char *name; /* "portal.css" */
	const char *url;  /* "/static/portal.0123456789ab.css" */
	const char *type; /* media type */
	const char *etag; /* with its quotes */
	const unsigned char *plain;
	size_t plain_size;
	const unsigned char *gzip; /* NULL where it would not be smaller */
	size_t gzip_size;
};

/* Made by tools/embed. */
extern const struct dl_asset dl_assets[];
extern const size_t dl_asset_count;

/* "/static/", which answers 404, when no file has that name. Static. */
const char *dl_asset_url(const char *name);

/* NULL when no file has this address. */
const struct dl_asset *dl_asset_find(const char *url);

/* Whether an Accept-Encoding value (NULL: absent) admits gzip; RFC 9110, section 12.5.3. */
bool dl_asset_accepts_gzip(const char *accept_encoding);

/* Whether an If-None-Match value (NULL: absent) names this file. */
bool dl_asset_matches(const struct dl_asset *asset, const char *if_none_match);

#endif
