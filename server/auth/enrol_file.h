/* The enrolment key file of docs/protocol.md: all that a new host must know. */
#ifndef DL_SERVER_AUTH_ENROL_FILE_H
#define DL_SERVER_AUTH_ENROL_FILE_H

#include "core/json/json.h"

/* What hosts need to find and recognise this server. Borrowed texts. */
struct dl_enrol_server {
	const char *url;         /* "https://server.example:8443" */
	const char *root_key_id; /* 64 hex */
	const char *tls_pin;     /* "sha256//BASE64" */
};

/* `key` is an enrolment key view with its secret. Owned by the caller. */
char *dl_enrol_file_text(const struct dl_enrol_server *server, const json_t *key);

#endif
