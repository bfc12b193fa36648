#include "server/auth/password.h"

#include "core/crypto/random.h"

#include <argon2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 2, MEMORY_KIB = 19 * 1024, LANES = 1, SALT_SIZE = 16, HASH_SIZE = 32 };

struct work {
	char *password, *known; /* known NULL: compute a hash, or nobody has the name */
	bool verify;
	char hash[DL_PASSWORD_HASH_SIZE];
	bool matches;
	void (*verified)(void *arg, bool matches);
	void (*hashed)(void *arg, const char *hash);
	void *arg;
	struct work *next;
};

struct dl_password_pool {
	void (*post)(void *ctx, void (*run)(void *), void *arg);
	void *ctx;
	pthread_t threads[DL_PASSWORD_THREADS];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct work *first, **tail;
	size_t waiting;
	bool closing;
	char decoy[DL_PASSWORD_HASH_SIZE]; /* compared with when nobody has the name */
};

int dl_password_check(const char *password, struct dl_error *err)
{
	size_t size = strlen(password);

	if (size < DL_PASSWORD_MIN_BYTES)
		return dl_error_set(err, DL_E_INVALID, "a password has at least %d characters",
				    DL_PASSWORD_MIN_BYTES);
	if (size > DL_PASSWORD_MAX_BYTES)
		return dl_error_set(err, DL_E_LIMIT, "a password has at most %d bytes",
				    DL_PASSWORD_MAX_BYTES);
	return 0;
}

int dl_password_hash(const char *password, char out[DL_PASSWORD_HASH_SIZE], struct dl_error *err)
{
	uint8_t salt[SALT_SIZE];

	dl_random(salt, sizeof(salt));
	int r = argon2id_hash_encoded(ROUNDS, MEMORY_KIB, LANES, password, strlen(password), salt,
				      sizeof(salt), HASH_SIZE, out, DL_PASSWORD_HASH_SIZE);
	if (r != ARGON2_OK)
		return dl_error_set(err, DL_E_CRYPTO, "argon2id: %s", argon2_error_message(r));
	return 0;
}

void dl_password_generate(char out[DL_PASSWORD_GENERATED_SIZE])
{
	/* 32 letters and digits without look-alikes: five bits each, no bias. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[20];
	size_t at = 0;

	dl_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		if (i && i % 5 == 0)
			out[at++] = '-';
		out[at++] = letters[random[i] % 32];
	}
	out[at] = '\0';
	explicit_bzero(random, sizeof(random));
}

static void work_free(struct work *work)
{
	explicit_bzero(work->password, strlen(work->password));
	free(work->password);
	free(work->known);
	free(work);
}

static void work_finish(void *arg)
{
	struct work *work = arg;

	if (work->verify)
		work->verified(work->arg, work->matches);
	else
		work->hashed(work->arg, work->hash);
	work_free(work);
}

static void work_compute(const struct dl_password_pool *pool, struct work *work)
{
	if (!work->verify) {
		/* It fails for want of memory only: end like any allocation. */
		if (dl_password_hash(work->password, work->hash, NULL) < 0)
			abort();
		return;
	}
	const char *hash = work->known ? work->known : pool->decoy;
	bool same = argon2id_verify(hash, work->password, strlen(work->password)) == ARGON2_OK;
	work->matches = work->known && same;
}

static struct work *pool_take(struct dl_password_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->closing)
		pthread_cond_wait(&pool->changed, &pool->lock);
	struct work *work = pool->first;
	if (work) {
		pool->first = work->next;
		if (!pool->first)
			pool->tail = &pool->first;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return work;
}

static void *pool_run(void *arg)
{
	struct dl_password_pool *pool = arg;
	struct work *work;

	while ((work = pool_take(pool))) {
		work_compute(pool, work);
		pool->post(pool->ctx, work_finish, work);
	}
	return NULL;
}

struct dl_password_pool *dl_password_pool_new(void (*post)(void *ctx, void (*run)(void *),
							    void *arg),
					      void *ctx)
{
	struct dl_password_pool *pool = DL_NEW(struct dl_password_pool);

	pool->post = post;
	pool->ctx = ctx;
	pool->tail = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	if (dl_password_hash("nobody has this name", pool->decoy, NULL) < 0)
		abort();
	for (size_t i = 0; i < DL_PASSWORD_THREADS; i++)
		if (pthread_create(&pool->threads[i], NULL, pool_run, pool))
			abort();
	return pool;
}

void dl_password_pool_stop(struct dl_password_pool *pool)
{
	if (pool->closing)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < DL_PASSWORD_THREADS; i++)
		pthread_join(pool->threads[i], NULL);
}

void dl_password_pool_free(struct dl_password_pool *pool)
{
	if (!pool)
		return;
	dl_password_pool_stop(pool);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static int pool_give(struct dl_password_pool *pool, struct work *work, struct dl_error *err)
{
	pthread_mutex_lock(&pool->lock);
	bool full = pool->waiting == DL_PASSWORD_QUEUE_MAX || pool->closing;
	if (!full) {
		*pool->tail = work;
		pool->tail = &work->next;
		pool->waiting++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!full)
		return 0;
	work_free(work);
	return dl_error_set(err, DL_E_BUSY, "too many sign-ins at once, please try again");
}

int dl_password_verify(struct dl_password_pool *pool, const char *hash, const char *password,
		       void (*done)(void *arg, bool matches), void *arg, struct dl_error *err)
{
	struct work *work = DL_NEW(struct work);

	work->verify = true;
	work->password = dl_strdup(password);
	work->known = hash ? dl_strdup(hash) : NULL;
	work->verified = done;
	work->arg = arg;
	return pool_give(pool, work, err);
}

int dl_password_hash_later(struct dl_password_pool *pool, const char *password,
			   void (*done)(void *arg, const char *hash), void *arg,
			   struct dl_error *err)
{
	struct work *work = DL_NEW(struct work);

	work->password = dl_strdup(password);
	work->hashed = done;
	work->arg = arg;
	return pool_give(pool, work, err);
}
