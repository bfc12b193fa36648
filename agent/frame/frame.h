/* Frames: how link and executor cut the bytes between them into messages.
 *
 * A frame is a 4-byte big-endian length and that many bytes of one JSON
 * object. The reader is fed whatever arrived and gives out whole messages; it
 * holds at most one frame and what was read with it. Both ends treat the other
 * as hostile: a length of zero or over the limit, or bytes that are not an
 * object under core/json's rules, break the reader for good.
 */
#ifndef DL_AGENT_FRAME_FRAME_H
#define DL_AGENT_FRAME_FRAME_H

#include "core/base/buf.h"
#include "core/json/json.h"

enum { DL_FRAME_HEADER_SIZE = 4, DL_FRAME_MAX_BYTES = 9 * 1024 * 1024 };

struct dl_frame_reader {
	struct dl_buf bytes; /* received and not yet given out */
	bool broken;
};

void dl_frame_reader_clear(struct dl_frame_reader *reader);

/* How many more bytes the reader can use before a frame is whole; at least 1,
 * at most DL_FRAME_MAX_BYTES + DL_FRAME_HEADER_SIZE. 0 once it is broken. */
size_t dl_frame_reader_wants(const struct dl_frame_reader *reader);

void dl_frame_reader_feed(struct dl_frame_reader *reader, const void *data, size_t size);

/* The next message (a new reference). DL_E_BUSY: not whole yet; DL_E_LIMIT,
 * DL_E_INVALID: the stream is hostile or broken, end the connection. */
int dl_frame_reader_next(struct dl_frame_reader *reader, json_t **ret_message,
			 struct dl_error *err);

/* Appends one frame. DL_E_LIMIT: the message is too large to send. */
int dl_frame_append(struct dl_buf *out, const json_t *message, struct dl_error *err);

#endif
