/* Unpredictable bytes and identifiers from the system's generator. */
#ifndef DL_CORE_CRYPTO_RANDOM_H
#define DL_CORE_CRYPTO_RANDOM_H

#include <stddef.h>

/* Ends the process when the system has no randomness: nothing safe can follow. */
void dl_random(void *out, size_t size);

/* 128 random bits as 32 lower-case hexadecimal digits and a NUL: plan ids,
 * nonces, quarantine ids. */
enum { DL_ID_TEXT_SIZE = 33 };
void dl_random_id(char out[DL_ID_TEXT_SIZE]);

/* 256 random bits as 64 digits: bearer tokens, session tokens, secrets. */
enum { DL_TOKEN_TEXT_SIZE = 65 };
void dl_random_token(char out[DL_TOKEN_TEXT_SIZE]);

#endif
