#include "core/crypto/sign.h"

#include "core/base/bytes.h"
#include "core/crypto/sha256.h"

int dl_key_id(const char *public_key, char out[DL_KEY_ID_TEXT_SIZE], struct dl_error *err)
{
	uint8_t point[DL_PUBLIC_KEY_SIZE];
	int r = dl_hex_decode(public_key, point, sizeof(point), err);
	if (r < 0)
		return dl_error_prefix(err, r, "public key");
	if (point[0] != 4)
		return dl_error_set(err, DL_E_INVALID, "public key is not an uncompressed point");
	dl_sha256_text(point, sizeof(point), out);
	return 0;
}
