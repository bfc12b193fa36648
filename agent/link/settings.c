#include "agent/link/settings.h"

#include <string.h>

static const char PIN_START[] = "sha256//";
enum { PIN_BASE64_LENGTH = 44 }; /* of a SHA-256 */

void dl_link_settings_clear(struct dl_link_settings *settings)
{
	free(settings->server);
	free(settings->tls_pin);
	if (settings->token)
		explicit_bzero(settings->token, strlen(settings->token));
	free(settings->token);
	*settings = (struct dl_link_settings){ 0 };
}

static int check_server(const char *server, struct dl_error *err)
{
	static const char scheme[] = "https://";
	if (strncmp(server, scheme, sizeof(scheme) - 1) != 0)
		return dl_error_set(err, DL_E_INVALID, "the server '%s' is not https://", server);
	const char *place = server + sizeof(scheme) - 1;
	size_t length = strspn(place, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-:[]");
	if (length == 0 || place[length] != '\0')
		return dl_error_set(err, DL_E_INVALID,
				    "the server '%s' is not https://NAME[:PORT]", server);
	return 0;
}

static int check_pin(const char *pin, struct dl_error *err)
{
	for (const char *at = pin;; at++) {
		if (strncmp(at, PIN_START, strlen(PIN_START)) != 0)
			break;
		at += strlen(PIN_START);
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789+/=");
		if (length != PIN_BASE64_LENGTH)
			break;
		at += length;
		if (*at == '\0')
			return 0;
		if (*at != ';')
			break;
	}
	return dl_error_set(err, DL_E_INVALID, "the TLS pin is not sha256//BASE64");
}

static int check_token(const char *token, struct dl_error *err)
{
	size_t length = strlen(token);
	if (length == 0 || strspn(token, "0123456789abcdef") != length)
		return dl_error_set(err, DL_E_INVALID, "the token is malformed");
	return 0;
}

int dl_link_settings_check(const struct dl_link_settings *settings, struct dl_error *err)
{
	int r = check_server(settings->server, err);
	if (r >= 0)
		r = check_pin(settings->tls_pin, err);
	if (r >= 0 && settings->token)
		r = check_token(settings->token, err);
	return r;
}

char *dl_link_settings_to_text(const struct dl_link_settings *settings)
{
	dl_autojson *object = json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "server",
					settings->server, "tls_pin", settings->tls_pin, "token",
					settings->token);
	return dl_json_text(object);
}

int dl_link_settings_from_text(const char *text, size_t size, struct dl_link_settings *ret,
			       struct dl_error *err)
{
	static const char *const members[] = { "version", "server", "tls_pin", "token", NULL };
	dl_autojson *object = NULL;
	int64_t version;
	const char *server, *pin, *token;
	int r = dl_json_parse(text, size, DL_LINK_SETTINGS_MAX_BYTES, &object, err);
	if (r < 0 || (r = dl_json_only(object, members, err)) < 0 ||
	    (r = dl_json_int(object, "version", 1, 1, &version, err)) < 0 ||
	    (r = dl_json_str(object, "server", DL_SERVER_URL_MAX_BYTES, &server, err)) < 0 ||
	    (r = dl_json_str(object, "tls_pin", DL_TLS_PIN_MAX_BYTES, &pin, err)) < 0 ||
	    (r = dl_json_str(object, "token", DL_TOKEN_MAX_BYTES, &token, err)) < 0)
		return dl_error_prefix(err, r, "link's settings");

	dl_autosettings settings = { dl_strdup(server), dl_strdup(pin), dl_strdup(token) };
	r = dl_link_settings_check(&settings, err);
	if (r < 0)
		return dl_error_prefix(err, r, "link's settings");
	*ret = settings;
	settings = (struct dl_link_settings){ 0 };
	return 0;
}
