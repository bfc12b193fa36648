#include "server/http/loop.h"

#include <openssl/err.h>

static int tls_fail(struct dl_error *err, const char *what, const char *path)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return dl_error_set(err, DL_E_CRYPTO, "%s '%s': %s", what, path,
			    reason ? reason : "not usable");
}

static void context_auto_free(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

int dl_tls_context_new(const char *certificate, const char *private_key, SSL_CTX **ret_context,
		       struct dl_error *err)
{
	__attribute__((cleanup(context_auto_free))) SSL_CTX *context =
		SSL_CTX_new(TLS_server_method());

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION))
		return tls_fail(err, "TLS for", certificate);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Idle long polls are many: their TLS buffers are not kept meanwhile. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return tls_fail(err, "certificate", certificate);
	if (SSL_CTX_use_PrivateKey_file(context, private_key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return tls_fail(err, "private key", private_key);
	*ret_context = DL_TAKE(context);
	return 0;
}
