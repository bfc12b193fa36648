/* Throttle: slows down guessing of passwords without locking anybody out.
 *
 * Attempts are counted per account *and* address, so that an attacker who
 * guesses from elsewhere does not stop the account's owner; and per address,
 * so that trying one password on many accounts is slowed down too. After the
 * free attempts each further one doubles the wait, up to five minutes. The
 * table is of fixed size; the entry unused for longest makes room. It is per
 * server process and in memory: it protects a cost, not a decision.
 */
#ifndef DL_SERVER_AUTH_THROTTLE_H
#define DL_SERVER_AUTH_THROTTLE_H

#include "core/base/mem.h"

#include <stdint.h>

enum {
	DL_THROTTLE_ACCOUNT_FREE = 5,
	DL_THROTTLE_ADDRESS_FREE = 50,
	DL_THROTTLE_WAIT_MAX_SECONDS = 300,
};

struct dl_throttle;

struct dl_throttle *dl_throttle_new(void);
void dl_throttle_free(struct dl_throttle *throttle);
DL_DEFINE_AUTO(dl_throttle, dl_throttle_free)

/* `account` is not empty; NULL: only the address counts. Counts an attempt and returns 0, or returns the seconds to wait and counts
 * nothing. An attempt counts when it begins: many at once do not slip through. */
int64_t dl_throttle_begin(struct dl_throttle *throttle, const char *account, const char *address,
			  int64_t now_ms);

/* The attempt was the right password: forget the account's count there, and
 * take this attempt off the address's. */
void dl_throttle_succeed(struct dl_throttle *throttle, const char *account, const char *address);

#endif
