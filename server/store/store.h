/* Store: everything the server must remember, offered as use cases.
 *
 * A use case is one transaction: it is done whole and durably (WAL, synchronous
 * FULL) before its completion runs, or it changed nothing. Everything decided
 * or done writes its audit event in the same transaction. One writer thread
 * drains its queue into one commit, each use case under its own savepoint; one
 * reader thread answers questions from a snapshot; one checker thread verifies
 * and parses what agents report before the writer takes it.
 *
 * Calling: every function copies its request and returns at once. Texts must
 * be UTF-8, NULL counts as "". Only `records` is kept by reference, for its size:
 * it must not be changed before the completion. Later the store calls
 * `done(arg, result, view, err)` exactly once through options.post:
 * result 0 and a view (borrowed, docs/api.md says what is in it), or a negative
 * DL_E_*, view NULL and the words in `err`. `done` may be NULL.
 *
 * Who asks: every query is confined to the organizations the actor is a member
 * of. What belongs to another organization answers exactly like what does not
 * exist: DL_E_NOT_FOUND. Something visible without the role for it answers
 * DL_E_DENIED. Decisions enforce the role here again, whatever the route did.
 */
#ifndef DL_SERVER_STORE_STORE_H
#define DL_SERVER_STORE_STORE_H

#include "core/base/error.h"
#include "core/crypto/sign.h"
#include "core/json/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_store;

enum dl_actor_kind {
	DL_ACTOR_USER,   /* id: user */
	DL_ACTOR_AGENT,  /* id: agent; sees itself only */
	DL_ACTOR_SYSTEM, /* the server itself and its command line; sees everything */
};

struct dl_actor {
	enum dl_actor_kind kind;
	int64_t id;
	const char *address; /* of the peer, for the audit; NULL for none */
};

typedef void (*dl_store_done)(void *arg, int result, json_t *view, const struct dl_error *err);

struct dl_store_options {
	const char *path;                  /* database file; made with mode 0600 */
	const struct dl_signing_key *key;  /* signs orders and tickets; outlives the store */
	const json_t *key_cert;            /* its DL_TYPE_KEY envelope; referenced */
	const char *root_key;              /* public text, handed to enrolling agents */

	/* Hands `run(arg)` to the event loop's thread; called from the store's
	 * threads. NULL: completions run on the store's own threads (command
	 * line, tests). */
	void (*post)(void *ctx, void (*run)(void *), void *arg);
	/* Is the host's poll held just now? Asked on the loop's thread while a
	 * view is handed over, so it needs no lock. NULL: nobody is online. */
	bool (*is_online)(void *ctx, int64_t agent);
	/* Something new waits for this agent (an order, a survey request).
	 * Called on the loop's thread, before `done`. May be NULL. */
	void (*wake)(void *ctx, int64_t agent);
	void *ctx;
};

/* Opens or makes the database and brings its schema up to date.
 * DL_E_UNSUPPORTED: it was written by a newer Dislodge. */
int dl_store_open(const struct dl_store_options *options, struct dl_store **ret_store,
		  struct dl_error *err);

/* Finishes what was called, posts the completions, ends the threads. Posted
 * completions may still run afterwards; they do not touch the store. */
void dl_store_close(struct dl_store *store);

/* Limits of what a request may carry; over them: DL_E_LIMIT. */
enum {
	DL_STORE_NAME_MAX_BYTES = 256,     /* logins, names, labels */
	DL_STORE_SUBJECT_MAX_BYTES = 512,
	DL_STORE_TEXT_MAX_BYTES = 16384,   /* summary, comment, note, instructions */
	DL_STORE_PAGE_MAX = 200,           /* members of one list view */
	DL_STORE_KEYS_MAX = 200,           /* footholds in one report */
	DL_STORE_RECORDS_MAX = 64,         /* records in one request */
};

/* Where a list goes on: the `next` of the view before (0 for the start), and
 * how many at most (0 for 50). */
struct dl_page {
	int64_t cursor;
	int64_t limit;
};

/* ---- accounts (case_account.c) ------------------------------------------ */

/* Roles: "administrator", "analyst", "technician", "reader". */
struct dl_user_add_request {
	const char *login;
	const char *name;
	const char *password_hash;  /* argon2id's encoded form; made by auth */
	const json_t *memberships;  /* [{"organization": id or null for all, "role"}] */
};
/* An administrator of every organization named (null: of all), or the system.
 * → user view. DL_E_EXISTS: the login is taken. */
void dl_store_user_add(struct dl_store *store, const struct dl_actor *actor,
		       const struct dl_user_add_request *request, dl_store_done done, void *arg);
/* → list of user views the actor administers. */
void dl_store_user_list(struct dl_store *store, const struct dl_actor *actor, struct dl_page page,
			dl_store_done done, void *arg);
struct dl_password_request {
	int64_t user;
	const char *password_hash;
	const char *proven_hash;  /* what the present password was verified against: needed by
				     who changes their own; DENIED when it is no longer that */
	const char *keep_session; /* token hash of the session that asks; of use to oneself only */
};
/* Oneself, or an administrator of every organization the user is in. Ends the
 * user's sessions, so that who had the old password is out. → user view. */
void dl_store_user_set_password(struct dl_store *store, const struct dl_actor *actor,
				const struct dl_password_request *request, dl_store_done done,
				void *arg);
/* organization 0: all. Giving a role twice changes nothing. → user view. */
void dl_store_membership_add(struct dl_store *store, const struct dl_actor *actor, int64_t user,
			     int64_t organization, const char *role, dl_store_done done, void *arg);
void dl_store_membership_remove(struct dl_store *store, const struct dl_actor *actor, int64_t user,
				int64_t organization, const char *role, dl_store_done done,
				void *arg);

/* For auth only (system actor) → {"id","login","password_hash"}. NOT_FOUND
 * when unknown or disabled: auth then still spends a verification. */
void dl_store_credential_get(struct dl_store *store, const struct dl_actor *actor,
			     const char *login, dl_store_done done, void *arg);
/* Writes the audit event of a refused sign-in (system actor with address). */
void dl_store_login_refused(struct dl_store *store, const struct dl_actor *actor,
			    const char *login, dl_store_done done, void *arg);
/* Only SHA-256 of the session's token reaches the store (64 hex digits).
 * → session view. */
void dl_store_session_create(struct dl_store *store, const struct dl_actor *actor, int64_t user,
			     const char *token_hash, int64_t expires, dl_store_done done,
			     void *arg);
/* → session view; NOT_FOUND when unknown, expired or the user is disabled. */
void dl_store_session_get(struct dl_store *store, const struct dl_actor *actor,
			  const char *token_hash, dl_store_done done, void *arg);
void dl_store_session_delete(struct dl_store *store, const struct dl_actor *actor,
			     const char *token_hash, dl_store_done done, void *arg);

/* An administrator of all, or the system. → organization view. */
void dl_store_organization_add(struct dl_store *store, const struct dl_actor *actor,
			       const char *name, dl_store_done done, void *arg);
void dl_store_organization_list(struct dl_store *store, const struct dl_actor *actor,
				dl_store_done done, void *arg);

struct dl_enrol_key_request {
	int64_t organization;
	const char *label;
	int64_t host_limit; /* 1 … 100000 */
	int64_t expires;    /* ms */
};
/* → enrolment key view with "secret": the only time it is shown. The secret
 * stays in the store, because the proof of docs/protocol.md is computed with it;
 * it admits at most host_limit hosts until it expires. */
void dl_store_enrol_key_create(struct dl_store *store, const struct dl_actor *actor,
			       const struct dl_enrol_key_request *request, dl_store_done done,
			       void *arg);
void dl_store_enrol_key_list(struct dl_store *store, const struct dl_actor *actor,
			     int64_t organization, dl_store_done done, void *arg);
void dl_store_enrol_key_revoke(struct dl_store *store, const struct dl_actor *actor,
			       const char *key_id, dl_store_done done, void *arg);

/* ---- agents (case_agent.c): views are the answers of docs/protocol.md ------- */

/* `body` is the request's JSON object. Denied alike: unknown key, expired,
 * revoked, used up, wrong proof, bad signature. A machine that enrols again
 * becomes a new agent: in the place of the old one, which is revoked, when that
 * one signed too; else unconfirmed, which claims nothing until an administrator
 * says which of them is the host. */
void dl_store_enrol(struct dl_store *store, const struct dl_actor *actor, const json_t *body,
		    dl_store_done done, void *arg);
/* → {"agent_id","organization_id"}; NOT_FOUND when unknown or revoked. */
void dl_store_agent_authenticate(struct dl_store *store, const char *token_hash,
				 dl_store_done done, void *arg);
/* What waits for the agent. `body` is the poll's JSON object; orders in its
 * `held` are not repeated. The answer always has all members; where "orders"
 * is empty and "survey" false there is nothing to say, and the poll may be
 * parked until wake. Last contact is written at most once a minute. */
void dl_store_agent_poll(struct dl_store *store, const struct dl_actor *actor, const json_t *body,
			 dl_store_done done, void *arg);
/* Compare-and-swap: the first claim of a queued order takes it. The same nonce
 * gets the same ticket; a fresh nonce for an order this agent claimed and has
 * not finished gets a fresh one. DENIED: bad signature, forked agent. */
void dl_store_claim(struct dl_store *store, const struct dl_actor *actor, const json_t *envelope,
		    dl_store_done done, void *arg);
/* Takes in surveys and results → {"acked_through"}. One bad signature refuses
 * the whole request. A signed record with a body that breaks its schema is
 * kept, acknowledged and audited, and has no other effect: repeating it would
 * not mend it. */
void dl_store_records(struct dl_store *store, const struct dl_actor *actor, const json_t *records,
		      dl_store_done done, void *arg);

/* ---- hosts (case_survey.c) --------------------------------------------------- */

/* organization 0: every visible one. → list of host views. */
void dl_store_host_list(struct dl_store *store, const struct dl_actor *actor, int64_t organization,
			struct dl_page page, dl_store_done done, void *arg);
void dl_store_host_get(struct dl_store *store, const struct dl_actor *actor, int64_t host,
		       dl_store_done done, void *arg);
/* → list of foothold views; gone ones too when `with_gone`. */
void dl_store_host_footholds(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     bool with_gone, struct dl_page page, dl_store_done done, void *arg);
/* Asks the host for a survey at its next poll (analyst, technician, administrator). */
void dl_store_survey_request(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     dl_store_done done, void *arg);

/* Says that this host is the machine that others enrolled as too (administrator):
 * it is confirmed, they are revoked. STATE: nobody else did. → host view. */
void dl_store_host_confirm(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			   dl_store_done done, void *arg);

/* ---- incidents (case_incident.c) ------------------------------------------------ */

struct dl_incident_filter {
	const char *state;    /* "draft", "open", "resolved", "closed"; NULL: all */
	const char *severity; /* "low", "high", "critical"; NULL: all */
	int64_t organization, host; /* 0: all */
	bool needs_me;        /* waits for something one of the actor's roles does */
};
/* → list of incident summaries, newest first. */
void dl_store_incident_list(struct dl_store *store, const struct dl_actor *actor,
			    const struct dl_incident_filter *filter, struct dl_page page,
			    dl_store_done done, void *arg);
/* revision 0: the current one. → incident view. */
void dl_store_incident_get(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			   int64_t revision, dl_store_done done, void *arg);

struct dl_report_request {
	const char *subject;
	const char *severity; /* "low", "high", "critical" */
	const char *summary, *recommendations;
	const json_t *edit;   /* {"keys":[…],"leave_payloads":[…],"downgrade":[…],"manual":[…],
				 "requires":[…]} as in core/plan/plan.h; members may be absent */
};
/* What the rules would propose, nothing stored → plan view. */
void dl_store_report_preview(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			     const struct dl_report_request *request, dl_store_done done,
			     void *arg);
/* Opens an incident in draft with its first revision (analyst) → incident view. */
void dl_store_incident_create(struct dl_store *store, const struct dl_actor *actor, int64_t host,
			      const struct dl_report_request *request, dl_store_done done,
			      void *arg);
/* Writes the draft revision: replaces it, or makes the next one when the
 * current revision was sent. The plan is proposed from the host's newest
 * survey. → incident view of the draft. */
void dl_store_draft_save(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			 const struct dl_report_request *request, dl_store_done done, void *arg);
/* Sends the draft whose digest is named (STALE when it is another one by now).
 * STATE while an order is in flight. The revision before is superseded. */
void dl_store_report_send(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			  const char *digest, dl_store_done done, void *arg);

struct dl_decide_request {
	int64_t incident;
	const char *digest;  /* of the revision that was read */
	bool approve;
	const json_t *steps; /* approve: chosen step ids; NULL: every assisted one */
	const char *reason;  /* reject, or not every step chosen: code of docs/api.md */
	const char *comment;
	bool useful;         /* reject: was the report useful? */
};
/* Technician. STALE: the digest is not the current revision's. STATE: already
 * decided, no assisted step, or a chosen step is manual. Approval makes the
 * signed order. → incident view. */
void dl_store_decide(struct dl_store *store, const struct dl_actor *actor,
		     const struct dl_decide_request *request, dl_store_done done, void *arg);
void dl_store_manual_done(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			  int64_t step, const char *note, dl_store_done done, void *arg);
/* Analyst; terminal. Queued orders are cancelled; STATE while one is claimed. */
void dl_store_incident_close(struct dl_store *store, const struct dl_actor *actor,
			     int64_t incident, const char *reason, const char *comment,
			     dl_store_done done, void *arg);

/* ---- orders (case_order.c) --------------------------------------------------------- */

/* Technician or analyst, before the claim; STATE afterwards. → incident view. */
void dl_store_order_cancel(struct dl_store *store, const struct dl_actor *actor,
			   const char *plan_id, dl_store_done done, void *arg);

struct dl_undo_request {
	const char *plan_id; /* the finished remove order */
	const json_t *steps; /* ids; NULL: everything it removed */
	bool legitimate;     /* yes: disposition accepted; no: the incident reopens */
	const char *comment;
};
void dl_store_order_undo(struct dl_store *store, const struct dl_actor *actor,
			 const struct dl_undo_request *request, dl_store_done done, void *arg);
/* For the server's timer (system actor): expires queued orders past their time
 * and forgets dead sessions → {"expired": n}. */
void dl_store_expire(struct dl_store *store, const struct dl_actor *actor, dl_store_done done,
		     void *arg);

/* ---- audit (case_audit.c) ------------------------------------------------------------- */

struct dl_audit_filter {
	int64_t organization, incident; /* 0: all visible */
};
/* → list of audit events, newest first. */
void dl_store_audit_list(struct dl_store *store, const struct dl_actor *actor,
			 const struct dl_audit_filter *filter, struct dl_page page,
			 dl_store_done done, void *arg);
/* Recomputes the whole chain (administrator of all, or the system)
 * → {"ok","events","head","broken_at","problem"}. */
void dl_store_audit_verify(struct dl_store *store, const struct dl_actor *actor,
			   dl_store_done done, void *arg);

#endif
