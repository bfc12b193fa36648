#include "core/crypto/sha256.h"

#include "core/base/bytes.h"

void dl_sha256_of(const void *data, size_t size, uint8_t out[DL_SHA256_SIZE])
{
	dl_auto(dl_sha256) hash = dl_sha256_new();
	dl_sha256_add(hash, data, size);
	dl_sha256_finish(hash, out);
}

void dl_sha256_text(const void *data, size_t size, char out[DL_SHA256_TEXT_SIZE])
{
	uint8_t digest[DL_SHA256_SIZE];
	dl_sha256_of(data, size, digest);
	dl_hex_encode(digest, sizeof(digest), out);
}
