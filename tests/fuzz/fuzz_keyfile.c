/* A key file that is accepted is complete and well formed. */
#include "fuzz.h"

#include "agent/executor/enrolment.h"
#include "core/base/bytes.h"

#include <string.h>

static void must_be_hex(const char *text, size_t bytes)
{
	uint8_t decoded[DL_SHA256_SIZE];
	must(dl_hex_decode(text, decoded, bytes, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autofree char *text = dl_strndup((const char *)data, size);
	dl_autokeyfile file = { 0 };
	if (dl_key_file_parse(text, strlen(text), &file, NULL) < 0)
		return 0;
	must(file.server && file.tls_pin);
	must_be_hex(file.key_id, 16);
	must_be_hex(file.secret, 32);
	must_be_hex(file.root_key_id, 32);
	return 0;
}
