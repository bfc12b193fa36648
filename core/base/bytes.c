#include "core/base/bytes.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

/* The characters that must not reach a page or a terminal as they are: see
 * bytes.h. The last noncharacters of each plane are handled by arithmetic. */
static const struct range not_printable[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x2060 }, { 0x2066, 0x2069 }, { 0xd800, 0xdfff },
	{ 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
};

static bool is_printable(uint32_t character)
{
	if (character > 0x10ffff || (character & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < DL_COUNT(not_printable); i++)
		if (character >= not_printable[i].first && character <= not_printable[i].last)
			return false;
	return true;
}

/* Length announced by a lead byte, with the character's bits in it; 0 for none. */
static size_t lead_length(unsigned char lead, uint32_t *ret_bits)
{
	if (lead < 0x80) {
		*ret_bits = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf) {
		*ret_bits = lead & 0x1fu;
		return 2;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		*ret_bits = lead & 0x0fu;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*ret_bits = lead & 0x07u;
		return 4;
	}
	return 0;
}

/* Size of the printable character at `data`, or 0 (RFC 3629: shortest form only). */
static size_t printable_size(const unsigned char *data, size_t size)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t character = 0;
	size_t length = lead_length(data[0], &character);
	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (data[i] & 0x3fu);
	}
	return character >= smallest[length] && is_printable(character) ? length : 0;
}

char *dl_bytes_encode(const void *data, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *bytes = data;
	struct dl_buf text = DL_BUF_INIT;
	for (size_t at = 0; at < size;) {
		size_t length = bytes[at] == '%' ? 0 : printable_size(bytes + at, size - at);
		if (length > 0) {
			dl_buf_append(&text, bytes + at, length);
			at += length;
			continue;
		}
		char escape[3] = { '%', digits[bytes[at] >> 4], digits[bytes[at] & 15] };
		dl_buf_append(&text, escape, sizeof(escape));
		at++;
	}
	return dl_buf_take(&text);
}

char *dl_bytes_encode_str(const char *text)
{
	return dl_bytes_encode(text, strlen(text));
}

static int upper_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

int dl_bytes_decode(const char *text, char **ret_data, size_t *ret_size, struct dl_error *err)
{
	size_t length = strlen(text), size = 0;
	dl_autofree char *data = dl_alloc(length + 1, 1);
	for (size_t at = 0; at < length; at++) {
		if (text[at] != '%') {
			data[size++] = text[at];
			continue;
		}
		int high = upper_digit(text[at + 1]);
		int low = high < 0 ? -1 : upper_digit(text[at + 2]);
		if (low < 0)
			return dl_error_set(err, DL_E_INVALID,
					    "'%%' without two upper-case digits at byte %zu", at);
		data[size++] = (char)(high << 4 | low);
		at += 2;
	}
	/* Writing it again is the plainest proof that this is the one spelling. */
	dl_autofree char *again = dl_bytes_encode(data, size);
	if (strcmp(again, text) != 0)
		return dl_error_set(err, DL_E_INVALID, "text is not the one spelling of its bytes");
	*ret_size = size;
	*ret_data = DL_TAKE(data);
	return 0;
}

int dl_bytes_decode_str(const char *text, char **ret_text, struct dl_error *err)
{
	dl_autofree char *data = NULL;
	size_t size = 0;
	int r = dl_bytes_decode(text, &data, &size, err);
	if (r < 0)
		return r;
	if (memchr(data, '\0', size))
		return dl_error_set(err, DL_E_INVALID, "text holds a NUL byte");
	*ret_text = DL_TAKE(data);
	return 0;
}
