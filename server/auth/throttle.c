#include "server/auth/throttle.h"

#include "core/crypto/random.h"
#include "core/crypto/sha256.h"

#include <string.h>

enum { SETS = 2048, WAYS = 4, KEY_SIZE = 16, FORGET_SECONDS = 3600 };

struct entry {
	uint8_t key[KEY_SIZE];
	int64_t last_ms; /* 0: unused */
	int64_t attempts;
};

struct dl_throttle {
	uint8_t secret[KEY_SIZE]; /* nobody outside can aim at a set */
	struct entry sets[SETS][WAYS];
};

struct dl_throttle *dl_throttle_new(void)
{
	struct dl_throttle *throttle = DL_NEW(struct dl_throttle);

	dl_random(throttle->secret, sizeof(throttle->secret));
	return throttle;
}

void dl_throttle_free(struct dl_throttle *throttle)
{
	free(throttle);
}

/* The entry of this key, or the one that makes room for it. */
static struct entry *throttle_entry(struct dl_throttle *throttle, const char *account,
				    const char *address)
{
	uint8_t digest[DL_SHA256_SIZE];
	dl_auto(dl_sha256) hash = dl_sha256_new();

	dl_sha256_add(hash, throttle->secret, sizeof(throttle->secret));
	dl_sha256_add(hash, account, strlen(account) + 1);
	dl_sha256_add(hash, address, strlen(address) + 1);
	dl_sha256_finish(hash, digest);
	struct entry *set = throttle->sets[(digest[30] | digest[31] << 8) % SETS];
	struct entry *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].last_ms && !memcmp(set[i].key, digest, KEY_SIZE))
			return &set[i];
		if (set[i].last_ms < oldest->last_ms)
			oldest = &set[i];
	}
	*oldest = (struct entry){ 0 };
	memcpy(oldest->key, digest, KEY_SIZE);
	return oldest;
}

static int64_t entry_wait_seconds(struct entry *entry, int64_t free_attempts, int64_t now_ms)
{
	if (now_ms - entry->last_ms > FORGET_SECONDS * INT64_C(1000))
		entry->attempts = 0;
	if (entry->attempts < free_attempts)
		return 0;
	int64_t over = entry->attempts - free_attempts;
	int64_t wait = over < 9 ? INT64_C(1) << over : DL_THROTTLE_WAIT_MAX_SECONDS;
	if (wait > DL_THROTTLE_WAIT_MAX_SECONDS)
		wait = DL_THROTTLE_WAIT_MAX_SECONDS;
	int64_t left_ms = entry->last_ms + wait * 1000 - now_ms;
	return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

static void entry_count(struct entry *entry, int64_t now_ms)
{
	entry->attempts++;
	entry->last_ms = now_ms;
}

int64_t dl_throttle_begin(struct dl_throttle *throttle, const char *account, const char *address,
			  int64_t now_ms)
{
	int64_t wait = entry_wait_seconds(throttle_entry(throttle, "", address),
					  DL_THROTTLE_ADDRESS_FREE, now_ms);

	if (!wait && account)
		wait = entry_wait_seconds(throttle_entry(throttle, account, address),
					  DL_THROTTLE_ACCOUNT_FREE, now_ms);
	if (wait)
		return wait;
	entry_count(throttle_entry(throttle, "", address), now_ms);
	if (account)
		entry_count(throttle_entry(throttle, account, address), now_ms);
	return 0;
}

void dl_throttle_succeed(struct dl_throttle *throttle, const char *account, const char *address)
{
	struct entry *here = throttle_entry(throttle, "", address);

	if (account)
		throttle_entry(throttle, account, address)->attempts = 0;
	if (here->attempts > 0)
		here->attempts--;
}
