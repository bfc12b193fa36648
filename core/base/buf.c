#include "core/base/buf.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_room(struct dl_buf *buf, size_t more)
{
	size_t need = buf->size + more + 1;
	if (need <= buf->room)
		return;
	size_t room = buf->room ? buf->room : 64;
	while (room < need)
		room *= 2;
	buf->data = dl_realloc(buf->data, room, 1);
	buf->room = room;
}

void dl_buf_append(struct dl_buf *buf, const void *data, size_t size)
{
	make_room(buf, size);
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void dl_buf_puts(struct dl_buf *buf, const char *text)
{
	dl_buf_append(buf, text, strlen(text));
}

void dl_buf_printf(struct dl_buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size > 0) {
		make_room(buf, (size_t)size);
		vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
		buf->size += (size_t)size;
	}
	va_end(again);
}

char *dl_buf_take(struct dl_buf *buf)
{
	char *data = buf->data ? buf->data : dl_strdup("");
	*buf = DL_BUF_INIT;
	return data;
}

void dl_buf_free(struct dl_buf *buf)
{
	free(buf->data);
	*buf = DL_BUF_INIT;
}
