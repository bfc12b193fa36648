/* Settings of link: where the server is and how to speak to it. All that link
 * ever holds; the keys that sign live in the executor.
 *
 * Kept as JSON in `server.json` of link's state folder, mode 0600, owned by
 * link's account; written by enrolment.
 */
#ifndef DL_AGENT_LINK_SETTINGS_H
#define DL_AGENT_LINK_SETTINGS_H

#include "core/base/mem.h"
#include "core/json/json.h"

#define DL_LINK_SETTINGS_NAME "server.json"
enum {
	DL_LINK_SETTINGS_MAX_BYTES = 16 * 1024,
	DL_SERVER_URL_MAX_BYTES = 1024,
	DL_TLS_PIN_MAX_BYTES = 512,
	DL_TOKEN_MAX_BYTES = 256,
};

struct dl_link_settings {
	char *server;  /* "https://name:port", without a path */
	char *tls_pin; /* "sha256//BASE64[;sha256//BASE64]" */
	char *token;   /* NULL before enrolment */
};

void dl_link_settings_clear(struct dl_link_settings *settings);
#define dl_autosettings __attribute__((cleanup(dl_link_settings_clear))) struct dl_link_settings

/* Refuses anything but https, a path, a user, or a pin libcurl would not take. */
int dl_link_settings_check(const struct dl_link_settings *settings, struct dl_error *err);

char *dl_link_settings_to_text(const struct dl_link_settings *settings);
int dl_link_settings_from_text(const char *text, size_t size, struct dl_link_settings *ret,
			       struct dl_error *err);

#endif
