/* Three threads, three connections: the writer commits in groups, the reader
 * answers from snapshots, the checker prepares for the writer. Calls travel
 * through bounded-by-the-caller queues. */
#include "core/base/time.h"
#include "server/store/anchor.h"
#include "server/store/migrate.h"
#include "server/store/tx.h"

#include <pthread.h>
#include <string.h>

/* Use cases in one commit: enough to make a sync cheap, few enough that the
 * first of them does not wait long for the last. */
enum { GROUP_MAX = 64 };

struct call {
	struct call *next;
	struct dl_store *store; /* valid until it is handed to post */
	const struct dl_case *use_case;
	enum dl_actor_kind actor_kind;
	int64_t actor_id;
	char *address;
	json_t *args;
	void *checked;
	dl_store_done done;
	void *arg;

	int result;
	struct dl_error err;
	json_t *view;
	int64_t wake;
	const struct dl_case *follow;
	json_t *follow_args;
	/* What delivery needs; copied, for it may come after the store is closed. */
	bool (*is_online)(void *ctx, int64_t agent);
	void (*wake_agent)(void *ctx, int64_t agent);
	void *ctx;
};

struct worker {
	struct dl_store *store;
	struct dl_db *db;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t filled;
	struct call *first, **last;
	bool stopping;
};

/* What the writer knows of the audit's anchor. */
struct anchoring {
	int64_t events;    /* in the chain after the last commit */
	bool copy_is_late; /* the row moved since the copy was made */
	int64_t copied;    /* when it was, on the monotonic clock; 0: never */
};

struct dl_store {
	struct dl_store_options options;
	struct anchoring anchoring; /* the writer's own */
	struct worker writer, reader, checker;
};

static void call_free(struct call *call)
{
	if (call->checked)
		call->use_case->forget(call->checked);
	free(call->address);
	json_decref(call->args);
	json_decref(call->view);
	json_decref(call->follow_args);
	free(call);
}

/* ---- completion, on the loop's thread ---- */

static void fill_online(const struct call *call, json_t *value)
{
	size_t index;
	const char *name;
	json_t *member;
	if (json_is_array(value)) {
		json_array_foreach(value, index, member)
			fill_online(call, member);
	} else if (json_is_object(value)) {
		if (json_object_get(value, "online")) {
			int64_t agent = json_integer_value(json_object_get(value, "id"));
			bool online = call->is_online && call->is_online(call->ctx, agent);
			json_object_set_new(value, "online", json_boolean(online));
		}
		json_object_foreach(value, name, member)
			fill_online(call, member);
	}
}

static void deliver(void *arg)
{
	struct call *call = arg;
	if (call->wake && call->wake_agent && call->result == 0)
		call->wake_agent(call->ctx, call->wake);
	if (call->use_case->shows_hosts && call->view)
		fill_online(call, call->view);
	/* The request may be the caller's own object: let go of it before the caller
	 * is told that it may do the same. */
	if (call->checked)
		call->use_case->forget(DL_TAKE(call->checked));
	json_decref(DL_TAKE(call->args));
	if (call->done)
		call->done(call->arg, call->result, call->view, &call->err);
	call_free(call);
}

static void complete(struct call *call)
{
	struct dl_store *store = call->store;
	if (call->follow) {
		struct dl_actor actor = { call->actor_kind, call->actor_id, call->address };
		dl_store_call(store, call->follow, &actor, DL_TAKE(call->follow_args), NULL, NULL);
	}
	if (store->options.post)
		store->options.post(store->options.ctx, deliver, call);
	else
		deliver(call);
}

/* ---- running, on the store's threads ---- */

static void call_fail(struct call *call, int code, const char *words)
{
	json_decref(call->view);
	call->view = NULL;
	call->result = dl_error_set(&call->err, code, "%s", words);
}

static struct dl_tx call_tx(const struct call *call, struct dl_db *db)
{
	return (struct dl_tx){
		.db = db, .options = &call->store->options, .actor_kind = call->actor_kind,
		.actor_id = call->actor_id, .address = call->address, .now = dl_time_now_ms(),
		.checked = call->checked,
	};
}

static void call_run(struct call *call, struct dl_db *db)
{
	struct dl_tx tx = call_tx(call, db);
	if (!call->args) {
		call_fail(call, DL_E_INVALID, "a text is not UTF-8");
		return;
	}
	call->result = call->use_case->run(&tx, call->args, &call->view, &call->err);
	call->wake = tx.wake;
	call->follow = tx.follow;
	call->follow_args = tx.follow_args;
	if (call->result == 0 && !call->view)
		call->view = json_object();
}

/* Runs one use case under its savepoint, so that its failure undoes it alone.
 * An error here means that the whole transaction is lost. */
static int run_in_group(struct call *call, struct dl_db *db, struct dl_error *err)
{
	int r = dl_db_exec(db, "SAVEPOINT use_case", err);
	if (r < 0)
		return r;
	call_run(call, db);
	if (call->result < 0) {
		r = dl_db_exec(db, "ROLLBACK TO use_case", err);
		if (r < 0)
			return r;
	}
	return dl_db_exec(db, "RELEASE use_case", err);
}

static int count_events(struct dl_db *db, int64_t *ret_events, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(db, "SELECT COALESCE(MAX(id), 0) AS n FROM audit");
	int r = dl_query_one(query, "count", err);
	if (r == 0)
		*ret_events = dl_row_int(query, "n");
	return r;
}

/* The anchor is signed in the transaction that appended to the audit. */
static int commit_group(struct dl_store *store, struct dl_db *db, struct dl_error *err)
{
	struct anchoring *anchoring = &store->anchoring;
	int64_t events = 0;
	int r = count_events(db, &events, err);
	bool appended = r == 0 && events != anchoring->events;
	if (appended)
		r = dl_anchor_advance(db, &store->options, err);
	if (r == 0)
		r = dl_db_exec(db, "COMMIT", err);
	if (r == 0 && appended) {
		anchoring->events = events;
		anchoring->copy_is_late = true;
	}
	return r;
}

static int run_group(struct call *first, struct dl_db *db, struct dl_error *err)
{
	int r = dl_db_exec(db, "BEGIN IMMEDIATE", err);
	for (struct call *call = first; r == 0 && call; call = call->next)
		r = run_in_group(call, db, err);
	if (r == 0)
		r = commit_group(first->store, db, err);
	if (r < 0)
		dl_db_exec(db, "ROLLBACK", NULL);
	return r;
}

/* A copy that cannot be written is tried again; the verification of the audit
 * says how far it reaches. */
static void copy_anchor(struct dl_store *store, struct dl_db *db, bool now)
{
	struct anchoring *anchoring = &store->anchoring;
	int64_t time = dl_time_monotonic_ms();
	if (!anchoring->copy_is_late)
		return;
	if (!now && anchoring->copied && time - anchoring->copied < DL_ANCHOR_COPY_MS)
		return;
	anchoring->copied = time;
	anchoring->copy_is_late = dl_anchor_copy(db, &store->options, NULL) < 0;
}

static void complete_all(struct call *first)
{
	while (first) {
		struct call *call = first;
		first = call->next;
		complete(call);
	}
}

static void write_group(struct call *first, struct dl_db *db)
{
	struct dl_error err = { 0 };
	int r = run_group(first, db, &err);
	for (struct call *call = first; r < 0 && call; call = call->next)
		if (call->result == 0)
			call_fail(call, r, err.text);
	copy_anchor(first->store, db, false);
	complete_all(first);
}

static void read_one(struct call *call, struct dl_db *db)
{
	int r = dl_db_exec(db, "BEGIN", &call->err);
	if (r < 0) {
		call->result = r;
	} else {
		call_run(call, db);
		dl_db_exec(db, "ROLLBACK", NULL);
	}
	complete(call);
}

static void worker_add(struct worker *worker, struct call *call);

static void check_one(struct call *call, struct dl_db *db)
{
	struct dl_tx tx = call_tx(call, db);
	int r = dl_db_exec(db, "BEGIN", &call->err);
	if (r == 0) {
		r = call->use_case->check(&tx, call->args, &call->checked, &call->err);
		dl_db_exec(db, "ROLLBACK", NULL);
	}
	call->result = r;
	if (r < 0)
		complete(call);
	else
		worker_add(&call->store->writer, call);
}

/* Waits for calls and cuts at most `most` of them off the queue; NULL: the end. */
static struct call *worker_take(struct worker *worker, int most)
{
	pthread_mutex_lock(&worker->lock);
	while (!worker->first && !worker->stopping)
		pthread_cond_wait(&worker->filled, &worker->lock);
	struct call *first = worker->first, **end = &worker->first;
	for (int i = 0; i < most && *end; i++)
		end = &(*end)->next;
	worker->first = *end;
	*end = NULL;
	if (!worker->first)
		worker->last = &worker->first;
	pthread_mutex_unlock(&worker->lock);
	return first;
}

static void *writer_main(void *arg)
{
	struct worker *worker = arg;
	struct call *first;
	while ((first = worker_take(worker, GROUP_MAX)))
		write_group(first, worker->db);
	copy_anchor(worker->store, worker->db, true);
	return NULL;
}

static void *reader_main(void *arg)
{
	struct worker *worker = arg;
	struct call *call;
	while ((call = worker_take(worker, 1)))
		read_one(call, worker->db);
	return NULL;
}

static void *checker_main(void *arg)
{
	struct worker *worker = arg;
	struct call *call;
	while ((call = worker_take(worker, 1)))
		check_one(call, worker->db);
	return NULL;
}

static void worker_add(struct worker *worker, struct call *call)
{
	pthread_mutex_lock(&worker->lock);
	*worker->last = call;
	worker->last = &call->next;
	pthread_cond_signal(&worker->filled);
	pthread_mutex_unlock(&worker->lock);
}

static void worker_init(struct worker *worker, struct dl_store *store)
{
	worker->store = store;
	worker->last = &worker->first;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->filled, NULL);
}

static int worker_start(struct worker *worker, void *(*body)(void *), struct dl_error *err)
{
	int problem = pthread_create(&worker->thread, NULL, body, worker);
	if (problem)
		return dl_error_errno(err, problem, "starting a store thread");
	worker->started = true;
	return 0;
}

static void worker_stop(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->filled);
	pthread_mutex_unlock(&worker->lock);
	if (worker->started)
		pthread_join(worker->thread, NULL);
	worker->started = false;
}

static void worker_free(struct worker *worker)
{
	dl_db_close(worker->db);
	pthread_cond_destroy(&worker->filled);
	pthread_mutex_destroy(&worker->lock);
}

/* ---- the face ---- */

void dl_store_call(struct dl_store *store, const struct dl_case *use_case,
		   const struct dl_actor *actor, json_t *args, dl_store_done done, void *arg)
{
	struct call *call = DL_NEW(struct call);
	call->store = store;
	call->use_case = use_case;
	call->actor_kind = actor->kind;
	call->actor_id = actor->id;
	call->address = dl_strdup(actor->address ? actor->address : "");
	call->args = args;
	call->done = done;
	call->arg = arg;
	call->is_online = store->options.is_online;
	call->wake_agent = store->options.wake;
	call->ctx = store->options.ctx;
	if (use_case->check && args)
		worker_add(&store->checker, call);
	else
		worker_add(use_case->writes ? &store->writer : &store->reader, call);
}

DL_DEFINE_AUTO(dl_store, dl_store_close)

static void keep_options(struct dl_store *store, const struct dl_store_options *options)
{
	store->options = *options;
	store->options.path = dl_strdup(options->path);
	store->options.root_key = dl_strdup(options->root_key);
	store->options.key_cert = json_deep_copy(options->key_cert);
}

int dl_store_open(const struct dl_store_options *options, struct dl_store **ret_store,
		  struct dl_error *err)
{
	json_object_seed(0); /* not safe from two threads at once; here there is one */
	dl_auto(dl_store) store = DL_NEW(struct dl_store);
	keep_options(store, options);
	worker_init(&store->writer, store);
	worker_init(&store->reader, store);
	worker_init(&store->checker, store);
	int r = dl_db_open(options->path, true, &store->writer.db, err);
	if (r < 0)
		return r;
	r = dl_store_migrate(store->writer.db, err);
	if (r == 0)
		r = count_events(store->writer.db, &store->anchoring.events, err);
	if (r < 0)
		return r;
	r = dl_db_open(options->path, false, &store->reader.db, err);
	if (r == 0)
		r = dl_db_open(options->path, false, &store->checker.db, err);
	if (r < 0)
		return r;
	r = worker_start(&store->writer, writer_main, err);
	if (r < 0)
		return r;
	r = worker_start(&store->reader, reader_main, err);
	if (r == 0)
		r = worker_start(&store->checker, checker_main, err);
	if (r < 0)
		return r;
	*ret_store = DL_TAKE(store);
	return 0;
}

void dl_store_close(struct dl_store *store)
{
	if (!store)
		return;
	/* The writer last: what the others leave for it is still done. */
	worker_stop(&store->reader);
	worker_stop(&store->checker);
	worker_stop(&store->writer);
	worker_free(&store->reader);
	worker_free(&store->checker);
	worker_free(&store->writer);
	json_decref((json_t *)store->options.key_cert);
	free((char *)store->options.root_key);
	free((char *)store->options.path);
	free(store);
}
