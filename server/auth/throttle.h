/* Throttle: slows down guessing of passwords without locking anybody out.
 *
 * An attempt is counted three times: under its account *and* address, so that
 * an attacker who guesses from elsewhere does not stop the account's owner;
 * under its address, so that trying one password on many accounts is slowed
 * down too; and under its account together with all other strangers, so that
 * many addresses do not add up to many guesses. A stranger is an address that
 * the account was not signed in from lately: the owner's own places are never
 * slowed down by this third count, a new place of his is while the attack lasts.
 * Addresses of IPv6 are counted by their network of 64 bits.
 *
 * After the free attempts each further one doubles the wait, up to a limit.
 * The tables are of fixed size; the entry unused for longest makes room. They
 * are per server process and in memory: they protect a cost, not a decision.
 */
#ifndef DL_SERVER_AUTH_THROTTLE_H
#define DL_SERVER_AUTH_THROTTLE_H

#include "core/base/mem.h"

#include <stdint.h>

enum {
	DL_THROTTLE_ACCOUNT_FREE = 5,
	DL_THROTTLE_ADDRESS_FREE = 50,
	DL_THROTTLE_WAIT_MAX_SECONDS = 300,
	DL_THROTTLE_STRANGERS_FREE = 100,
	DL_THROTTLE_STRANGERS_WAIT_MAX_SECONDS = 30,
	DL_THROTTLE_KNOWN_SECONDS = 30 * 24 * 3600, /* an address the account was signed in from */
};

struct dl_throttle;

struct dl_throttle *dl_throttle_new(void);
void dl_throttle_free(struct dl_throttle *throttle);
DL_DEFINE_AUTO(dl_throttle, dl_throttle_free)

/* `account` is not empty; NULL: only the address counts. Counts an attempt and
 * returns 0, or returns the seconds to wait and counts nothing. An attempt
 * counts when it begins: many at once do not slip through. */
int64_t dl_throttle_begin(struct dl_throttle *throttle, const char *account, const char *address,
			  int64_t now_ms);

/* The attempt was the right password: forget the account's count there, take
 * this attempt off the others, and know the address from now on. */
void dl_throttle_succeed(struct dl_throttle *throttle, const char *account, const char *address,
			 int64_t now_ms);

#endif
