/* Anchor: the server's signed word on how far the audit has come. Internal to
 * the store.
 *
 * The audit's chain shows a change or an insertion, but not that its end was
 * cut off, nor that all of it was written anew: whoever can write the database
 * can compute hashes too. They cannot sign. So every commit that appends to the
 * audit leaves the count and the hash of its head, signed, in a row; a copy is
 * kept outside of the database, in the file "<database>.anchor", which is at
 * most DL_ANCHOR_COPY_MS behind (longer while nothing is written), so that an
 * older row together with an older chain shows as well.
 *
 * An anchor is only ever replaced by a later one of the same chain: what proves
 * a cut stays. What it cannot show: what was cut after the copy was made last,
 * and anything done by one who holds the signing key, or who puts back an older
 * file together with an older database.
 */
#ifndef DL_SERVER_STORE_ANCHOR_H
#define DL_SERVER_STORE_ANCHOR_H

#include "core/crypto/sha256.h"
#include "server/store/db.h"
#include "server/store/store.h"

enum { DL_ANCHOR_COPY_MS = 10 * 1000 };

struct dl_anchor {
	int64_t events; /* 0: there is none */
	int64_t time;   /* ms */
	char hash[DL_SHA256_TEXT_SIZE];
};

/* DL_E_DENIED: not signed by this server; DL_E_INVALID: no anchor at all. */
int dl_anchor_read_row(struct dl_db *db, const struct dl_store_options *options,
		       struct dl_anchor *ret, struct dl_error *err);
int dl_anchor_read_copy(const struct dl_store_options *options, struct dl_anchor *ret,
			struct dl_error *err);

/* In the transaction that appended: moves the row to the head of the chain. */
int dl_anchor_advance(struct dl_db *db, const struct dl_store_options *options,
		      struct dl_error *err);
/* After the commit: moves the copy to where the row is. */
int dl_anchor_copy(struct dl_db *db, const struct dl_store_options *options, struct dl_error *err);

#endif
