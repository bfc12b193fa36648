/* Calls: HTTPS requests to the one server this host is enrolled with.
 *
 * The pin of the server's public key decides whom we speak to; names and
 * certificate authorities do not (CURLOPT_PINNEDPUBLICKEY(3): checked after
 * the TLS handshake has proved that the peer holds the key). No redirects, no
 * other schemes, no compression, and no answer beyond its limit.
 */
#ifndef DL_AGENT_LINK_CALL_H
#define DL_AGENT_LINK_CALL_H

#include "agent/link/settings.h"

enum { DL_CALLS_MAX = 16, DL_CALL_WAITS_MAX = 4 };

/* How a call ended. `status` 0: it never reached an HTTP answer. `body` is the
 * JSON of a 200, NULL otherwise; of an error answer the words are in `error`. */
struct dl_answer {
	int status;
	json_t *body; /* borrowed; incref to keep */
	struct dl_error error; /* code 0 for 200 and 204 */
};
typedef void (*dl_call_done)(void *context, const struct dl_answer *answer);

struct dl_caller;

/* The settings are borrowed and must outlive the caller. */
int dl_caller_new(const struct dl_link_settings *settings, struct dl_caller **ret,
		  struct dl_error *err);
/* Abandons what is in flight without calling back. */
void dl_caller_free(struct dl_caller *caller);
DL_DEFINE_AUTO(dl_caller, dl_caller_free)

struct dl_call {
	const char *path; /* "/agent/v1/poll" */
	const json_t *body;
	size_t answer_limit;
	int64_t timeout_ms;
	dl_call_done done;
	void *context;
};

/* Starts a POST; `done` is called once, from dl_caller_wait. DL_E_LIMIT: too
 * many calls in flight. */
int dl_caller_post(struct dl_caller *caller, const struct dl_call *call, struct dl_error *err);

/* Moves the calls on, calls back for those that ended, and waits until a call
 * or one of `items` has something or the time is over. */
struct dl_call_wait {
	int descriptor; /* -1 is passed over */
	bool want_write;
	bool ready; /* set */
};
int dl_caller_wait(struct dl_caller *caller, struct dl_call_wait *items, size_t count,
		   int64_t timeout_ms, struct dl_error *err);

/* One POST from start to end. The answer's body is a new reference. */
int dl_caller_ask(struct dl_caller *caller, const char *path, const json_t *body,
		  size_t answer_limit, int64_t timeout_ms, json_t **ret_body,
		  struct dl_error *err);

#endif
