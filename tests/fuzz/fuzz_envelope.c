/* No envelope but the one that was signed is accepted. The key is the one
 * RFC 6979 publishes (A.2.5); the corpus holds one envelope signed with it. */
#include "fuzz.h"

#include "core/wire/envelope.h"

#include <string.h>

static const char public_key[] =
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char signed_body[] = "{\"version\":1}";

enum { LIMIT = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autojson *envelope = NULL;
	const char *body = NULL;
	if (dl_json_parse((const char *)data, size, LIMIT, &envelope, NULL) < 0)
		return 0;
	if (dl_envelope_verify(envelope, DL_TYPE_ORDER, public_key, LIMIT, &body, NULL) == 0)
		must(strcmp(body, signed_body) == 0);
	return 0;
}
