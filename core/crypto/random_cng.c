#include "core/crypto/random.h"

#include <windows.h>

#include <bcrypt.h>
#include <stdio.h>
#include <stdlib.h>

/* BCryptGenRandom takes a ULONG; callers ask for far less. */
enum { RANDOM_CHUNK = 1 << 20 };

void dl_random(void *out, size_t size)
{
	UCHAR *bytes = out;
	while (size > 0) {
		ULONG chunk = size < RANDOM_CHUNK ? (ULONG)size : RANDOM_CHUNK;
		if (!BCRYPT_SUCCESS(BCryptGenRandom(NULL, bytes, chunk,
						    BCRYPT_USE_SYSTEM_PREFERRED_RNG))) {
			fputs("dislodge: the system gives no random bytes\n", stderr);
			abort();
		}
		bytes += chunk;
		size -= chunk;
	}
}
