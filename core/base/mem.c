#include "core/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
	fputs("dislodge: out of memory\n", stderr);
	abort();
}

void *dl_alloc(size_t count, size_t size)
{
	void *data = calloc(count ? count : 1, size ? size : 1);
	if (!data)
		out_of_memory();
	return data;
}

void *dl_realloc(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		out_of_memory();
	size_t bytes = count * size;
	void *data = realloc(old, bytes ? bytes : 1);
	if (!data)
		out_of_memory();
	return data;
}

char *dl_strndup(const char *text, size_t length)
{
	size_t used = strnlen(text, length);
	char *copy = dl_alloc(used + 1, 1);
	memcpy(copy, text, used);
	return copy;
}

char *dl_strdup(const char *text)
{
	return dl_strndup(text, strlen(text));
}

void *dl_memdup(const void *data, size_t size)
{
	void *copy = dl_alloc(size, 1);
	if (size)
		memcpy(copy, data, size);
	return copy;
}
