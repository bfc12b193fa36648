#include "core/crypto/sha256.h"

#include <windows.h>

#include <bcrypt.h>
#include <stdio.h>

/* BCryptHashData takes a ULONG. */
enum { HASH_CHUNK = 1 << 30 };

struct dl_sha256 {
	BCRYPT_ALG_HANDLE provider;
	BCRYPT_HASH_HANDLE hash;
};

/* A hash that cannot be computed leaves nothing to go on with, like lack of memory. */
static void must(NTSTATUS status)
{
	if (BCRYPT_SUCCESS(status))
		return;
	fputs("dislodge: the system has no SHA-256\n", stderr);
	abort();
}

struct dl_sha256 *dl_sha256_new(void)
{
	struct dl_sha256 *hash = DL_NEW(struct dl_sha256);
	must(BCryptOpenAlgorithmProvider(&hash->provider, BCRYPT_SHA256_ALGORITHM, NULL, 0));
	must(BCryptCreateHash(hash->provider, &hash->hash, NULL, 0, NULL, 0, 0));
	return hash;
}

void dl_sha256_add(struct dl_sha256 *hash, const void *data, size_t size)
{
	const UCHAR *bytes = data;
	while (size > 0) {
		ULONG chunk = size < HASH_CHUNK ? (ULONG)size : HASH_CHUNK;
		must(BCryptHashData(hash->hash, (PUCHAR)bytes, chunk, 0));
		bytes += chunk;
		size -= chunk;
	}
}

void dl_sha256_finish(struct dl_sha256 *hash, uint8_t out[DL_SHA256_SIZE])
{
	must(BCryptFinishHash(hash->hash, out, DL_SHA256_SIZE, 0));
}

void dl_sha256_free(struct dl_sha256 *hash)
{
	if (!hash)
		return;
	BCryptDestroyHash(hash->hash);
	BCryptCloseAlgorithmProvider(hash->provider, 0);
	free(hash);
}
