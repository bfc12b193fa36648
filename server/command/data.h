/* The data folder: everything one server keeps. Mode 0700, files 0600.
 *
 *   root.key        private root key; only `init` and certificate renewal read it,
 *                   so it may be kept elsewhere in between
 *   root.pub        its public half, which agents are enrolled with
 *   signing.key     signs orders and tickets
 *   signing.json    the root's certificate for it (DL_TYPE_KEY envelope)
 *   tls.crt tls.key the agent endpoint's certificate; may be replaced by others
 *   dislodge.db     the store
 */
#ifndef DL_SERVER_COMMAND_DATA_H
#define DL_SERVER_COMMAND_DATA_H

#include "core/wire/order.h"

enum { DL_DATA_PATH_SIZE = 4096, DL_DATA_NAMES_MAX = 16 };

struct dl_data {
	char database[DL_DATA_PATH_SIZE];
	char tls_certificate[DL_DATA_PATH_SIZE];
	char tls_key[DL_DATA_PATH_SIZE];
	struct dl_signing_key *signing_key;
	json_t *key_cert;
	char root_key[DL_PUBLIC_KEY_TEXT_SIZE];
	char root_key_id[DL_KEY_ID_TEXT_SIZE];
};

/* Makes folder, keys and certificate. `names` are the host names and addresses
 * agents reach the server by. DL_E_EXISTS: there is a root key already. */
int dl_data_create(const char *folder, const char *const *names, size_t name_count,
		   struct dl_error *err);

/* Reads it. The signing key's certificate is renewed for a year when it has
 * less than 30 days left and the root key is there. DL_E_DENIED: the folder is
 * open to others. */
int dl_data_open(const char *folder, struct dl_data **ret_data, struct dl_error *err);
void dl_data_free(struct dl_data *data);
DL_DEFINE_AUTO(dl_data, dl_data_free)

#endif
