#include "agent/executor/enrolment.h"

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/wire/envelope.h"

#include <ini.h>
#include <string.h>

enum {
	MACHINE_ID_MAX = 256,
	ORGANIZATION_NAME_MAX = 1024,
	TOKEN_MAX = 256,
};

void dl_key_file_clear(struct dl_key_file *file)
{
	free(file->server);
	free(file->tls_pin);
	explicit_bzero(file->secret, sizeof(file->secret));
	*file = (struct dl_key_file){ 0 };
}

/* ---- reading the key file ---- */

struct reading {
	struct dl_key_file *file;
	struct dl_error *err;
	int failure;
};

static int take_hex(struct reading *reading, const char *name, const char *value, char *out,
		    size_t bytes)
{
	unsigned char decoded[DL_SHA256_SIZE];
	if (out[0] != '\0')
		return dl_error_set(reading->err, DL_E_INVALID, "'%s' appears twice", name);
	int r = dl_hex_decode(value, decoded, bytes, reading->err);
	explicit_bzero(decoded, sizeof(decoded));
	if (r < 0)
		return dl_error_prefix(reading->err, r, "'%s'", name);
	memcpy(out, value, 2 * bytes + 1);
	return 0;
}

static int take_text(struct reading *reading, const char *name, const char *value, char **text)
{
	if (*text)
		return dl_error_set(reading->err, DL_E_INVALID, "'%s' appears twice", name);
	*text = dl_strdup(value);
	return 0;
}

static int take(struct reading *reading, const char *section, const char *name, const char *value)
{
	struct dl_key_file *file = reading->file;
	if (strcmp(section, "enrolment") != 0)
		return dl_error_set(reading->err, DL_E_INVALID, "there is a section '%s'", section);
	if (strcmp(name, "server") == 0)
		return take_text(reading, name, value, &file->server);
	if (strcmp(name, "tls_pin") == 0)
		return take_text(reading, name, value, &file->tls_pin);
	if (strcmp(name, "key_id") == 0)
		return take_hex(reading, name, value, file->key_id, (DL_ID_TEXT_SIZE - 1) / 2);
	if (strcmp(name, "secret") == 0)
		return take_hex(reading, name, value, file->secret, (DL_TOKEN_TEXT_SIZE - 1) / 2);
	if (strcmp(name, "root_key_id") == 0)
		return take_hex(reading, name, value, file->root_key_id, DL_SHA256_SIZE);
	return dl_error_set(reading->err, DL_E_INVALID, "there is a name '%s'", name);
}

/* inih's handler: 0 is failure. The first one is the one that is told. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	if (reading->failure == 0)
		reading->failure = take(reading, section, name, value);
	return reading->failure == 0;
}

static int check_complete(const struct dl_key_file *file, struct dl_error *err)
{
	const struct { const char *name; bool there; } needed[] = {
		{ "server", file->server != NULL },
		{ "tls_pin", file->tls_pin != NULL },
		{ "key_id", file->key_id[0] != '\0' },
		{ "secret", file->secret[0] != '\0' },
		{ "root_key_id", file->root_key_id[0] != '\0' },
	};
	for (size_t i = 0; i < DL_COUNT(needed); i++)
		if (!needed[i].there)
			return dl_error_set(err, DL_E_INVALID, "'%s' is missing", needed[i].name);
	return 0;
}

int dl_key_file_parse(const char *text, size_t size, struct dl_key_file *ret, struct dl_error *err)
{
	dl_autokeyfile file = { 0 };
	struct reading reading = { .file = &file, .err = err };
	if (size > DL_KEY_FILE_MAX_BYTES || memchr(text, '\0', size))
		return dl_error_set(err, DL_E_INVALID, "this is no enrolment key file");
	int line = ini_parse_string(text, on_value, &reading);
	if (reading.failure == 0 && line != 0)
		reading.failure = dl_error_set(err, DL_E_INVALID, "it cannot be read");
	if (reading.failure < 0)
		return dl_error_prefix(err, reading.failure, "the key file, line %d",
				       line > 0 ? line : 1);
	int r = check_complete(&file, err);
	if (r < 0)
		return dl_error_prefix(err, r, "the key file");
	*ret = file;
	file = (struct dl_key_file){ 0 };
	return 0;
}

/* ---- introducing this host ---- */

/* The machine id is confidential (machine-id(5)): only a hash under our own name leaves. */
static int hash_machine(struct dl_host *host, char out[DL_SHA256_TEXT_SIZE], struct dl_error *err)
{
	static const char purpose[] = "dislodge machine 1\n";
	dl_autofree char *id = NULL;
	size_t size;
	int r = dl_host_read(host, "/etc/machine-id", MACHINE_ID_MAX, &id, &size, err);
	if (r < 0)
		return dl_error_prefix(err, r, "reading the machine id");
	dl_autobuf hashed = DL_BUF_INIT;
	dl_buf_puts(&hashed, purpose);
	dl_buf_append(&hashed, id, size);
	dl_sha256_text(hashed.data, hashed.size, out);
	return 0;
}

static int make_statement(struct dl_host *host, const struct dl_signing_key *key, char **ret_body,
			  struct dl_error *err)
{
	struct dl_host_identity machine = { 0 };
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE], hash[DL_SHA256_TEXT_SIZE];
	char nonce[DL_ID_TEXT_SIZE];
	int r = hash_machine(host, hash, err);
	if (r >= 0)
		r = dl_host_identify(host, &machine, err);
	if (r < 0)
		return r;
	dl_signing_key_public(key, public_key);
	dl_random_id(nonce);
	dl_autofree char *hostname = dl_bytes_encode_str(machine.hostname);
	dl_autofree char *os = dl_bytes_encode_str(machine.os);
	dl_host_identity_clear(&machine);
	dl_autojson *statement = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "version", 1, "public_key", public_key,
		"machine_hash", hash, "hostname", hostname, "os", os, "agent_version", DL_VERSION,
		"nonce", nonce);
	*ret_body = dl_json_text(statement);
	return 0;
}

static void prove(const struct dl_key_file *file, const char *body, char out[DL_SHA256_TEXT_SIZE])
{
	dl_autobuf proof = DL_BUF_INIT;
	dl_buf_printf(&proof, "%s:%s", file->secret, body);
	dl_sha256_text(proof.data, proof.size, out);
	explicit_bzero(proof.data, proof.size);
}

int dl_enrolment_request(const struct dl_key_file *file, struct dl_host *host,
			 const struct dl_signing_key *earlier, struct dl_signing_key **ret_key,
			 json_t **ret_request, struct dl_error *err)
{
	dl_auto(dl_signing_key) key = NULL;
	dl_autofree char *body = NULL;
	dl_autojson *statement = NULL, *vouched = NULL;
	char proof[DL_SHA256_TEXT_SIZE];
	int r = dl_signing_key_generate(&key, err);
	if (r >= 0)
		r = make_statement(host, key, &body, err);
	if (r >= 0)
		r = dl_envelope_sign(key, DL_TYPE_ENROL, body, &statement, err);
	if (r >= 0 && earlier)
		r = dl_envelope_sign(earlier, DL_TYPE_ENROL, body, &vouched, err);
	if (r < 0)
		return r;
	prove(file, body, proof);
	*ret_request = json_pack("{s:s, s:s, s:O, s:O*}", "key_id", file->key_id, "proof", proof,
				 "statement", statement, "earlier", vouched);
	*ret_key = DL_TAKE(key);
	return 0;
}

/* ---- the answer ---- */

static int check_root(const struct dl_key_file *file, const char *root_key, struct dl_error *err)
{
	char key_id[DL_KEY_ID_TEXT_SIZE];
	int r = dl_key_id(root_key, key_id, err);
	if (r < 0)
		return r;
	if (strcmp(key_id, file->root_key_id) != 0)
		return dl_error_set(err, DL_E_DENIED,
				    "the server's root key is not the one the key file pins: "
				    "another server made that file");
	return 0;
}

int dl_enrolment_accept(const struct dl_key_file *file, const json_t *answer,
			struct dl_signing_key **key, struct dl_enrolled *ret, struct dl_error *err)
{
	dl_auto(dl_identity) identity = DL_NEW(struct dl_identity);
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];
	const char *root_key, *token, *organization;
	int r = dl_json_int(answer, "agent_id", 1, INT64_MAX, &identity->agent, err);
	if (r >= 0)
		r = dl_json_int(answer, "organization_id", 1, INT64_MAX, &identity->organization,
				err);
	if (r >= 0)
		r = dl_json_str(answer, "organization", ORGANIZATION_NAME_MAX, &organization, err);
	if (r >= 0)
		r = dl_json_str(answer, "token", TOKEN_MAX, &token, err);
	if (r >= 0)
		r = dl_json_hex(answer, "root_key", DL_PUBLIC_KEY_SIZE, &root_key, err);
	if (r >= 0)
		r = check_root(file, root_key, err);
	if (r < 0)
		return dl_error_prefix(err, r, "the server's answer");
	memcpy(identity->root_key, root_key, sizeof(identity->root_key));
	dl_signing_key_public(*key, public_key);
	r = dl_key_id(public_key, identity->key_id, err);
	if (r < 0)
		return r;
	identity->key = DL_TAKE(*key);
	*ret = (struct dl_enrolled){ DL_TAKE(identity), token, organization };
	return 0;
}
