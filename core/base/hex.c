#include "core/base/bytes.h"

#include <string.h>

void dl_hex_encode(const void *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * size] = '\0';
}

static int lower_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

int dl_hex_decode(const char *text, void *out, size_t size, struct dl_error *err)
{
	unsigned char *bytes = out;
	if (strlen(text) != 2 * size)
		return dl_error_set(err, DL_E_INVALID, "expected %zu hexadecimal digits", 2 * size);
	for (size_t i = 0; i < size; i++) {
		int high = lower_digit(text[2 * i]), low = lower_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return dl_error_set(err, DL_E_INVALID,
					    "not a lower-case hexadecimal digit near %zu", 2 * i);
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}
