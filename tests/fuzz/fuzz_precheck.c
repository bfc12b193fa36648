/* A head the server's strict check admits has one reading only. */
#include "fuzz.h"

#include "server/http/precheck.h"

#include <string.h>
#include <strings.h>

static size_t count(const char *head, size_t size, const char *word)
{
	size_t found = 0, length = strlen(word);

	for (size_t i = 0; i + length <= size; i++)
		found += !strncasecmp(head + i, word, length);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *head = (const char *)data;
	struct dl_precheck check;
	struct dl_error err;

	if (dl_precheck_head(head, size, &check, &err))
		return 0;
	must(count(head, size, "\r\n\r\n") == 1);
	must(!memcmp(head + size - 4, "\r\n\r\n", 4));
	must(!memchr(head, '\0', size));
	must(count(head, size, "\n") == count(head, size, "\r\n"));
	must(count(head, size, "\r") == count(head, size, "\r\n"));
	must(count(head, size, "\r\nHost:") == 1);
	must(count(head, size, "\r\nContent-Length:") <= 1);
	must(!count(head, size, "\r\nTransfer-Encoding:"));
	must(check.content_length >= 0);
	must(check.path > head && check.path + check.path_size < head + size && *check.path == '/');
	return 0;
}
