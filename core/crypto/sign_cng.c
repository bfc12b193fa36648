#include "core/crypto/sign.h"

#include "core/base/bytes.h"
#include "core/crypto/sha256.h"

#include <windows.h>

#include <bcrypt.h>
#include <stdbool.h>
#include <string.h>

enum { SCALAR_SIZE = 32, POINT_UNCOMPRESSED = 4 };

/* CNG's form of a key: head, x, y and, for a pair, the scalar. */
struct key_blob {
	BCRYPT_ECCKEY_BLOB head;
	uint8_t point[2 * SCALAR_SIZE];
	uint8_t scalar[SCALAR_SIZE];
};

enum { PUBLIC_BLOB_SIZE = offsetof(struct key_blob, scalar) };

/* A provider and one key in it; both may be NULL. */
struct cng_key {
	BCRYPT_ALG_HANDLE provider;
	BCRYPT_KEY_HANDLE key;
};

struct dl_signing_key {
	struct cng_key pair;
	char public_text[DL_PUBLIC_KEY_TEXT_SIZE];
};

static void cng_key_close(struct cng_key *key)
{
	if (key->key)
		BCryptDestroyKey(key->key);
	if (key->provider)
		BCryptCloseAlgorithmProvider(key->provider, 0);
	*key = (struct cng_key){ 0 };
}

#define auto_cng_key __attribute__((cleanup(cng_key_close))) struct cng_key

static void wipe_blob(struct key_blob *blob)
{
	SecureZeroMemory(blob, sizeof(*blob));
}

#define auto_blob __attribute__((cleanup(wipe_blob))) struct key_blob

static int system_failed(struct dl_error *err, const char *doing, NTSTATUS status)
{
	return dl_error_set(err, DL_E_CRYPTO, "%s: status 0x%08lx", doing, (unsigned long)status);
}

static NTSTATUS open_provider(struct cng_key *key)
{
	return BCryptOpenAlgorithmProvider(&key->provider, BCRYPT_ECDSA_P256_ALGORITHM, NULL, 0);
}

static NTSTATUS import_key(struct cng_key *key, struct key_blob *blob, bool pair)
{
	NTSTATUS status = open_provider(key);
	if (!BCRYPT_SUCCESS(status))
		return status;
	blob->head.dwMagic = pair ? BCRYPT_ECDSA_PRIVATE_P256_MAGIC :
				    BCRYPT_ECDSA_PUBLIC_P256_MAGIC;
	blob->head.cbKey = SCALAR_SIZE;
	return BCryptImportKeyPair(key->provider, NULL,
				   pair ? BCRYPT_ECCPRIVATE_BLOB : BCRYPT_ECCPUBLIC_BLOB,
				   &key->key, (PUCHAR)blob,
				   pair ? sizeof(*blob) : PUBLIC_BLOB_SIZE, 0);
}

static NTSTATUS export_key(const struct cng_key *key, struct key_blob *blob)
{
	ULONG size = 0;
	return BCryptExportKey(key->key, NULL, BCRYPT_ECCPRIVATE_BLOB, (PUCHAR)blob,
			       sizeof(*blob), &size, 0);
}

/* Takes the pair. */
static struct dl_signing_key *wrap_pair(struct cng_key *pair, const struct key_blob *blob)
{
	struct dl_signing_key *key = DL_NEW(struct dl_signing_key);
	key->pair = *pair;
	*pair = (struct cng_key){ 0 };
	memcpy(key->public_text, "04", 2);
	dl_hex_encode(blob->point, sizeof(blob->point), key->public_text + 2);
	return key;
}

int dl_signing_key_generate(struct dl_signing_key **ret_key, struct dl_error *err)
{
	auto_cng_key pair = { 0 };
	auto_blob blob = { 0 };
	NTSTATUS status = open_provider(&pair);
	if (BCRYPT_SUCCESS(status))
		status = BCryptGenerateKeyPair(pair.provider, &pair.key, 8 * SCALAR_SIZE, 0);
	if (BCRYPT_SUCCESS(status))
		status = BCryptFinalizeKeyPair(pair.key, 0);
	if (BCRYPT_SUCCESS(status))
		status = export_key(&pair, &blob);
	if (!BCRYPT_SUCCESS(status))
		return system_failed(err, "making a key", status);
	*ret_key = wrap_pair(&pair, &blob);
	return 0;
}

/* CNG does not promise to compare the scalar with the point: a signature does. */
static int check_pair(const struct dl_signing_key *key)
{
	static const char sample[] = "pair";
	char signature[DL_SIGNATURE_TEXT_SIZE];
	int r = dl_sign(key, sample, sizeof(sample), signature, NULL);
	return r < 0 ? r : dl_verify(key->public_text, sample, sizeof(sample), signature, NULL);
}

int dl_signing_key_import(const char *private_text, struct dl_signing_key **ret_key,
			  struct dl_error *err)
{
	uint8_t parts[3 * SCALAR_SIZE];
	auto_blob blob = { 0 };
	auto_cng_key pair = { 0 };
	int r = dl_hex_decode(private_text, parts, sizeof(parts), err);
	if (r < 0)
		return dl_error_prefix(err, r, "private key");
	memcpy(blob.scalar, parts, SCALAR_SIZE);
	memcpy(blob.point, parts + SCALAR_SIZE, sizeof(blob.point));
	SecureZeroMemory(parts, sizeof(parts));
	if (BCRYPT_SUCCESS(import_key(&pair, &blob, true))) {
		dl_auto(dl_signing_key) key = wrap_pair(&pair, &blob);
		if (check_pair(key) == 0) {
			*ret_key = DL_TAKE(key);
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "private key is not a pair on P-256");
}

int dl_signing_key_export(const struct dl_signing_key *key,
			  char out[DL_PRIVATE_KEY_TEXT_SIZE], struct dl_error *err)
{
	auto_blob blob = { 0 };
	NTSTATUS status = export_key(&key->pair, &blob);
	if (!BCRYPT_SUCCESS(status))
		return system_failed(err, "exporting a private key", status);
	dl_hex_encode(blob.scalar, sizeof(blob.scalar), out);
	dl_hex_encode(blob.point, sizeof(blob.point), out + 2 * SCALAR_SIZE);
	return 0;
}

void dl_signing_key_public(const struct dl_signing_key *key, char out[DL_PUBLIC_KEY_TEXT_SIZE])
{
	memcpy(out, key->public_text, DL_PUBLIC_KEY_TEXT_SIZE);
}

void dl_signing_key_free(struct dl_signing_key *key)
{
	if (!key)
		return;
	cng_key_close(&key->pair);
	free(key);
}

int dl_sign(const struct dl_signing_key *key, const void *data, size_t size,
	    char out[DL_SIGNATURE_TEXT_SIZE], struct dl_error *err)
{
	uint8_t digest[DL_SHA256_SIZE], raw[DL_SIGNATURE_SIZE];
	ULONG written = 0;
	dl_sha256_of(data, size, digest);
	NTSTATUS status = BCryptSignHash(key->pair.key, NULL, digest, sizeof(digest), raw,
					 sizeof(raw), &written, 0);
	if (!BCRYPT_SUCCESS(status) || written != sizeof(raw))
		return system_failed(err, "signing", status);
	dl_hex_encode(raw, sizeof(raw), out);
	return 0;
}

/* 1 … order - 1, as FIPS 186-5 asks of r and s. */
static bool is_in_range(const uint8_t number[SCALAR_SIZE])
{
	static const uint8_t order[SCALAR_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
		0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
	};
	static const uint8_t zero[SCALAR_SIZE];
	return memcmp(number, zero, SCALAR_SIZE) != 0 && memcmp(number, order, SCALAR_SIZE) < 0;
}

/* STATUS_INVALID_SIGNATURE of ntstatus.h, which cannot be included beside windows.h. */
static const NTSTATUS status_invalid_signature = (NTSTATUS)0xC000A000;

static int check_signature(struct cng_key *key, const void *data, size_t size,
			   uint8_t raw[DL_SIGNATURE_SIZE], struct dl_error *err)
{
	uint8_t digest[DL_SHA256_SIZE];
	NTSTATUS status = status_invalid_signature;
	dl_sha256_of(data, size, digest);
	if (is_in_range(raw) && is_in_range(raw + SCALAR_SIZE))
		status = BCryptVerifySignature(key->key, NULL, digest, sizeof(digest), raw,
					       DL_SIGNATURE_SIZE, 0);
	if (BCRYPT_SUCCESS(status))
		return 0;
	if (status == status_invalid_signature)
		return dl_error_set(err, DL_E_DENIED, "the signature does not fit key and data");
	/* With numbers in range only the key can be at fault. */
	return dl_error_set(err, DL_E_INVALID, "public key is not a point on P-256");
}

int dl_verify(const char *public_key, const void *data, size_t size, const char *signature,
	      struct dl_error *err)
{
	uint8_t point[DL_PUBLIC_KEY_SIZE], raw[DL_SIGNATURE_SIZE];
	auto_blob blob = { 0 };
	auto_cng_key key = { 0 };
	int r = dl_hex_decode(public_key, point, sizeof(point), err);
	if (r < 0)
		return dl_error_prefix(err, r, "public key");
	r = dl_hex_decode(signature, raw, sizeof(raw), err);
	if (r < 0)
		return dl_error_prefix(err, r, "signature");
	memcpy(blob.point, point + 1, sizeof(blob.point));
	if (point[0] != POINT_UNCOMPRESSED || !BCRYPT_SUCCESS(import_key(&key, &blob, false)))
		return dl_error_set(err, DL_E_INVALID, "public key is not a point on P-256");
	return check_signature(&key, data, size, raw, err);
}
