/* Bench: a store on a temporary database with two organizations, their people
 * and a host, driven through the same face as the server. */
#ifndef DL_TESTS_UNIT_SERVER_STORE_BENCH_H
#define DL_TESTS_UNIT_SERVER_STORE_BENCH_H

#include "core/plan/survey.h"
#include "core/wire/envelope.h"
#include "server/store/store.h"

#include <pthread.h>

/* What a use case answered. */
struct answer {
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	bool done;
	int result;
	json_t *view; /* owned */
	struct dl_error err;
};
void answer_start(struct answer *answer);
void answer_arrive(void *answer, int result, json_t *view, const struct dl_error *err);
void answer_wait(struct answer *answer);

/* Calls a use case and waits: `ASK(view, dl_store_host_get, store, &actor, id)`
 * sets the owned view, `FAILS(code, …)` asserts the error. */
#define ASK_(answer, use_case, ...)                                                                \
	answer_start(&answer);                                                                     \
	use_case(__VA_ARGS__, answer_arrive, &answer);                                             \
	answer_wait(&answer)
#define ASK(use_case, ...)                                                                         \
	__extension__({                                                                                    \
		struct answer answer_;                                                             \
		ASK_(answer_, use_case, __VA_ARGS__);                                              \
		if (answer_.result != 0)                                                           \
			print_error("%s: %s\n", #use_case, answer_.err.text);                      \
		assert_int_equal(answer_.result, 0);                                               \
		answer_.view;                                                                      \
	})
#define FAILS(code, use_case, ...)                                                                 \
	do {                                                                                       \
		struct answer answer_;                                                             \
		ASK_(answer_, use_case, __VA_ARGS__);                                              \
		assert_int_equal(answer_.result, code);                                            \
		assert_true(answer_.err.text[0] != '\0');                                          \
		json_decref(answer_.view);                                                         \
	} while (0)

struct host {
	struct dl_actor actor;
	int64_t id, organization;
	struct dl_signing_key *key; /* owned */
	int64_t seq;
};

struct bench {
	char folder[64], path[96];
	struct dl_signing_key *server_key;
	json_t *key_cert;
	struct dl_store *store;
	struct dl_actor system, administrator, analyst, technician, reader; /* of organization */
	struct dl_actor stranger; /* analyst and technician of the other organization */
	int64_t organization, other_organization;
	struct host host;
	int64_t woken; /* last agent the store wanted woken */
};

int bench_setup(void **state);
int bench_teardown(void **state);

/* Opens the bench's database; for a process that has closed it, or a child. */
void bench_open(struct bench *bench);

/* Enrols a machine through a fresh enrolment key. */
void bench_enrol(struct bench *bench, int64_t organization, const char *machine,
		 struct host *ret_host);

/* As above; `earlier` (may be NULL) signs the statement too. */
void bench_enrol_signed(struct bench *bench, int64_t organization, const char *machine,
			const struct dl_signing_key *earlier, struct host *ret_host);

/* ---- the host speaks ---- */

json_t *host_record(struct host *host, const char *type, json_t *content); /* takes content */
/* Sends one record and asserts that it is acknowledged. */
void host_send(struct bench *bench, struct host *host, json_t *record); /* takes record */

/* A survey with a timer, a service it starts, and a payload file. `names` is
 * which are there: "timer service cron". */
struct dl_survey *host_survey(const char *names);
void host_send_survey(struct bench *bench, struct host *host, const char *names);

/* The poll's answer; `held` a plan id or NULL. */
json_t *host_poll(struct bench *bench, struct host *host, const char *held);

json_t *host_claim(struct host *host, const char *plan_id, const char *order_sha256,
		   const char *nonce);
/* Claims the only waiting order and returns the verdict's name (owned). */
char *host_claim_order(struct bench *bench, struct host *host, const char *nonce);

/* A result whose runs all end in `state`. */
json_t *host_result(struct host *host, const json_t *order_view, const char *state);

/* ---- people act ---- */

/* The key of a present foothold by its kind. Owned. */
char *foothold_key(struct bench *bench, const char *kind);
/* A report on all footholds of the host, created and sent → incident view. */
json_t *report_sent(struct bench *bench);
json_t *approve_all(struct bench *bench, const json_t *incident);

const char *text_of(const json_t *object, const char *name);
int64_t int_of(const json_t *object, const char *name);
/* The status of step `id`. Borrowed. */
const char *status_of(const json_t *incident, int64_t id);
json_t *incident_now(struct bench *bench, const json_t *incident);

#endif
