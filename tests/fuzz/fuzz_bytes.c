/* Any bytes come back from their spelling, and any accepted text is the
 * spelling of what it was read as. */
#include "fuzz.h"

#include "core/base/bytes.h"
#include "core/base/mem.h"

#include <string.h>

static void bytes_come_back(const uint8_t *data, size_t size)
{
	dl_autofree char *text = dl_bytes_encode(data, size);
	dl_autofree char *back = NULL;
	size_t back_size = 0;
	must(dl_bytes_decode(text, &back, &back_size, NULL) == 0);
	must(back_size == size && (size == 0 || memcmp(back, data, size) == 0));
}

static void accepted_text_is_the_one_spelling(const uint8_t *data, size_t size)
{
	dl_autofree char *text = dl_strndup((const char *)data, size);
	dl_autofree char *bytes = NULL;
	size_t bytes_size = 0;
	if (dl_bytes_decode(text, &bytes, &bytes_size, NULL) < 0)
		return;
	dl_autofree char *again = dl_bytes_encode(bytes, bytes_size);
	must(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bytes_come_back(data, size);
	if (size > 0)
		accepted_text_is_the_one_spelling(data, size);
	return 0;
}
