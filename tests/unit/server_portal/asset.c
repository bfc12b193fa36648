/* Static files: found by address only, compressed where the browser agrees. */
#include "core/base/mem.h"
#include "server/portal/asset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { FIRST_LOAD_MAX_BYTES = 120 * 1024 };

static void finds_a_file_by_the_address_with_its_hash_only(void **state)
{
	(void)state;
	const char *url = dl_asset_url("portal.css");
	const struct dl_asset *asset = dl_asset_find(url);
	assert_non_null(asset);
	assert_string_equal(asset->name, "portal.css");
	assert_null(dl_asset_find("/static/portal.css"));
	assert_null(dl_asset_find(dl_asset_url("no-such-file.css")));
}

static void packed_bytes_are_the_same_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < dl_asset_count; i++) {
		const struct dl_asset *asset = &dl_assets[i];
		if (!asset->gzip)
			continue;
		dl_autofree unsigned char *out = dl_alloc(asset->plain_size + 1, 1);
		z_stream stream = {
			.next_in = (unsigned char *)asset->gzip,
			.avail_in = (unsigned)asset->gzip_size,
			.next_out = out,
			.avail_out = (unsigned)asset->plain_size + 1,
		};
		assert_int_equal(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
		assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
		assert_int_equal(stream.total_out, asset->plain_size);
		assert_memory_equal(out, asset->plain, asset->plain_size);
		inflateEnd(&stream);
	}
}

static void all_files_together_are_a_small_first_load(void **state)
{
	(void)state;
	size_t total = 0;
	for (size_t i = 0; i < dl_asset_count; i++)
		total += dl_assets[i].gzip ? dl_assets[i].gzip_size : dl_assets[i].plain_size;
	assert_in_range(total, 1, FIRST_LOAD_MAX_BYTES);
}

static void packs_only_when_the_browser_takes_it(void **state)
{
	(void)state;
	static const char *const takes[] = { "gzip", "deflate, gzip;q=1.0, *;q=0.5", "br , GZIP",
					     "gzip;q=0.001" };
	static const char *const refuses[] = { "", "br", "gzip;q=0", "gzip; q=0.000", "xgzip",
					       "gzipped", "identity" };
	for (size_t i = 0; i < DL_COUNT(takes); i++)
		assert_true(dl_asset_accepts_gzip(takes[i]));
	for (size_t i = 0; i < DL_COUNT(refuses); i++)
		assert_false(dl_asset_accepts_gzip(refuses[i]));
	assert_false(dl_asset_accepts_gzip(NULL));
}

static void knows_its_own_tag_again(void **state)
{
	(void)state;
	const struct dl_asset *asset = &dl_assets[0];
	char several[128];
	snprintf(several, sizeof(several), "\"other\", W/%s", asset->etag);
	assert_true(dl_asset_matches(asset, asset->etag));
	assert_true(dl_asset_matches(asset, several));
	assert_true(dl_asset_matches(asset, "*"));
	assert_false(dl_asset_matches(asset, "\"other\""));
	assert_false(dl_asset_matches(asset, NULL));
}

static void fits_the_framework_to_the_system_theme(void **state)
{
	(void)state;
	const struct dl_asset *asset = dl_asset_find(dl_asset_url("portal.css"));
	dl_autofree char *css = dl_strndup((const char *)asset->plain, asset->plain_size);
	assert_non_null(strstr(css, "@media (prefers-color-scheme:dark){:root{"));
	assert_null(strstr(css, "data-bs-theme"));
	assert_non_null(strstr(css, ".btn-primary"));
	assert_null(strstr(css, ".carousel"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_file_by_the_address_with_its_hash_only),
		cmocka_unit_test(packed_bytes_are_the_same_file),
		cmocka_unit_test(all_files_together_are_a_small_first_load),
		cmocka_unit_test(packs_only_when_the_browser_takes_it),
		cmocka_unit_test(knows_its_own_tag_again),
		cmocka_unit_test(fits_the_framework_to_the_system_theme),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
