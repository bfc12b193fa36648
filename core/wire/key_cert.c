#include "core/wire/order.h"

#include <string.h>

enum { KEY_CERT_MAX_BYTES = 4096 };

char *dl_key_cert_to_body(const struct dl_key_cert *cert)
{
	dl_autojson *json = json_object();
	dl_json_put_int(json, "version", 1);
	dl_json_put_str(json, "public_key", cert->public_key);
	dl_json_put_int(json, "not_before", cert->not_before);
	dl_json_put_int(json, "not_after", cert->not_after);
	return dl_json_text(json);
}

static int read_cert(const json_t *json, struct dl_key_cert *cert, struct dl_error *err)
{
	static const char *const members[] = {
		"version", "public_key", "not_before", "not_after", NULL,
	};
	const char *public_key = NULL;
	char key_id[DL_KEY_ID_TEXT_SIZE];
	int64_t version = 0;
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = dl_json_int(json, "version", 1, 1, &version, err);
	if (r == 0)
		r = dl_json_hex(json, "public_key", DL_PUBLIC_KEY_SIZE, &public_key, err);
	if (r == 0)
		r = dl_key_id(public_key, key_id, err);
	if (r == 0)
		r = dl_json_int(json, "not_before", 0, INT64_MAX, &cert->not_before, err);
	if (r == 0)
		r = dl_json_int(json, "not_after", cert->not_before, INT64_MAX, &cert->not_after,
				err);
	if (r == 0)
		memcpy(cert->public_key, public_key, sizeof(cert->public_key));
	return r;
}

int dl_key_cert_from_body(const char *body, struct dl_key_cert *ret, struct dl_error *err)
{
	dl_autojson *json = NULL;
	struct dl_key_cert cert = { 0 };
	int r = dl_json_parse(body, strlen(body), KEY_CERT_MAX_BYTES, &json, err);
	if (r == 0)
		r = read_cert(json, &cert, err);
	if (r < 0)
		return dl_error_prefix(err, r, "key certificate");
	*ret = cert;
	return 0;
}
