#include "cli/call.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { PAGES_MAX = 1000, PAGE_LIMIT = 200 };

struct exchange {
	CURL *curl;
	struct curl_slist *headers;
	char *url, *text; /* what is sent */
	struct dl_buf answer;
};

static void exchange_clear(struct exchange *exchange)
{
	curl_easy_cleanup(exchange->curl);
	curl_slist_free_all(exchange->headers);
	free(exchange->url);
	free(exchange->text);
	dl_buf_free(&exchange->answer);
}

static size_t exchange_on_data(char *data, size_t one, size_t size, void *arg)
{
	struct exchange *exchange = arg;

	(void)one;
	if (exchange->answer.size + size > DL_CALL_ANSWER_MAX_BYTES)
		return 0; /* curl ends with CURLE_WRITE_ERROR */
	dl_buf_append(&exchange->answer, data, size);
	return size;
}

static bool host_is_here(const char *host)
{
	return !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "[::1]");
}

static int server_check(const char *server, struct dl_error *err)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL;
	bool good = !curl_url_set(url, CURLUPART_URL, server, 0) &&
		    !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
		    !curl_url_get(url, CURLUPART_HOST, &host, 0);
	bool plain = good && !strcmp(scheme, "http");
	bool known = plain || (good && !strcmp(scheme, "https"));
	bool safe = !plain || host_is_here(host);

	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(url);
	if (!known)
		return dl_error_set(err, DL_E_INVALID, "'%s' is not an http(s) address", server);
	if (!safe)
		return dl_error_set(err, DL_E_DENIED,
				    "'%s' is not this machine: use https, the token is a secret",
				    server);
	return 0;
}

static void exchange_add_header(struct exchange *exchange, const char *format, const char *value)
{
	dl_autobuf line = DL_BUF_INIT;

	dl_buf_printf(&line, "%s%s", format, value);
	exchange->headers = curl_slist_append(exchange->headers, line.data);
	explicit_bzero(line.data, line.size);
}

static void exchange_set_body(struct exchange *exchange, const json_t *body)
{
	exchange->text = dl_json_text(body);
	exchange_add_header(exchange, "Content-Type: ", "application/json");
	curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDS, exchange->text);
	curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(exchange->text));
}

static void exchange_prepare(struct exchange *exchange, const struct dl_account *account,
			     const char *method, const char *path, const json_t *body)
{
	dl_autobuf url = DL_BUF_INIT;
	CURL *curl = exchange->curl = curl_easy_init();
	size_t size = strlen(account->server);

	while (size && account->server[size - 1] == '/')
		size--;
	dl_buf_printf(&url, "%.*s%s", (int)size, account->server, path);
	exchange->url = dl_buf_take(&url);
	curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)DL_CALL_TIMEOUT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "dislodge/" DL_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, exchange_on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	if (account->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, account->ca_file);
	if (body)
		exchange_set_body(exchange, body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (*account->token)
		exchange_add_header(exchange, "Authorization: Bearer ", account->token);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
}

static int refusal_code(long status, const char *code)
{
	if (status == 401 || status == 403)
		return DL_E_DENIED;
	if (status == 404)
		return DL_E_NOT_FOUND;
	if (status == 409 && code && !strcmp(code, "stale"))
		return DL_E_STALE;
	if (status == 409 && code && !strcmp(code, "exists"))
		return DL_E_EXISTS;
	if (status == 409)
		return DL_E_STATE;
	if (status == 413)
		return DL_E_LIMIT;
	if (status == 429 || status == 503)
		return DL_E_BUSY;
	return status == 400 ? DL_E_INVALID : DL_E_IO;
}

static int exchange_refused(long status, const json_t *answer, struct dl_error *err)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *words = json_string_value(json_object_get(error, "message"));

	return dl_error_set(err, refusal_code(status, code), "the server says: %s",
			    words ? words : "no (and does not say why)");
}

static int exchange_run(struct exchange *exchange, json_t **ret_answer, struct dl_error *err)
{
	dl_autojson *answer = NULL;
	long status = 0;

	CURLcode code = curl_easy_perform(exchange->curl);
	if (code == CURLE_WRITE_ERROR)
		return dl_error_set(err, DL_E_LIMIT, "the server's answer is too large");
	if (code)
		return dl_error_set(err, DL_E_UNAVAILABLE, "%s: %s", exchange->url,
				    curl_easy_strerror(code));
	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!exchange->answer.size && status >= 200 && status < 300) {
		*ret_answer = json_object();
		return 0;
	}
	int r = dl_json_parse(exchange->answer.data ? exchange->answer.data : "",
			      exchange->answer.size, DL_CALL_ANSWER_MAX_BYTES, &answer, err);
	if (r < 0 && status < 300)
		return dl_error_prefix(err, DL_E_IO, "this is no Dislodge server");
	if (status >= 300)
		return exchange_refused(status, answer, err);
	*ret_answer = DL_TAKE(answer);
	return 0;
}

int dl_call(const struct dl_account *account, const char *method, const char *path,
	    const json_t *body, json_t **ret_answer, struct dl_error *err)
{
	__attribute__((cleanup(exchange_clear))) struct exchange exchange = { 0 };

	int r = server_check(account->server, err);
	if (r < 0)
		return r;
	exchange_prepare(&exchange, account, method, path, body);
	return exchange_run(&exchange, ret_answer, err);
}

int dl_call_saved(const char *method, const json_t *body, json_t **ret_answer,
		  struct dl_error *err, const char *path_format, ...)
{
	dl_auto(dl_account) account = NULL;
	char path[1024];
	va_list args;

	va_start(args, path_format);
	vsnprintf(path, sizeof(path), path_format, args);
	va_end(args);
	int r = dl_account_load(&account, err);
	return r < 0 ? r : dl_call(account, method, path, body, ret_answer, err);
}

int dl_call_list(const char *path, json_t **ret_items, struct dl_error *err)
{
	dl_autojson *items = json_array();
	int64_t cursor = 0;

	for (int page = 0; page < PAGES_MAX; page++) {
		dl_autojson *answer = NULL;
		int r = dl_call_saved("GET", NULL, &answer, err, "%s%climit=%d&cursor=%" PRId64, path,
				      strchr(path, '?') ? '&' : '?', PAGE_LIMIT, cursor);
		if (r < 0)
			return r;
		json_array_extend(items, json_object_get(answer, "items"));
		cursor = json_integer_value(json_object_get(answer, "next"));
		if (!cursor)
			break;
	}
	*ret_items = DL_TAKE(items);
	return 0;
}
