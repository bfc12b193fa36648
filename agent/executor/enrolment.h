/* Enrolment: how a host becomes an agent of one organization.
 *
 * A key file, made by an administrator, says where the server is and by which
 * keys it is known; the host makes its own key and proves that it holds the
 * file's secret. The pins protect against the network, not against a server
 * that was captured before the file was made. Forms: docs/protocol.md.
 */
#ifndef DL_AGENT_EXECUTOR_ENROLMENT_H
#define DL_AGENT_EXECUTOR_ENROLMENT_H

#include "agent/executor/identity.h"
#include "agent/platform/host.h"

enum { DL_KEY_FILE_MAX_BYTES = 16 * 1024, DL_ENROL_ANSWER_MAX_BYTES = 64 * 1024 };

struct dl_key_file {
	char *server, *tls_pin; /* owned; checked by link's settings */
	char key_id[DL_ID_TEXT_SIZE];
	char secret[DL_TOKEN_TEXT_SIZE];
	char root_key_id[DL_KEY_ID_TEXT_SIZE];
};
/* Wipes the secret. */
void dl_key_file_clear(struct dl_key_file *file);
#define dl_autokeyfile __attribute__((cleanup(dl_key_file_clear))) struct dl_key_file

/* Strict: one section, every name once, nothing unknown. */
int dl_key_file_parse(const char *text, size_t size, struct dl_key_file *ret, struct dl_error *err);

/* Makes the agent's key and the request that introduces it (a new reference).
 * `earlier` is the key of the identity that this one replaces, which vouches for
 * it; NULL: none. */
int dl_enrolment_request(const struct dl_key_file *file, struct dl_host *host,
			 const struct dl_signing_key *earlier, struct dl_signing_key **ret_key,
			 json_t **ret_request, struct dl_error *err);

/* The identity that a server's answer gives to `key` (taken over on success),
 * once its root key is the one the file pins. Texts are borrowed from the answer. */
struct dl_enrolled {
	struct dl_identity *identity; /* owned */
	const char *token, *organization;
};
int dl_enrolment_accept(const struct dl_key_file *file, const json_t *answer,
			struct dl_signing_key **key, struct dl_enrolled *ret, struct dl_error *err);

#endif
