#include "server/portal/asset.h"
#include "server/portal/handler.h"

void dl_portal_static(struct dl_request *request, void *app)
{
	(void)app;
	const struct dl_asset *asset = dl_asset_find(dl_request_path(request));
	if (!asset) {
		dl_reply_error(request, 404, "not_found", "no such file");
		return;
	}
	dl_reply_header(request, "Cache-Control", "public, max-age=31536000, immutable");
	dl_reply_header(request, "ETag", asset->etag);
	dl_reply_header(request, "Vary", "Accept-Encoding");
	if (dl_asset_matches(asset, dl_request_header(request, "If-None-Match"))) {
		dl_reply_empty(request, 304);
		return;
	}
	bool packed = asset->gzip && dl_asset_accepts_gzip(dl_request_header(request, "Accept-Encoding"));
	if (packed)
		dl_reply_header(request, "Content-Encoding", "gzip");
	dl_reply(request, 200, asset->type, packed ? asset->gzip : asset->plain,
		 packed ? asset->gzip_size : asset->plain_size);
}
