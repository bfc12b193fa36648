/* Signatures: ECDSA on P-256 with SHA-256 (FIPS 186-5, SEC 1).
 *
 * On the wire a public key is its uncompressed SEC 1 point (04 ‖ x ‖ y) and a
 * signature is r ‖ s, 32 bytes each, both in lower-case hexadecimal. Fixed
 * sizes leave no encoding to choose. Key id = SHA-256 of the point.
 */
#ifndef DL_CORE_CRYPTO_SIGN_H
#define DL_CORE_CRYPTO_SIGN_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum {
	DL_PUBLIC_KEY_SIZE = 65,
	DL_PUBLIC_KEY_TEXT_SIZE = 131,
	DL_SIGNATURE_SIZE = 64,
	DL_SIGNATURE_TEXT_SIZE = 129,
	DL_PRIVATE_KEY_TEXT_SIZE = 193,
	DL_KEY_ID_TEXT_SIZE = 65,
};

struct dl_signing_key; /* private and public half */

int dl_signing_key_generate(struct dl_signing_key **ret_key, struct dl_error *err);

/* The private scalar and the public point's x and y, 32 bytes each, in
 * hexadecimal (CNG cannot compute the point from the scalar). The caller
 * keeps the text in a file of mode 0600 and wipes its copy. Halves that do not
 * belong together are refused. */
int dl_signing_key_import(const char *private_text, struct dl_signing_key **ret_key,
			  struct dl_error *err);
int dl_signing_key_export(const struct dl_signing_key *key,
			  char out[DL_PRIVATE_KEY_TEXT_SIZE], struct dl_error *err);

void dl_signing_key_public(const struct dl_signing_key *key, char out[DL_PUBLIC_KEY_TEXT_SIZE]);

int dl_sign(const struct dl_signing_key *key, const void *data, size_t size,
	    char out[DL_SIGNATURE_TEXT_SIZE], struct dl_error *err);

void dl_signing_key_free(struct dl_signing_key *key);
DL_DEFINE_AUTO(dl_signing_key, dl_signing_key_free)

/* 0 when `signature` is by `public_key` over the data; DL_E_DENIED when it is
 * not; DL_E_INVALID when a text is malformed. No signature is by a point off
 * the curve: which of the two codes says so depends on the system's library. */
int dl_verify(const char *public_key, const void *data, size_t size, const char *signature,
	      struct dl_error *err);

/* SHA-256 of the public point, in hexadecimal. */
int dl_key_id(const char *public_key, char out[DL_KEY_ID_TEXT_SIZE], struct dl_error *err);

#endif
