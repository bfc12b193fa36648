#include "core/crypto/sign.h"

#include "core/base/bytes.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { SCALAR_SIZE = 32, POINT_UNCOMPRESSED = 4, DER_SIGNATURE_MAX = 80 };

struct dl_signing_key {
	EVP_PKEY *pair;
	char public_text[DL_PUBLIC_KEY_TEXT_SIZE];
};

#define DEFINE_RELEASE(name, type, release)                                                        \
	static void name(type **pointer)                                                           \
	{                                                                                          \
		release(*pointer);                                                                 \
	}
DEFINE_RELEASE(release_pkey, EVP_PKEY, EVP_PKEY_free)
DEFINE_RELEASE(release_pkey_context, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_RELEASE(release_digest, EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_RELEASE(release_number, BIGNUM, BN_clear_free)
DEFINE_RELEASE(release_signature, ECDSA_SIG, ECDSA_SIG_free)
DEFINE_RELEASE(release_builder, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_RELEASE(release_params, OSSL_PARAM, OSSL_PARAM_free)
DEFINE_RELEASE(release_der, unsigned char, OPENSSL_free)

#define auto_pkey __attribute__((cleanup(release_pkey))) EVP_PKEY
#define auto_pkey_context __attribute__((cleanup(release_pkey_context))) EVP_PKEY_CTX
#define auto_digest __attribute__((cleanup(release_digest))) EVP_MD_CTX
#define auto_number __attribute__((cleanup(release_number))) BIGNUM
#define auto_signature __attribute__((cleanup(release_signature))) ECDSA_SIG
#define auto_builder __attribute__((cleanup(release_builder))) OSSL_PARAM_BLD
#define auto_params __attribute__((cleanup(release_params))) OSSL_PARAM
#define auto_der __attribute__((cleanup(release_der))) unsigned char

static int library_failed(struct dl_error *err, const char *doing)
{
	char words[256];
	ERR_error_string_n(ERR_get_error(), words, sizeof(words));
	ERR_clear_error();
	return dl_error_set(err, DL_E_CRYPTO, "%s: %s", doing, words);
}

/* A key from its point and, when not NULL, its scalar; the caller checks the result. */
static EVP_PKEY *make_key(const uint8_t point[DL_PUBLIC_KEY_SIZE], const BIGNUM *scalar)
{
	auto_builder *builder = OSSL_PARAM_BLD_new();
	auto_pkey_context *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!builder || !context)
		return NULL;
	if (!OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
					      DL_PUBLIC_KEY_SIZE))
		return NULL;
	if (scalar && !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar))
		return NULL;
	auto_params *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *key = NULL;
	if (!params || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			      params) != 1)
		return NULL;
	return key;
}

static int get_number(const EVP_PKEY *key, const char *name, uint8_t out[SCALAR_SIZE])
{
	auto_number *number = NULL;
	if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
		return -1;
	return BN_bn2binpad(number, out, SCALAR_SIZE) == SCALAR_SIZE ? 0 : -1;
}

static int wrap_pair(EVP_PKEY *pair, struct dl_signing_key **ret_key, struct dl_error *err)
{
	uint8_t point[DL_PUBLIC_KEY_SIZE] = { POINT_UNCOMPRESSED };
	if (get_number(pair, OSSL_PKEY_PARAM_EC_PUB_X, point + 1) < 0 ||
	    get_number(pair, OSSL_PKEY_PARAM_EC_PUB_Y, point + 1 + SCALAR_SIZE) < 0)
		return library_failed(err, "reading a public key");
	struct dl_signing_key *key = DL_NEW(struct dl_signing_key);
	EVP_PKEY_up_ref(pair);
	key->pair = pair;
	dl_hex_encode(point, sizeof(point), key->public_text);
	*ret_key = key;
	return 0;
}

int dl_signing_key_generate(struct dl_signing_key **ret_key, struct dl_error *err)
{
	auto_pkey *pair = EVP_EC_gen("P-256");
	if (!pair)
		return library_failed(err, "making a key");
	return wrap_pair(pair, ret_key, err);
}

int dl_signing_key_import(const char *private_text, struct dl_signing_key **ret_key,
			  struct dl_error *err)
{
	uint8_t parts[3 * SCALAR_SIZE], point[DL_PUBLIC_KEY_SIZE] = { POINT_UNCOMPRESSED };
	int r = dl_hex_decode(private_text, parts, sizeof(parts), err);
	if (r < 0)
		return dl_error_prefix(err, r, "private key");
	memcpy(point + 1, parts + SCALAR_SIZE, sizeof(point) - 1);
	auto_number *scalar = BN_bin2bn(parts, SCALAR_SIZE, BN_secure_new());
	OPENSSL_cleanse(parts, sizeof(parts));
	if (!scalar)
		return library_failed(err, "reading a private key");
	auto_pkey *pair = make_key(point, scalar);
	auto_pkey_context *check = pair ? EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL) : NULL;
	if (!check || EVP_PKEY_check(check) != 1) {
		ERR_clear_error();
		return dl_error_set(err, DL_E_INVALID, "private key is not a pair on P-256");
	}
	return wrap_pair(pair, ret_key, err);
}

int dl_signing_key_export(const struct dl_signing_key *key,
			  char out[DL_PRIVATE_KEY_TEXT_SIZE], struct dl_error *err)
{
	uint8_t scalar[SCALAR_SIZE];
	if (get_number(key->pair, OSSL_PKEY_PARAM_PRIV_KEY, scalar) < 0)
		return library_failed(err, "exporting a private key");
	dl_hex_encode(scalar, sizeof(scalar), out);
	OPENSSL_cleanse(scalar, sizeof(scalar));
	/* The point without its leading 04. */
	memcpy(out + 2 * SCALAR_SIZE, key->public_text + 2, sizeof(key->public_text) - 2);
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
	EVP_PKEY_free(key->pair);
	free(key);
}

/* OpenSSL speaks DER; the wire carries two numbers of fixed size. */
static int raw_of_der(const unsigned char *der, size_t size, uint8_t raw[DL_SIGNATURE_SIZE])
{
	auto_signature *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
	if (!signature)
		return -1;
	if (BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, SCALAR_SIZE) != SCALAR_SIZE ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + SCALAR_SIZE, SCALAR_SIZE) !=
		    SCALAR_SIZE)
		return -1;
	return 0;
}

/* Size of the DER text written to *ret_der, or a negative number. */
static int der_of_raw(const uint8_t raw[DL_SIGNATURE_SIZE], unsigned char **ret_der)
{
	auto_signature *signature = ECDSA_SIG_new();
	auto_number *r = BN_bin2bn(raw, SCALAR_SIZE, NULL);
	auto_number *s = BN_bin2bn(raw + SCALAR_SIZE, SCALAR_SIZE, NULL);
	if (!signature || !r || !s || ECDSA_SIG_set0(signature, r, s) != 1)
		return -1;
	r = s = NULL; /* the signature owns them now */
	return i2d_ECDSA_SIG(signature, ret_der);
}

int dl_sign(const struct dl_signing_key *key, const void *data, size_t size,
	    char out[DL_SIGNATURE_TEXT_SIZE], struct dl_error *err)
{
	auto_digest *digest = EVP_MD_CTX_new();
	unsigned char der[DER_SIGNATURE_MAX];
	size_t der_size = sizeof(der);
	uint8_t raw[DL_SIGNATURE_SIZE];
	if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key->pair) != 1 ||
	    EVP_DigestSign(digest, der, &der_size, data, size) != 1 ||
	    raw_of_der(der, der_size, raw) < 0)
		return library_failed(err, "signing");
	dl_hex_encode(raw, sizeof(raw), out);
	return 0;
}

static int check_signature(EVP_PKEY *key, const void *data, size_t size,
			   const uint8_t raw[DL_SIGNATURE_SIZE], struct dl_error *err)
{
	auto_der *der = NULL;
	int der_size = der_of_raw(raw, &der);
	auto_digest *digest = EVP_MD_CTX_new();
	if (der_size < 0 || !digest ||
	    EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key) != 1)
		return library_failed(err, "verifying");
	/* Zero and negative alike: numbers out of range are reported as errors. */
	if (EVP_DigestVerify(digest, der, (size_t)der_size, data, size) != 1) {
		ERR_clear_error();
		return dl_error_set(err, DL_E_DENIED, "the signature does not fit key and data");
	}
	return 0;
}

int dl_verify(const char *public_key, const void *data, size_t size, const char *signature,
	      struct dl_error *err)
{
	uint8_t point[DL_PUBLIC_KEY_SIZE], raw[DL_SIGNATURE_SIZE];
	int r = dl_hex_decode(public_key, point, sizeof(point), err);
	if (r < 0)
		return dl_error_prefix(err, r, "public key");
	r = dl_hex_decode(signature, raw, sizeof(raw), err);
	if (r < 0)
		return dl_error_prefix(err, r, "signature");
	auto_pkey *key = point[0] == POINT_UNCOMPRESSED ? make_key(point, NULL) : NULL;
	if (!key) {
		ERR_clear_error();
		return dl_error_set(err, DL_E_INVALID, "public key is not a point on P-256");
	}
	return check_signature(key, data, size, raw, err);
}
