/* SHA-256 (FIPS 180-4). Bodies: OpenSSL on Linux, CNG on Windows. */
#ifndef DL_CORE_CRYPTO_SHA256_H
#define DL_CORE_CRYPTO_SHA256_H

#include "core/base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum { DL_SHA256_SIZE = 32, DL_SHA256_TEXT_SIZE = 65 };

struct dl_sha256;

struct dl_sha256 *dl_sha256_new(void);
void dl_sha256_add(struct dl_sha256 *hash, const void *data, size_t size);
/* May be called once; the object must still be freed. */
void dl_sha256_finish(struct dl_sha256 *hash, uint8_t out[DL_SHA256_SIZE]);
void dl_sha256_free(struct dl_sha256 *hash);
DL_DEFINE_AUTO(dl_sha256, dl_sha256_free)

void dl_sha256_of(const void *data, size_t size, uint8_t out[DL_SHA256_SIZE]);

/* Lower-case hexadecimal digest with its NUL. */
void dl_sha256_text(const void *data, size_t size, char out[DL_SHA256_TEXT_SIZE]);

#endif
