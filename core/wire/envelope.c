#include "core/wire/envelope.h"

#include "core/base/buf.h"

#include <string.h>

/* DSSE v1, "pre-authentication encoding". */
static void encode(struct dl_buf *out, const char *type, const char *body)
{
	size_t body_size = strlen(body);
	dl_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, body_size);
	dl_buf_append(out, body, body_size);
}

int dl_envelope_sign(const struct dl_signing_key *key, const char *type, const char *body,
		     json_t **ret_envelope, struct dl_error *err)
{
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE], keyid[DL_KEY_ID_TEXT_SIZE];
	char signature[DL_SIGNATURE_TEXT_SIZE];
	dl_signing_key_public(key, public_key);
	int r = dl_key_id(public_key, keyid, err);
	if (r < 0)
		return r;
	dl_autojson *text = json_string(body);
	if (!text)
		return dl_error_set(err, DL_E_INVALID, "the body is not UTF-8");
	dl_autobuf encoded = DL_BUF_INIT;
	encode(&encoded, type, body);
	r = dl_sign(key, encoded.data, encoded.size, signature, err);
	if (r < 0)
		return r;
	json_t *envelope = json_object();
	dl_json_put_str(envelope, "keyid", keyid);
	dl_json_put_str(envelope, "sig", signature);
	dl_json_put(envelope, "body", DL_TAKE(text));
	*ret_envelope = envelope;
	return 0;
}

int dl_envelope_verify(const json_t *envelope, const char *type, const char *public_key,
		       size_t body_limit, const char **ret_body, struct dl_error *err)
{
	static const char *const members[] = { "keyid", "sig", "body", NULL };
	const char *keyid = NULL, *signature = NULL, *body = NULL;
	char expected[DL_KEY_ID_TEXT_SIZE];
	int r = dl_json_only(envelope, members, err);
	if (r == 0)
		r = dl_json_hex(envelope, "keyid", DL_SHA256_SIZE, &keyid, err);
	if (r == 0)
		r = dl_json_hex(envelope, "sig", DL_SIGNATURE_SIZE, &signature, err);
	if (r == 0)
		r = dl_json_str(envelope, "body", body_limit, &body, err);
	if (r == 0)
		r = dl_key_id(public_key, expected, err);
	if (r < 0)
		return dl_error_prefix(err, r, "envelope");
	if (strcmp(keyid, expected) != 0)
		return dl_error_set(err, DL_E_DENIED, "envelope: signed by another key");
	dl_autobuf encoded = DL_BUF_INIT;
	encode(&encoded, type, body);
	r = dl_verify(public_key, encoded.data, encoded.size, signature, err);
	if (r < 0)
		return dl_error_prefix(err, r, "envelope");
	*ret_body = body;
	return 0;
}
