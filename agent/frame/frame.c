#include "agent/frame/frame.h"

#include "core/base/mem.h"

#include <string.h>

void dl_frame_reader_clear(struct dl_frame_reader *reader)
{
	dl_buf_free(&reader->bytes);
	reader->broken = false;
}

static size_t announced_size(const struct dl_frame_reader *reader)
{
	const unsigned char *head = (const unsigned char *)reader->bytes.data;
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

size_t dl_frame_reader_wants(const struct dl_frame_reader *reader)
{
	if (reader->broken)
		return 0;
	if (reader->bytes.size < DL_FRAME_HEADER_SIZE)
		return DL_FRAME_HEADER_SIZE - reader->bytes.size;
	size_t whole = DL_FRAME_HEADER_SIZE + announced_size(reader);
	if (whole > DL_FRAME_HEADER_SIZE + DL_FRAME_MAX_BYTES || reader->bytes.size >= whole)
		return 1; /* dl_frame_reader_next has something to say first */
	return whole - reader->bytes.size;
}

void dl_frame_reader_feed(struct dl_frame_reader *reader, const void *data, size_t size)
{
	if (!reader->broken)
		dl_buf_append(&reader->bytes, data, size);
}

static int break_reader(struct dl_frame_reader *reader, int code)
{
	dl_buf_free(&reader->bytes);
	reader->broken = true;
	return code;
}

static void drop_front(struct dl_buf *bytes, size_t count)
{
	if (count == bytes->size) {
		dl_buf_free(bytes); /* a survey's megabytes are not kept for the next small frame */
		return;
	}
	memmove(bytes->data, bytes->data + count, bytes->size - count + 1);
	bytes->size -= count;
}

int dl_frame_reader_next(struct dl_frame_reader *reader, json_t **ret_message,
			 struct dl_error *err)
{
	if (reader->broken)
		return dl_error_set(err, DL_E_INVALID, "the stream broke before");
	if (reader->bytes.size < DL_FRAME_HEADER_SIZE)
		return dl_error_set(err, DL_E_BUSY, "no whole frame yet");
	size_t size = announced_size(reader);
	if (size == 0 || size > DL_FRAME_MAX_BYTES)
		return break_reader(reader, dl_error_set(err, DL_E_LIMIT,
			"a frame announces %zu bytes; 1 to %d are allowed", size,
			DL_FRAME_MAX_BYTES));
	if (reader->bytes.size < DL_FRAME_HEADER_SIZE + size)
		return dl_error_set(err, DL_E_BUSY, "no whole frame yet");

	dl_autojson *message = NULL;
	int r = dl_json_parse(reader->bytes.data + DL_FRAME_HEADER_SIZE, size, DL_FRAME_MAX_BYTES,
			      &message, err);
	if (r < 0)
		return break_reader(reader, dl_error_prefix(err, r, "reading a frame"));
	if (!json_is_object(message))
		return break_reader(reader, dl_error_set(err, DL_E_INVALID,
							 "a frame is not an object"));
	drop_front(&reader->bytes, DL_FRAME_HEADER_SIZE + size);
	*ret_message = DL_TAKE(message);
	return 0;
}

int dl_frame_append(struct dl_buf *out, const json_t *message, struct dl_error *err)
{
	dl_autofree char *text = dl_json_text(message);
	size_t size = strlen(text);
	if (size == 0 || size > DL_FRAME_MAX_BYTES)
		return dl_error_set(err, DL_E_LIMIT, "a message of %zu bytes fits no frame", size);
	unsigned char head[DL_FRAME_HEADER_SIZE] = {
		(unsigned char)(size >> 24), (unsigned char)(size >> 16),
		(unsigned char)(size >> 8), (unsigned char)size,
	};
	dl_buf_append(out, head, sizeof(head));
	dl_buf_append(out, text, size);
	return 0;
}
