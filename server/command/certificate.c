#include "server/command/certificate.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/crypto/random.h"
#include "core/crypto/sha256.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { VALID_DAYS = 3650, NAME_MAX_BYTES = 253 };

#define DEFINE_RELEASE(type, release)                                                              \
	static void type##_release(type **pointer)                                                 \
	{                                                                                          \
		release(*pointer);                                                                 \
	}                                                                                          \
	struct dl_semicolon
DEFINE_RELEASE(X509, X509_free);
DEFINE_RELEASE(EVP_PKEY, EVP_PKEY_free);
DEFINE_RELEASE(BIO, BIO_free_all);
#define AUTO(type) __attribute__((cleanup(type##_release))) type *

static int fail(struct dl_error *err, const char *what)
{
	return dl_error_set(err, DL_E_CRYPTO, "the TLS certificate could not be %s", what);
}

/* "DNS:a,IP:1.2.3.4": refuses what could smuggle in more than one name. */
static int names_to_san(const char *const *names, size_t count, char **ret, struct dl_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.:";
	static const char *const loopback[] = { "localhost", "127.0.0.1", "::1" };
	dl_autobuf san = DL_BUF_INIT;
	unsigned char address[16];

	for (size_t i = 0; i < count + DL_COUNT(loopback); i++) {
		const char *name = i < count ? names[i] : loopback[i - count];
		if (!*name || strlen(name) > NAME_MAX_BYTES || name[strspn(name, allowed)])
			return dl_error_set(err, DL_E_INVALID,
					    "'%s' is not a host name or address", name);
		bool is_address = inet_pton(AF_INET, name, address) == 1 ||
				  inet_pton(AF_INET6, name, address) == 1;
		if (!is_address && strchr(name, ':'))
			return dl_error_set(err, DL_E_INVALID,
					    "'%s' is not a host name or address", name);
		dl_buf_printf(&san, "%s%s:%s", i ? "," : "", is_address ? "IP" : "DNS", name);
	}
	*ret = dl_buf_take(&san);
	return 0;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool added = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return added;
}

static bool fill_certificate(X509 *certificate, EVP_PKEY *key, const char *san)
{
	uint8_t serial[16];
	X509_NAME *name = X509_get_subject_name(certificate);

	dl_random(serial, sizeof(serial));
	serial[0] &= 0x7f;
	BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
	bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok && X509_set_version(certificate, X509_VERSION_3) &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, NULL) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)"Dislodge server", -1, -1, 0) &&
	       X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
	       add_extension(certificate, NID_subject_alt_name, san) &&
	       X509_sign(certificate, key, EVP_sha256());
}

static char *take_pem(BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	return dl_strndup(data, (size_t)size);
}

int dl_certificate_make(const char *const *names, size_t count, char **ret_certificate,
			char **ret_key, struct dl_error *err)
{
	dl_autofree char *san = NULL;
	AUTO(EVP_PKEY) key = EVP_EC_gen("P-256");
	AUTO(X509) certificate = X509_new();
	AUTO(BIO) certificate_pem = BIO_new(BIO_s_mem());
	AUTO(BIO) key_pem = BIO_new(BIO_s_secmem());

	int r = names_to_san(names, count, &san, err);
	if (r < 0)
		return r;
	if (!key || !certificate || !certificate_pem || !key_pem ||
	    !fill_certificate(certificate, key, san))
		return fail(err, "made");
	if (!PEM_write_bio_X509(certificate_pem, certificate) ||
	    !PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL))
		return fail(err, "written");
	*ret_certificate = take_pem(certificate_pem);
	*ret_key = take_pem(key_pem);
	return 0;
}

static int certificate_read(const char *path, X509 **ret, struct dl_error *err)
{
	AUTO(BIO) file = BIO_new_file(path, "r");
	X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;

	if (!certificate)
		return dl_error_set(err, DL_E_IO, "'%s' holds no certificate", path);
	*ret = certificate;
	return 0;
}

int dl_certificate_pin(const char *path, char **ret_pin, struct dl_error *err)
{
	AUTO(X509) certificate = NULL;
	uint8_t digest[DL_SHA256_SIZE];
	unsigned char base64[4 * ((DL_SHA256_SIZE + 2) / 3) + 1], *der = NULL;
	dl_autobuf pin = DL_BUF_INIT;

	int r = certificate_read(path, &certificate, err);
	if (r < 0)
		return r;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	if (size <= 0)
		return fail(err, "read");
	dl_sha256_of(der, (size_t)size, digest);
	OPENSSL_free(der);
	EVP_EncodeBlock(base64, digest, sizeof(digest));
	dl_buf_printf(&pin, "sha256//%s", base64);
	*ret_pin = dl_buf_take(&pin);
	return 0;
}

static char *general_name_text(const GENERAL_NAME *name)
{
	char text[INET6_ADDRSTRLEN];

	if (name->type == GEN_DNS)
		return dl_strndup((const char *)ASN1_STRING_get0_data(name->d.dNSName),
				  (size_t)ASN1_STRING_length(name->d.dNSName));
	if (name->type != GEN_IPADD)
		return NULL;
	int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
	if (!inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text)))
		return NULL;
	return dl_strdup(text);
}

int dl_certificate_name(const char *path, char **ret_name, struct dl_error *err)
{
	AUTO(X509) certificate = NULL;
	char *name = NULL;

	int r = certificate_read(path, &certificate, err);
	if (r < 0)
		return r;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; !name && i < sk_GENERAL_NAME_num(names); i++)
		name = general_name_text(sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	if (!name)
		return dl_error_set(err, DL_E_INVALID, "the certificate '%s' names no host", path);
	*ret_name = name;
	return 0;
}
