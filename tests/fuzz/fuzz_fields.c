/* What a query or form says first is found first, and nothing is found twice. */
#include "fuzz.h"

#include "core/base/mem.h"
#include "server/http/fields.h"

#include <string.h>

static size_t count_pairs(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '&';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autofree char *text = dl_strndup((const char *)data, size);
	dl_auto(dl_fields) fields = NULL;

	if (dl_fields_parse(text, &fields, NULL) < 0)
		return 0;
	size_t plain = strcspn(text, "=%+&"), found = 0;
	must(count_pairs(text) <= DL_FIELDS_MAX);
	if (text[plain] != '=')
		return 0;
	dl_autofree char *name = dl_strndup(text, plain);
	while (dl_fields_nth(fields, name, found))
		found++;
	must(found >= 1 && found <= count_pairs(text));
	must(!dl_fields_nth(fields, name, found + 1));
	size_t value = strcspn(text + plain + 1, "%+&\r"); /* CR LF becomes LF */
	if (!text[plain + 1 + value] || text[plain + 1 + value] == '&')
		must(!strncmp(dl_fields_nth(fields, name, 0), text + plain + 1, value));
	return 0;
}
