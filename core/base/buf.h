/* A growing buffer of bytes, always followed by a NUL that is not counted. */
#ifndef DL_CORE_BASE_BUF_H
#define DL_CORE_BASE_BUF_H

#include <stddef.h>

struct dl_buf {
	char *data; /* owned; NULL while empty */
	size_t size;
	size_t room;
};

#define DL_BUF_INIT ((struct dl_buf){ 0 })

void dl_buf_append(struct dl_buf *buf, const void *data, size_t size);
void dl_buf_puts(struct dl_buf *buf, const char *text);
void dl_buf_printf(struct dl_buf *buf, const char *format, ...)
	__attribute__((format(DL_PRINTF, 2, 3)));

/* The content as a string the caller owns (never NULL); the buffer is empty afterwards. */
char *dl_buf_take(struct dl_buf *buf);

void dl_buf_free(struct dl_buf *buf);

#define dl_autobuf __attribute__((cleanup(dl_buf_free))) struct dl_buf

#endif
