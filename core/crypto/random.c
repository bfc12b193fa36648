#include "core/crypto/random.h"

#include "core/base/bytes.h"

#include <stdint.h>

void dl_random_id(char out[DL_ID_TEXT_SIZE])
{
	uint8_t bits[(DL_ID_TEXT_SIZE - 1) / 2];
	dl_random(bits, sizeof(bits));
	dl_hex_encode(bits, sizeof(bits), out);
}

void dl_random_token(char out[DL_TOKEN_TEXT_SIZE])
{
	uint8_t bits[(DL_TOKEN_TEXT_SIZE - 1) / 2];
	dl_random(bits, sizeof(bits));
	dl_hex_encode(bits, sizeof(bits), out);
}
