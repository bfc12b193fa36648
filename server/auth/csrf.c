#include "server/auth/csrf.h"

#include "core/base/buf.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

void dl_csrf_of_token(const char *session_token, char out[DL_SHA256_TEXT_SIZE])
{
	dl_autobuf text = DL_BUF_INIT;

	dl_buf_printf(&text, "dislodge csrf %s", session_token);
	dl_sha256_text(text.data, text.size, out);
	OPENSSL_cleanse(text.data, text.size);
}

bool dl_csrf_matches(struct dl_request *request, const char *csrf)
{
	const char *given = dl_request_header(request, "X-CSRF-Token");

	if (!given)
		given = dl_request_form(request, "csrf");
	return given && strlen(given) == strlen(csrf) &&
	       !CRYPTO_memcmp(given, csrf, strlen(csrf));
}

bool dl_csrf_same_origin(const struct dl_request *request)
{
	const char *origin = dl_request_header(request, "Origin");
	const char *host = dl_request_header(request, "Host");
	const char *scheme = dl_request_is_tls(request) ? "https://" : "http://";

	if (!origin)
		return true;
	return host && !strncmp(origin, scheme, strlen(scheme)) &&
	       !strcasecmp(origin + strlen(scheme), host);
}
