/* Transaction: what a use case works in. Internal to the store.
 *
 * A use case is a `struct dl_case`: one function that runs on the writer's or
 * the reader's thread, reads its arguments, and returns a view or an error. A
 * negative result undoes everything it did.
 */
#ifndef DL_SERVER_STORE_TX_H
#define DL_SERVER_STORE_TX_H

#include "server/store/db.h"
#include "server/store/store.h"

struct dl_case;

struct dl_tx {
	struct dl_db *db;
	const struct dl_store_options *options;
	enum dl_actor_kind actor_kind;
	int64_t actor_id;
	const char *address; /* never NULL */
	int64_t now;         /* ms; one time for the whole use case */
	int64_t wake;        /* agent to wake once this is durable; 0: none */
	/* A writing use case to run next as the same actor, with nobody waiting
	 * for it: how one that reads, or fails and is undone, leaves a trace. */
	const struct dl_case *follow;
	json_t *follow_args; /* owned */
	void *checked;       /* what the case's `check` found; NULL without one */
};

struct dl_case {
	const char *name;
	bool writes;
	bool shows_hosts; /* its view has "online" members to fill in */
	int (*run)(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err);
	/* May be NULL. What costs time and no writing (signatures, parsing): it
	 * runs first, on a thread of its own and in a snapshot of its own, so that
	 * the one writer is not kept from its work. `run` follows with the result,
	 * which `forget` frees; what may have changed meanwhile it asks again. */
	int (*check)(struct dl_tx *tx, const json_t *args, void **ret_checked,
		     struct dl_error *err);
	void (*forget)(void *checked);
};

/* Queues the use case. Takes `args`; NULL (what json_pack makes of a text that
 * is not UTF-8) completes with DL_E_INVALID. */
void dl_store_call(struct dl_store *store, const struct dl_case *use_case,
		   const struct dl_actor *actor, json_t *args, dl_store_done done, void *arg);

/* A copy of the signing key's certificate. Copied because answers are released on
 * another thread, and a jansson count is not to be shared between threads. */
json_t *dl_tx_key_cert(const struct dl_tx *tx);

/* ---- authority ---- */

enum {
	DL_ROLE_ADMINISTRATOR = 1,
	DL_ROLE_ANALYST = 2,
	DL_ROLE_TECHNICIAN = 4,
	DL_ROLE_READER = 8,
	DL_ROLE_ANY = 15,
};

/* Bit of a role's name; 0 when there is no such role. */
unsigned int dl_role_parse(const char *name);

/* The actor's roles in an organization (0: it sees nothing of it). Organization
 * 0 asks for the roles held in all organizations. */
int dl_tx_roles(struct dl_tx *tx, int64_t organization, unsigned int *ret_roles,
		struct dl_error *err);

/* 0 when the actor holds one of `roles` there; NOT_FOUND ("no such <what>") when
 * it sees nothing of the organization; DENIED when it lacks the role. */
int dl_tx_require(struct dl_tx *tx, int64_t organization, unsigned int roles, const char *what,
		  struct dl_error *err);

/* A condition for lists, and the values of its parameters. */
#define DL_VISIBLE(column)                                                                         \
	"(:actor_all = 1 OR EXISTS (SELECT 1 FROM membership v WHERE v.account_id = :actor "        \
	"AND (v.organization_id IS NULL OR v.organization_id = " column ")))"
void dl_tx_bind_actor(const struct dl_tx *tx, struct dl_query *query);

/* ---- arguments and views ---- */

/* `name` as text of at most `limit` bytes; absent is "". */
int dl_arg_text(const json_t *args, const char *name, size_t limit, const char **ret,
		struct dl_error *err);
/* As above, but blank is refused. */
int dl_arg_words(const json_t *args, const char *name, size_t limit, const char **ret,
		 struct dl_error *err);
int64_t dl_arg_id(const json_t *args, const char *name);
bool dl_arg_bool(const json_t *args, const char *name);

struct dl_page dl_arg_page(const json_t *args);
/* Arguments of every list: {"cursor","limit"}. */
json_t *dl_page_args(struct dl_page page);

/* A list view from rows that were asked for with LIMIT `limit + 1`: `items` is
 * taken; `last` is the cursor of the last item kept. */
json_t *dl_list_view(json_t *items, int64_t next);

/* Sets `name` to an integer, or to null when it is 0. */
void dl_set_id(json_t *object, const char *name, int64_t value);
/* Sets `name` to a text, or to null when it is "" or NULL. */
void dl_set_text(json_t *object, const char *name, const char *value);

/* ---- audit ---- */

struct dl_audit_event {
	const char *action; /* docs/api.md */
	int64_t organization, incident, revision;
	const char *object; /* what it was done to, in words: "host 4", a plan id */
	json_t *detail;     /* taken; NULL: none */
};
int dl_audit_write(struct dl_tx *tx, const struct dl_audit_event *event, struct dl_error *err);

/* Newest first, confined to the actor → list of audit events. */
int dl_audit_page(struct dl_tx *tx, int64_t organization, int64_t incident, struct dl_page page,
		  json_t **ret_view, struct dl_error *err);

/* The actor's name for people: "Ann", the host's name, "dislodged". Owned. */
int dl_tx_actor_name(struct dl_tx *tx, char **ret_name, struct dl_error *err);

#endif
