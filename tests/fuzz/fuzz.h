/* One libFuzzer target per parser: it must neither crash nor break the
 * property that the target states. */
#ifndef DL_TESTS_FUZZ_FUZZ_H
#define DL_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken property ends the run; libFuzzer keeps the input. */
static inline void must(int truth)
{
	if (!truth)
		abort();
}

#endif
