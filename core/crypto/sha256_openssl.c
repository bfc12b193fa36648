#include "core/crypto/sha256.h"

#include <openssl/crypto.h>
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

/* Looked up in the library's providers once: each time anew it costs more than a small file's hash. */
static EVP_MD *algorithm;

static void fetch_algorithm(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(algorithm != NULL);
}

struct dl_sha256 *dl_sha256_new(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
	struct dl_sha256 *hash = DL_NEW(struct dl_sha256);
	hash->context = EVP_MD_CTX_new();
	must(hash->context != NULL);
	must(CRYPTO_THREAD_run_once(&once, fetch_algorithm));
	must(EVP_DigestInit_ex(hash->context, algorithm, NULL));
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
