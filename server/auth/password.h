/* Passwords: argon2id (RFC 9106) with t=2, m=19 MiB, p=1.
 *
 * One hash costs about 20 ms and 19 MiB on purpose, so it is never computed in
 * the event loop: a pool of few threads works through a bounded queue, and
 * beyond that says DL_E_BUSY instead of letting a flood of sign-ins take the
 * machine.
 */
#ifndef DL_SERVER_AUTH_PASSWORD_H
#define DL_SERVER_AUTH_PASSWORD_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>

enum {
	DL_PASSWORD_MIN_BYTES = 12,
	DL_PASSWORD_MAX_BYTES = 1024,
	DL_PASSWORD_HASH_SIZE = 160,
	DL_PASSWORD_THREADS = 2,
	DL_PASSWORD_QUEUE_MAX = 32,
};

/* A new password's rules: length only; DL_E_INVALID says what is wrong. */
int dl_password_check(const char *password, struct dl_error *err);

/* Computes here and now: for the command line. */
int dl_password_hash(const char *password, char out[DL_PASSWORD_HASH_SIZE], struct dl_error *err);

/* A password of 100 random bits in four groups that can be read aloud. */
enum { DL_PASSWORD_GENERATED_SIZE = 24 };
void dl_password_generate(char out[DL_PASSWORD_GENERATED_SIZE]);

struct dl_password_pool;

/* `post` hands results to the loop's thread, as in store.h. */
struct dl_password_pool *dl_password_pool_new(void (*post)(void *ctx, void (*run)(void *),
							    void *arg),
					      void *ctx);
/* Works off what is queued and joins the threads; what comes later is DL_E_BUSY. */
void dl_password_pool_stop(struct dl_password_pool *pool);
void dl_password_pool_free(struct dl_password_pool *pool);
DL_DEFINE_AUTO(dl_password_pool, dl_password_pool_free)

/* `done(arg, matches)`. `hash` NULL: nobody has that name; the same time is
 * spent, and nothing matches. DL_E_BUSY: the queue is full, `done` is not called. */
int dl_password_verify(struct dl_password_pool *pool, const char *hash, const char *password,
		       void (*done)(void *arg, bool matches), void *arg, struct dl_error *err);

/* `done(arg, hash)`; the hash is borrowed. */
int dl_password_hash_later(struct dl_password_pool *pool, const char *password,
			   void (*done)(void *arg, const char *hash), void *arg,
			   struct dl_error *err);

#endif
