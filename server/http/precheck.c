#include "server/http/precheck.h"

#include <string.h>
#include <strings.h>

enum { STATUS_BAD = 400, STATUS_EXPECTATION = 417, STATUS_NOT_IMPLEMENTED = 501,
       STATUS_VERSION = 505, LENGTH_DIGITS_MAX = 15 };

struct span {
	const char *data;
	size_t size;
};

struct seen {
	bool host, length, expect;
	size_t headers;
};

static int refuse(struct dl_error *err, int status, const char *words)
{
	dl_error_set(err, DL_E_INVALID, "%s", words);
	return status;
}

static bool is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* tchar of RFC 9110, section 5.6.2 */
static bool is_token(struct span text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_alnum((unsigned char)text.data[i]) &&
		    !memchr("!#$%&'*+-.^_`|~", text.data[i], 15))
			return false;
	return text.size > 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* pchar, '/' and '?' of RFC 3986 with whole percent-encodings; no NUL behind one. */
static bool is_target_text(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c == '%') {
			if (i + 2 >= text.size || !is_hex(text.data[i + 1]) ||
			    !is_hex(text.data[i + 2]) || !memcmp(text.data + i + 1, "00", 2))
				return false;
			i += 2;
		} else if (!is_alnum((unsigned char)c) && !memchr("-._~!$&'()*+,;=:@/?", c, 19)) {
			return false;
		}
	}
	return true;
}

static bool equals(struct span text, const char *word)
{
	return text.size == strlen(word) && !memcmp(text.data, word, text.size);
}

static bool equals_nocase(struct span text, const char *word)
{
	return text.size == strlen(word) && !strncasecmp(text.data, word, text.size);
}

/* Takes the bytes before `stop` off `rest`; false when there is no `stop`. */
static bool take_until(struct span *rest, char stop, struct span *ret)
{
	const char *end = memchr(rest->data, stop, rest->size);

	if (!end)
		return false;
	*ret = (struct span){ rest->data, (size_t)(end - rest->data) };
	rest->data = end + 1;
	rest->size -= ret->size + 1;
	return true;
}

/* One line without its CRLF. Only HT and bytes from SP up, but DEL, may be in it. */
static int take_line(struct span *rest, struct span *ret_line, struct dl_error *err)
{
	struct span line;

	if (!take_until(rest, '\n', &line) || !line.size || line.data[line.size - 1] != '\r')
		return refuse(err, STATUS_BAD, "a line of the head does not end in CR LF");
	line.size--;
	for (size_t i = 0; i < line.size; i++) {
		unsigned char c = (unsigned char)line.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(err, STATUS_BAD, "the head holds a control character");
	}
	*ret_line = line;
	return 0;
}

static int check_method(struct span method, struct dl_precheck *check, struct dl_error *err)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!equals(method, known[i]))
			continue;
		memcpy(check->method, method.data, method.size);
		return 0;
	}
	if (!is_token(method))
		return refuse(err, STATUS_BAD, "the request line has no method");
	return refuse(err, STATUS_NOT_IMPLEMENTED, "this method is not offered");
}

static int check_request_line(struct span line, struct dl_precheck *check, struct dl_error *err)
{
	struct span method, target, path;

	if (!take_until(&line, ' ', &method) || !take_until(&line, ' ', &target))
		return refuse(err, STATUS_BAD, "the request line is malformed");
	int status = check_method(method, check, err);
	if (status)
		return status;
	if (!target.size || target.data[0] != '/' || !is_target_text(target) ||
	    (target.size > 1 && target.data[1] == '/'))
		return refuse(err, STATUS_BAD, "the request's target is not a plain path");
	if (!equals(line, "HTTP/1.1"))
		return refuse(err, line.size == 8 && !memcmp(line.data, "HTTP/", 5) ?
					   STATUS_VERSION : STATUS_BAD,
			      "only HTTP/1.1 is spoken here");
	path = target;
	take_until(&target, '?', &path);
	check->path = path.data;
	check->path_size = path.size;
	return 0;
}

static struct span trim(struct span text)
{
	while (text.size && (*text.data == ' ' || *text.data == '\t')) {
		text.data++;
		text.size--;
	}
	while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
		text.size--;
	return text;
}

static int check_length(struct span value, struct seen *seen, struct dl_precheck *check,
			struct dl_error *err)
{
	if (seen->length)
		return refuse(err, STATUS_BAD, "Content-Length is given twice");
	if (!value.size || value.size > LENGTH_DIGITS_MAX)
		return refuse(err, STATUS_BAD, "Content-Length is not a number");
	seen->length = true;
	check->content_length = 0;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return refuse(err, STATUS_BAD, "Content-Length is not a number");
		check->content_length = check->content_length * 10 + (value.data[i] - '0');
	}
	return 0;
}

static int check_host(struct span value, struct seen *seen, struct dl_error *err)
{
	if (seen->host)
		return refuse(err, STATUS_BAD, "Host is given twice");
	seen->host = true;
	for (size_t i = 0; i < value.size; i++)
		if (!is_alnum((unsigned char)value.data[i]) && !memchr("-._:[]", value.data[i], 6))
			return refuse(err, STATUS_BAD, "Host is malformed");
	return value.size ? 0 : refuse(err, STATUS_BAD, "Host is empty");
}

static int check_expect(struct span value, struct seen *seen, struct dl_precheck *check,
			struct dl_error *err)
{
	if (seen->expect || !equals_nocase(value, "100-continue"))
		return refuse(err, STATUS_EXPECTATION, "only Expect: 100-continue is understood");
	seen->expect = true;
	check->expects_continue = true;
	return 0;
}

static int check_header(struct span line, struct seen *seen, struct dl_precheck *check,
			struct dl_error *err)
{
	struct span name, value;

	if (++seen->headers > DL_PRECHECK_HEADERS_MAX)
		return refuse(err, STATUS_BAD, "there are too many headers");
	if (!take_until(&line, ':', &name) || !is_token(name))
		return refuse(err, STATUS_BAD, "a header's name is malformed");
	value = trim(line);
	if (equals_nocase(name, "Content-Length"))
		return check_length(value, seen, check, err);
	if (equals_nocase(name, "Host"))
		return check_host(value, seen, err);
	if (equals_nocase(name, "Expect"))
		return check_expect(value, seen, check, err);
	if (equals_nocase(name, "Transfer-Encoding"))
		return refuse(err, STATUS_NOT_IMPLEMENTED,
			      "Transfer-Encoding is not accepted; send Content-Length");
	return 0;
}

int dl_precheck_head(const char *head, size_t size, struct dl_precheck *ret, struct dl_error *err)
{
	struct span rest = { head, size }, line;
	struct seen seen = { 0 };

	*ret = (struct dl_precheck){ 0 };
	int status = take_line(&rest, &line, err);
	if (!status)
		status = check_request_line(line, ret, err);
	while (!status) {
		status = take_line(&rest, &line, err);
		if (status || !line.size)
			break;
		status = check_header(line, &seen, ret, err);
	}
	if (status)
		return status;
	if (rest.size)
		return refuse(err, STATUS_BAD, "the head goes on after its end");
	if (!seen.host)
		return refuse(err, STATUS_BAD, "Host is missing");
	/* evhttp reads no body behind the other methods and would take it for a request. */
	if (ret->content_length && ret->method[0] != 'P')
		return refuse(err, STATUS_BAD, "only POST and PUT have a body here");
	return 0;
}
