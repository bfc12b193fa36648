/* Audit: an append-only chain. A row's hash covers the row and the hash before
 * it (docs/api.md), so that a change, an insertion or a cut in the middle shows;
 * a cut at the end, or a chain written anew, shows by its anchors (anchor.h). */
#include "core/base/bytes.h"
#include "core/crypto/sha256.h"
#include "server/store/anchor.h"
#include "server/store/tx.h"

#include <string.h>

static const char FIRST_HASH[] =
	"0000000000000000000000000000000000000000000000000000000000000000";

static const char *actor_kind_name(enum dl_actor_kind kind)
{
	static const char *const names[] = { "user", "agent", "system" };
	return names[kind];
}

/* The present row of a query over the audit table, hashed onto `before`. */
static int hash_row(struct dl_query *row, const char *before, char out[DL_SHA256_TEXT_SIZE],
		    struct dl_error *err)
{
	dl_autojson *fields = json_pack(
		"[I,I,I,I,I,s,I,s,s,s,s,s]", (json_int_t)dl_row_int(row, "id"),
		(json_int_t)dl_row_int(row, "time"), (json_int_t)dl_row_int(row, "organization_id"),
		(json_int_t)dl_row_int(row, "incident_id"),
		(json_int_t)dl_row_int(row, "revision_no"), dl_row_text(row, "actor_kind"),
		(json_int_t)dl_row_int(row, "actor_id"), dl_row_text(row, "actor_name"),
		dl_row_text(row, "address"), dl_row_text(row, "action"),
		dl_row_text(row, "object"), dl_row_text(row, "detail"));
	if (!fields)
		return dl_error_set(err, DL_E_INVALID, "an audit event holds broken text");
	dl_autofree char *text = dl_json_text(fields);
	dl_auto(dl_sha256) hash = dl_sha256_new();
	uint8_t digest[DL_SHA256_SIZE];
	dl_sha256_add(hash, before, strlen(before));
	dl_sha256_add(hash, "\n", 1);
	dl_sha256_add(hash, text, strlen(text));
	dl_sha256_finish(hash, digest);
	dl_hex_encode(digest, sizeof(digest), out);
	return 0;
}

static int chain_head(struct dl_db *db, int64_t *ret_id, char ret_hash[DL_SHA256_TEXT_SIZE],
		      struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(db, "SELECT id, hash FROM audit "
						   "ORDER BY id DESC LIMIT 1");
	int r = dl_query_step(query, err);
	if (r < 0)
		return r;
	*ret_id = r ? dl_row_int(query, "id") : 0;
	memcpy(ret_hash, FIRST_HASH, DL_SHA256_TEXT_SIZE);
	if (r && strlen(dl_row_text(query, "hash")) == DL_SHA256_TEXT_SIZE - 1)
		memcpy(ret_hash, dl_row_text(query, "hash"), DL_SHA256_TEXT_SIZE);
	return 0;
}

static void bind_event(const struct dl_tx *tx, const struct dl_audit_event *event,
		       const char *actor_name, const char *detail, struct dl_query *query)
{
	dl_query_int(query, "time", tx->now);
	dl_query_int(query, "organization", event->organization);
	dl_query_int(query, "incident", event->incident);
	dl_query_int(query, "revision", event->revision);
	dl_query_text(query, "actor_kind", actor_kind_name(tx->actor_kind));
	dl_query_int(query, "actor_id", tx->actor_id);
	dl_query_text(query, "actor_name", actor_name);
	dl_query_text(query, "address", tx->address);
	dl_query_text(query, "action", event->action);
	dl_query_text(query, "object", event->object ? event->object : "");
	dl_query_text(query, "detail", detail);
}

/* The hash is over the row as a query would give it back. */
static int hash_event(struct dl_tx *tx, const struct dl_audit_event *event, int64_t id,
		      const char *actor_name, const char *detail, const char *before,
		      char out[DL_SHA256_TEXT_SIZE], struct dl_error *err)
{
	dl_auto(dl_query) row = dl_query_new(tx->db,
		"SELECT :id AS id, :time AS time, :organization AS organization_id, "
		":incident AS incident_id, :revision AS revision_no, :actor_kind AS actor_kind, "
		":actor_id AS actor_id, :actor_name AS actor_name, :address AS address, "
		":action AS action, :object AS object, :detail AS detail");
	dl_query_int(row, "id", id);
	bind_event(tx, event, actor_name, detail, row);
	int r = dl_query_one(row, "row", err);
	if (r < 0)
		return r;
	return hash_row(row, before, out, err);
}

int dl_audit_write(struct dl_tx *tx, const struct dl_audit_event *event, struct dl_error *err)
{
	dl_autojson *detail = event->detail ? event->detail : json_object();
	dl_autofree char *detail_text = dl_json_text(detail);
	dl_autofree char *actor_name = NULL;
	char before[DL_SHA256_TEXT_SIZE], hash[DL_SHA256_TEXT_SIZE];
	int64_t last = 0;
	int r = dl_tx_actor_name(tx, &actor_name, err);
	if (r == 0)
		r = chain_head(tx->db, &last, before, err);
	if (r == 0)
		r = hash_event(tx, event, last + 1, actor_name, detail_text, before, hash, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO audit (id, time, organization_id, incident_id, revision_no, actor_kind, "
		"actor_id, actor_name, address, action, object, detail, hash) VALUES (:id, :time, "
		":organization, :incident, :revision, :actor_kind, :actor_id, :actor_name, :address, "
		":action, :object, :detail, :hash)");
	dl_query_int(query, "id", last + 1);
	bind_event(tx, event, actor_name, detail_text, query);
	dl_query_text(query, "hash", hash);
	return dl_query_run(query, err);
}

/* ---- reading ---- */

static json_t *event_view(struct dl_query *row)
{
	json_t *view = json_pack(
		"{s:I,s:I,s:{s:s,s:I,s:s},s:s,s:s,s:s,s:s}", "id",
		(json_int_t)dl_row_int(row, "id"), "time", (json_int_t)dl_row_int(row, "time"),
		"actor", "kind", dl_row_text(row, "actor_kind"), "id",
		(json_int_t)dl_row_int(row, "actor_id"), "name", dl_row_text(row, "actor_name"),
		"address", dl_row_text(row, "address"), "action", dl_row_text(row, "action"),
		"object", dl_row_text(row, "object"), "hash", dl_row_text(row, "hash"));
	if (!view)
		return json_null();
	const char *detail = dl_row_text(row, "detail");
	json_t *parsed = json_loads(detail, 0, NULL);
	json_object_set_new(view, "detail", parsed ? parsed : json_object());
	dl_set_id(view, "organization", dl_row_int(row, "organization_id"));
	dl_set_id(view, "incident", dl_row_int(row, "incident_id"));
	dl_set_id(view, "revision", dl_row_int(row, "revision_no"));
	return view;
}

/* Two statements, because each has its index: a long audit must not be searched
 * for the few events of one incident. */
static struct dl_query *page_query(struct dl_tx *tx, int64_t organization, int64_t incident)
{
#define PAGE_END " AND " DL_VISIBLE("a.organization_id") " AND (:cursor = 0 OR a.id < :cursor) "      \
		 "ORDER BY a.id DESC LIMIT :limit"
	struct dl_query *query = dl_query_new(tx->db, incident
		? "SELECT a.* FROM audit a WHERE a.incident_id = :incident" PAGE_END
		: "SELECT a.* FROM audit a WHERE "
		  "(:organization = 0 OR a.organization_id = :organization)" PAGE_END);
#undef PAGE_END
	if (incident)
		dl_query_int(query, "incident", incident);
	else
		dl_query_int(query, "organization", organization);
	return query;
}

/* The server's own events (sign-ins, organizations) are for those who see everything. */
int dl_audit_page(struct dl_tx *tx, int64_t organization, int64_t incident, struct dl_page page,
		  json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = page_query(tx, organization, incident);
	dl_tx_bind_actor(tx, query);
	dl_query_int(query, "cursor", page.cursor);
	dl_query_int(query, "limit", page.limit + 1);
	dl_autojson *items = json_array();
	int64_t last = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		if (json_array_size(items) == (size_t)page.limit) {
			*ret_view = dl_list_view(DL_TAKE(items), last);
			return 0;
		}
		last = dl_row_int(query, "id");
		json_array_append_new(items, event_view(query));
	}
	if (r < 0)
		return r;
	*ret_view = dl_list_view(DL_TAKE(items), 0);
	return 0;
}

static int list(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	return dl_audit_page(tx, dl_arg_id(args, "organization"), dl_arg_id(args, "incident"),
			     dl_arg_page(args), ret_view, err);
}

enum { ANCHOR_ROW, ANCHOR_COPY, ANCHORS };

struct chain {
	struct dl_anchor anchors[ANCHORS];
	int64_t events, broken_at;
	char hash[DL_SHA256_TEXT_SIZE];
	const char *problem, *anchors_problem;
};

/* The copy first: it is behind the row, never before it, while the server goes on. */
static int read_anchors(struct dl_tx *tx, struct chain *chain, struct dl_error *err)
{
	struct dl_error problem = { 0 };
	int r = dl_anchor_read_copy(tx->options, &chain->anchors[ANCHOR_COPY], &problem);
	if (r == 0)
		r = dl_anchor_read_row(tx->db, tx->options, &chain->anchors[ANCHOR_ROW], &problem);
	if (r == DL_E_INVALID || r == DL_E_LIMIT || r == DL_E_DENIED || r == DL_E_CRYPTO) {
		chain->anchors_problem = "an anchor is not what this server signed";
		return 0;
	}
	if (r < 0)
		return dl_error_set(err, r, "%s", problem.text);
	if (chain->anchors[ANCHOR_ROW].events && !chain->anchors[ANCHOR_COPY].events)
		chain->anchors_problem = "the anchor's copy beside the database is missing";
	else if (!chain->anchors[ANCHOR_ROW].events && chain->anchors[ANCHOR_COPY].events)
		chain->anchors_problem = "the anchor in the database is missing";
	return 0;
}

static bool is_other_chain(const struct chain *chain)
{
	for (int i = 0; i < ANCHORS; i++)
		if (chain->anchors[i].events == chain->events &&
		    strcmp(chain->anchors[i].hash, chain->hash) != 0)
			return true;
	return false;
}

static void check_end(struct chain *chain)
{
	for (int i = 0; i < ANCHORS && !chain->problem; i++) {
		if (chain->anchors[i].events <= chain->events)
			continue;
		chain->problem = "events from this one on were cut off";
		chain->broken_at = chain->events + 1;
	}
	if (!chain->problem)
		chain->problem = chain->anchors_problem;
}

static int check_chain(struct dl_db *db, struct chain *chain, struct dl_error *err)
{
	dl_auto(dl_query) row = dl_query_new(db, "SELECT * FROM audit ORDER BY id");
	memcpy(chain->hash, FIRST_HASH, sizeof(chain->hash));
	int r;
	while ((r = dl_query_step(row, err)) > 0) {
		char hash[DL_SHA256_TEXT_SIZE];
		int64_t id = dl_row_int(row, "id");
		if (id != chain->events + 1)
			chain->problem = "an event before this one is missing";
		else if (hash_row(row, chain->hash, hash, NULL) < 0 ||
			 strcmp(hash, dl_row_text(row, "hash")) != 0)
			chain->problem = "this event is not what was written";
		if (chain->problem) {
			chain->broken_at = id;
			return 0;
		}
		memcpy(chain->hash, hash, sizeof(hash));
		chain->events++;
		if (is_other_chain(chain)) {
			chain->problem = "the events up to this one were written anew";
			chain->broken_at = id;
			return 0;
		}
	}
	if (r == 0)
		check_end(chain);
	return r;
}

static int verify(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	(void)args;
	struct chain chain = { 0 };
	int r = read_anchors(tx, &chain, err);
	if (r == 0)
		r = dl_tx_require(tx, 0, DL_ROLE_ADMINISTRATOR, "audit", err);
	if (r == 0)
		r = check_chain(tx->db, &chain, err);
	if (r < 0)
		return r;
	json_t *head = chain.events ? json_pack("{s:I,s:s}", "id", (json_int_t)chain.events, "hash",
						chain.hash)
				    : json_null();
	json_t *view = json_pack("{s:b,s:I,s:o}", "ok", !chain.problem, "events",
				 (json_int_t)chain.events, "head", head);
	dl_set_id(view, "broken_at", chain.broken_at);
	json_object_set_new(view, "anchored", json_integer(chain.anchors[ANCHOR_COPY].events));
	dl_set_id(view, "anchored_at", chain.anchors[ANCHOR_COPY].time);
	dl_set_text(view, "problem", chain.problem);
	*ret_view = view;
	return 0;
}

static const struct dl_case case_list = { "audit list", .run = list };
static const struct dl_case case_verify = { "audit verify", .run = verify };

void dl_store_audit_list(struct dl_store *store, const struct dl_actor *actor,
			 const struct dl_audit_filter *filter, struct dl_page page,
			 dl_store_done done, void *arg)
{
	json_t *args = dl_page_args(page);
	json_object_set_new(args, "organization", json_integer(filter->organization));
	json_object_set_new(args, "incident", json_integer(filter->incident));
	dl_store_call(store, &case_list, actor, args, done, arg);
}

void dl_store_audit_verify(struct dl_store *store, const struct dl_actor *actor,
			   dl_store_done done, void *arg)
{
	dl_store_call(store, &case_verify, actor, json_object(), done, arg);
}
