#include "core/crypto/random.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

/* RAND_bytes takes an int; callers ask for far less. */
enum { RANDOM_CHUNK = 1 << 20 };

void dl_random(void *out, size_t size)
{
	unsigned char *bytes = out;
	while (size > 0) {
		int chunk = size < RANDOM_CHUNK ? (int)size : RANDOM_CHUNK;
		if (RAND_bytes(bytes, chunk) != 1) {
			fputs("dislodge: the system gives no random bytes\n", stderr);
			abort();
		}
		bytes += chunk;
		size -= (size_t)chunk;
	}
}
