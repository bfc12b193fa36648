/* However the bytes are cut, the same messages come out, none of them twice,
 * and the reader never holds more than one frame and what was fed at once. */
#include "fuzz.h"

#include "agent/frame/frame.h"

static size_t read_all(const uint8_t *data, size_t size, size_t piece, json_t *messages)
{
	struct dl_frame_reader reader = { 0 };
	for (size_t at = 0; at < size; at += piece) {
		size_t now = size - at < piece ? size - at : piece;
		dl_frame_reader_feed(&reader, data + at, now);
		must(reader.bytes.size <= size);
		for (json_t *message = NULL; dl_frame_reader_next(&reader, &message, NULL) == 0;) {
			must(json_is_object(message));
			json_array_append_new(messages, message);
		}
		must(reader.broken == (dl_frame_reader_wants(&reader) == 0));
	}
	size_t left = reader.bytes.size;
	dl_frame_reader_clear(&reader);
	return left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autojson *whole = json_array(), *pieces = json_array();
	size_t left = read_all(data, size, size ? size : 1, whole);
	must(read_all(data, size, 3, pieces) == left);
	must(json_equal(whole, pieces));
	return 0;
}
