#include "server/auth/throttle.h"

#include "core/crypto/random.h"
#include "core/crypto/sha256.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SETS = 2048, WAYS = 4, KEY_SIZE = 16, FORGET_SECONDS = 3600 };
enum { NETWORK_SIZE = 8 }; /* of an IPv6 address: its first 64 bits */

struct entry {
	uint8_t key[KEY_SIZE];
	int64_t last_ms; /* 0: unused */
	int64_t attempts;
};

struct table {
	struct entry sets[SETS][WAYS];
};

struct dl_throttle {
	uint8_t secret[KEY_SIZE]; /* nobody outside can aim at a set */
	struct table attempts;
	/* Apart, for only a right password writes here: no flood makes it forget. */
	struct table known;
};

/* What is counted together, and how it slows down. */
struct rule {
	int64_t free_attempts, wait_max_seconds;
};

static const struct rule of_address = { DL_THROTTLE_ADDRESS_FREE, DL_THROTTLE_WAIT_MAX_SECONDS };
static const struct rule of_both = { DL_THROTTLE_ACCOUNT_FREE, DL_THROTTLE_WAIT_MAX_SECONDS };
static const struct rule of_strangers = { DL_THROTTLE_STRANGERS_FREE,
					  DL_THROTTLE_STRANGERS_WAIT_MAX_SECONDS };

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

/* One customer gets a whole IPv6 network of 64 bits (RFC 6177), and picks any
 * address of it at will. Anything else counts as it is spelled. */
static void hash_address(struct dl_sha256 *hash, const char *address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr bytes;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(address, "%"), address);
	if (inet_pton(AF_INET6, text, &bytes) != 1)
		dl_sha256_add(hash, address, strlen(address) + 1);
	else if (IN6_IS_ADDR_V4MAPPED(&bytes))
		dl_sha256_add(hash, &bytes, sizeof(bytes));
	else
		dl_sha256_add(hash, &bytes, NETWORK_SIZE);
}

/* Where this account and address ("": of all) may stand in a table. */
struct place {
	uint8_t key[KEY_SIZE];
	size_t set;
};

static struct place find_place(const struct dl_throttle *throttle, const char *account,
			       const char *address)
{
	uint8_t digest[DL_SHA256_SIZE];
	struct place place;
	dl_auto(dl_sha256) hash = dl_sha256_new();

	dl_sha256_add(hash, throttle->secret, sizeof(throttle->secret));
	dl_sha256_add(hash, account, strlen(account) + 1);
	hash_address(hash, address);
	dl_sha256_finish(hash, digest);
	memcpy(place.key, digest, KEY_SIZE);
	place.set = (digest[30] | digest[31] << 8) % SETS;
	return place;
}

static struct entry *table_find(struct table *table, const struct place *place)
{
	struct entry *set = table->sets[place->set];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].last_ms && !memcmp(set[i].key, place->key, KEY_SIZE))
			return &set[i];
	return NULL;
}

/* The entry there, or an empty one instead of the one unused for longest. */
static struct entry *table_take(struct table *table, const struct place *place)
{
	struct entry *found = table_find(table, place), *oldest = table->sets[place->set];

	if (found)
		return found;
	for (size_t i = 1; i < WAYS; i++)
		if (table->sets[place->set][i].last_ms < oldest->last_ms)
			oldest = &table->sets[place->set][i];
	*oldest = (struct entry){ 0 };
	memcpy(oldest->key, place->key, KEY_SIZE);
	return oldest;
}

static int64_t entry_wait_seconds(struct entry *entry, const struct rule *rule, int64_t now_ms)
{
	if (now_ms - entry->last_ms > FORGET_SECONDS * INT64_C(1000))
		entry->attempts = 0;
	if (entry->attempts < rule->free_attempts)
		return 0;
	int64_t over = entry->attempts - rule->free_attempts;
	int64_t wait = over < 9 ? INT64_C(1) << over : rule->wait_max_seconds;
	if (wait > rule->wait_max_seconds)
		wait = rule->wait_max_seconds;
	int64_t left_ms = entry->last_ms + wait * 1000 - now_ms;
	return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

static int64_t count_at(struct dl_throttle *throttle, const char *account, const char *address,
			const struct rule *rule, bool do_count, int64_t now_ms)
{
	struct place place = find_place(throttle, account, address);
	struct entry *entry = table_take(&throttle->attempts, &place);
	int64_t wait = entry_wait_seconds(entry, rule, now_ms);

	if (do_count) {
		entry->attempts++;
		entry->last_ms = now_ms;
	}
	return wait;
}

static bool is_known(struct dl_throttle *throttle, const struct place *place, int64_t now_ms)
{
	const struct entry *known = table_find(&throttle->known, place);

	return known && now_ms - known->last_ms < DL_THROTTLE_KNOWN_SECONDS * INT64_C(1000);
}

/* The longest wait of all that this attempt is counted under. */
static int64_t longest_wait(struct dl_throttle *throttle, const char *account, const char *address,
			    bool do_count, int64_t now_ms)
{
	int64_t wait = count_at(throttle, "", address, &of_address, do_count, now_ms);

	if (!account)
		return wait;
	int64_t next = count_at(throttle, account, address, &of_both, do_count, now_ms);
	if (next > wait)
		wait = next;
	struct place place = find_place(throttle, account, address);
	if (is_known(throttle, &place, now_ms))
		return wait;
	next = count_at(throttle, account, "", &of_strangers, do_count, now_ms);
	return next > wait ? next : wait;
}

int64_t dl_throttle_begin(struct dl_throttle *throttle, const char *account, const char *address,
			  int64_t now_ms)
{
	int64_t wait = longest_wait(throttle, account, address, false, now_ms);

	if (!wait)
		longest_wait(throttle, account, address, true, now_ms);
	return wait;
}

static void take_back(struct dl_throttle *throttle, const char *account, const char *address,
		      int64_t count)
{
	struct place place = find_place(throttle, account, address);
	struct entry *entry = table_find(&throttle->attempts, &place);

	if (entry)
		entry->attempts = entry->attempts > count ? entry->attempts - count : 0;
}

void dl_throttle_succeed(struct dl_throttle *throttle, const char *account, const char *address,
			 int64_t now_ms)
{
	take_back(throttle, "", address, 1);
	if (!account)
		return;
	take_back(throttle, account, address, INT64_MAX);
	struct place place = find_place(throttle, account, address);
	if (!is_known(throttle, &place, now_ms))
		take_back(throttle, account, "", 1);
	table_take(&throttle->known, &place)->last_ms = now_ms;
}
