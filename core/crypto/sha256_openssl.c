#include "core/crypto/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>

struct dl_sha256 {
	EVP_MD_CTX *context;
};

/* A hash that cannot be computed leaves nothing to go on with, like lack of memory. */
static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("dislodge: the cryptographic library has no SHA-256\n", stderr);
	abort();
}

struct dl_sha256 *dl_sha256_new(void)
{
	struct dl_sha256 *hash = DL_NEW(struct dl_sha256);
	hash->context = EVP_MD_CTX_new();
	must(hash->context != NULL);
	must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
	return hash;
}

void dl_sha256_add(struct dl_sha256 *hash, const void *data, size_t size)
{
	must(EVP_DigestUpdate(hash->context, data, size));
}

void dl_sha256_finish(struct dl_sha256 *hash, uint8_t out[DL_SHA256_SIZE])
{
	must(EVP_DigestFinal_ex(hash->context, out, NULL));
}

void dl_sha256_free(struct dl_sha256 *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}
