#include "agent/link/call.h"

#include "core/base/buf.h"

#include <curl/curl.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 20000, ERROR_ANSWER_MAX = 64 * 1024, MESSAGE_MAX = 400 };

struct call {
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	struct dl_buf answer;
	size_t answer_limit;
	bool too_large;
	dl_call_done done;
	void *context;
};

struct dl_caller {
	const struct dl_link_settings *settings;
	CURLM *multi;
	struct call *calls[DL_CALLS_MAX];
};

int dl_caller_new(const struct dl_link_settings *settings, struct dl_caller **ret,
		  struct dl_error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return dl_error_set(err, DL_E_IO, "libcurl cannot start");
	CURLM *multi = curl_multi_init();
	if (!multi)
		return dl_error_set(err, DL_E_IO, "libcurl cannot start");
	struct dl_caller *caller = DL_NEW(struct dl_caller);
	caller->settings = settings;
	caller->multi = multi;
	*ret = caller;
	return 0;
}

static void call_free(struct call *call)
{
	if (!call)
		return;
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	free(call->body);
	dl_buf_free(&call->answer);
	free(call);
}
DL_DEFINE_AUTO(call, call_free)

static void forget(struct dl_caller *caller, size_t slot)
{
	curl_multi_remove_handle(caller->multi, caller->calls[slot]->easy);
	call_free(caller->calls[slot]);
	caller->calls[slot] = NULL;
}

void dl_caller_free(struct dl_caller *caller)
{
	if (!caller)
		return;
	for (size_t i = 0; i < DL_CALLS_MAX; i++)
		if (caller->calls[i])
			forget(caller, i);
	curl_multi_cleanup(caller->multi);
	curl_global_cleanup();
	free(caller);
}

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
	struct call *call = user;
	size_t more = size * count;
	if (more > call->answer_limit - call->answer.size) {
		call->too_large = true;
		return 0; /* libcurl ends the transfer */
	}
	dl_buf_append(&call->answer, data, more);
	return more;
}

static int set_header(struct call *call, const char *line, struct dl_error *err)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);
	if (!longer)
		return dl_error_set(err, DL_E_IO, "libcurl refuses a header");
	call->headers = longer;
	return 0;
}

static int set_headers(struct call *call, const char *token, struct dl_error *err)
{
	int r = set_header(call, "Content-Type: application/json", err);
	if (r >= 0)
		r = set_header(call, "Expect:", err); /* no round trip to ask for the body */
	if (r < 0 || !token)
		return r;
	dl_autobuf line = DL_BUF_INIT;
	dl_buf_printf(&line, "Authorization: Bearer %s", token);
	r = set_header(call, line.data, err);
	explicit_bzero(line.data, line.size);
	return r;
}

/* Who we speak to, and what we never do. */
static CURLcode set_trust(CURL *easy, const struct dl_link_settings *settings)
{
	CURLcode c = curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, settings->tls_pin);
	if (c == CURLE_OK) /* the pin decides, and nothing else */
		c = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	return c;
}

static CURLcode set_transfer(struct call *call, const char *url, int64_t timeout_ms)
{
	CURL *easy = call->easy;
	CURLcode c = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				     (curl_off_t)strlen(call->body));
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_USERAGENT, "dislodge-agent/" DL_VERSION);
	return c;
}

static int call_new(const struct dl_link_settings *settings, const struct dl_call *asked,
		    struct call **ret, struct dl_error *err)
{
	dl_auto(call) call = DL_NEW(struct call);
	call->easy = curl_easy_init();
	if (!call->easy)
		return dl_error_set(err, DL_E_IO, "libcurl cannot start a call");
	call->body = dl_json_text(asked->body);
	call->answer_limit = asked->answer_limit > ERROR_ANSWER_MAX ? asked->answer_limit
								     : ERROR_ANSWER_MAX;
	call->done = asked->done;
	call->context = asked->context;
	int r = set_headers(call, settings->token, err);
	if (r < 0)
		return r;
	dl_autobuf url = DL_BUF_INIT;
	dl_buf_printf(&url, "%s%s", settings->server, asked->path);
	CURLcode c = set_trust(call->easy, settings);
	if (c == CURLE_OK)
		c = set_transfer(call, url.data, asked->timeout_ms);
	if (c != CURLE_OK)
		return dl_error_set(err, DL_E_UNSUPPORTED, "libcurl: %s", curl_easy_strerror(c));
	*ret = DL_TAKE(call);
	return 0;
}

int dl_caller_post(struct dl_caller *caller, const struct dl_call *asked, struct dl_error *err)
{
	size_t slot = 0;
	while (slot < DL_CALLS_MAX && caller->calls[slot])
		slot++;
	if (slot == DL_CALLS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "%d calls are in flight", DL_CALLS_MAX);
	dl_auto(call) call = NULL;
	int r = call_new(caller->settings, asked, &call, err);
	if (r < 0)
		return r;
	CURLMcode m = curl_multi_add_handle(caller->multi, call->easy);
	if (m != CURLM_OK)
		return dl_error_set(err, DL_E_IO, "libcurl: %s", curl_multi_strerror(m));
	caller->calls[slot] = DL_TAKE(call);
	return 0;
}

static void explain_transfer(CURLcode code, const struct call *call, struct dl_error *error)
{
	if (call->too_large)
		dl_error_set(error, DL_E_LIMIT, "the server's answer is too large");
	else if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		dl_error_set(error, DL_E_DENIED,
			     "the server's TLS key is not the pinned one: wrong server, or "
			     "somebody in between");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		dl_error_set(error, DL_E_TIMEOUT, "the server did not answer in time");
	else
		dl_error_set(error, DL_E_UNAVAILABLE, "%s", curl_easy_strerror(code));
}

static int code_of_status(int status)
{
	switch (status) {
	case 400: case 415: case 422: return DL_E_INVALID;
	case 401: case 403: return DL_E_DENIED;
	case 404: return DL_E_NOT_FOUND;
	case 409: case 410: return DL_E_STATE;
	case 413: return DL_E_LIMIT;
	default: return DL_E_UNAVAILABLE;
	}
}

/* {"error":{"code","message"}} where the server says it so; the status alone otherwise. */
static void explain_status(int status, const struct call *call, struct dl_error *error)
{
	dl_autojson *answer = NULL;
	json_t *object = NULL;
	const char *message = NULL;
	if (call->answer.size > 0 &&
	    dl_json_parse(call->answer.data, call->answer.size, ERROR_ANSWER_MAX, &answer,
			  NULL) == 0 &&
	    json_is_object(answer) && dl_json_object(answer, "error", &object, NULL) == 0)
		dl_json_str_opt(object, "message", MESSAGE_MAX, &message, NULL);
	if (message)
		dl_error_set(error, code_of_status(status), "%s", message);
	else
		dl_error_set(error, code_of_status(status), "the server answered %d", status);
}

static void read_answer(CURLcode code, struct call *call, struct dl_answer *answer)
{
	long status = 0;
	if (code != CURLE_OK) {
		explain_transfer(code, call, &answer->error);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	if (status == 204)
		return;
	if (status != 200) {
		explain_status((int)status, call, &answer->error);
		return;
	}
	if (dl_json_parse(call->answer.data ? call->answer.data : "", call->answer.size,
			  call->answer_limit, &answer->body, &answer->error) < 0)
		return;
	if (!json_is_object(answer->body))
		dl_error_set(&answer->error, DL_E_INVALID, "the server's answer is no object");
}

/* The slot is free before the caller hears of the end, so that it may call again. */
static void finish(struct dl_caller *caller, CURL *easy, CURLcode code)
{
	size_t slot = 0;
	while (slot < DL_CALLS_MAX && (!caller->calls[slot] || caller->calls[slot]->easy != easy))
		slot++;
	if (slot == DL_CALLS_MAX)
		return;
	struct dl_answer answer = { 0 };
	dl_call_done done = caller->calls[slot]->done;
	void *context = caller->calls[slot]->context;
	read_answer(code, caller->calls[slot], &answer);
	forget(caller, slot);
	done(context, &answer);
	json_decref(answer.body);
}

/* Returns how many calls ended. */
static int move_on(struct dl_caller *caller, struct dl_error *err)
{
	int running, left, ended = 0;
	CURLMcode m = curl_multi_perform(caller->multi, &running);
	if (m != CURLM_OK)
		return dl_error_set(err, DL_E_IO, "libcurl: %s", curl_multi_strerror(m));
	for (CURLMsg *message; (message = curl_multi_info_read(caller->multi, &left));)
		if (message->msg == CURLMSG_DONE) {
			finish(caller, message->easy_handle, message->data.result);
			ended++;
		}
	return ended;
}

int dl_caller_wait(struct dl_caller *caller, struct dl_call_wait *items, size_t count,
		   int64_t timeout_ms, struct dl_error *err)
{
	struct curl_waitfd extra[DL_CALL_WAITS_MAX];
	unsigned int used = 0;
	int r = move_on(caller, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && used < DL_CALL_WAITS_MAX; i++)
		if (items[i].descriptor >= 0)
			extra[used++] = (struct curl_waitfd){
				.fd = items[i].descriptor,
				.events = (short)(CURL_WAIT_POLLIN |
						  (items[i].want_write ? CURL_WAIT_POLLOUT : 0)),
			};
	int patience = r > 0 ? 0 : (int)timeout_ms; /* who heard of an end has something to do */
	CURLMcode m = curl_multi_poll(caller->multi, extra, used, patience, NULL);
	if (m != CURLM_OK)
		return dl_error_set(err, DL_E_IO, "libcurl: %s", curl_multi_strerror(m));
	used = 0;
	for (size_t i = 0; i < count && used < DL_CALL_WAITS_MAX; i++)
		items[i].ready = items[i].descriptor >= 0 && extra[used++].revents != 0;
	r = move_on(caller, err);
	return r < 0 ? r : 0;
}

struct asked {
	bool done;
	json_t *body;
	struct dl_error error;
};

static void note_answer(void *context, const struct dl_answer *answer)
{
	struct asked *asked = context;
	asked->done = true;
	asked->body = json_incref(answer->body);
	asked->error = answer->error;
}

int dl_caller_ask(struct dl_caller *caller, const char *path, const json_t *body,
		  size_t answer_limit, int64_t timeout_ms, json_t **ret_body,
		  struct dl_error *err)
{
	struct asked asked = { 0 };
	struct dl_call call = { .path = path, .body = body, .answer_limit = answer_limit,
				.timeout_ms = timeout_ms, .done = note_answer, .context = &asked };
	int r = dl_caller_post(caller, &call, err);
	while (r >= 0 && !asked.done)
		r = dl_caller_wait(caller, NULL, 0, timeout_ms, err);
	if (r < 0)
		return r;
	if (asked.error.code != 0 || !asked.body) {
		json_decref(asked.body);
		return dl_error_set(err, asked.error.code ? asked.error.code : DL_E_INVALID, "%s",
				    asked.error.code ? asked.error.text : "the answer is empty");
	}
	*ret_body = asked.body;
	return 0;
}
