#include "server/command/data.h"

#include "core/base/buf.h"
#include "core/base/time.h"
#include "server/command/certificate.h"
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 * 1024 };
static const int64_t year_ms = INT64_C(365) * 86400 * 1000, renew_ms = INT64_C(30) * 86400 * 1000;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define dl_autofd __attribute__((cleanup(close_fd))) int

static int folder_open(const char *folder, int *ret_fd, struct dl_error *err)
{
	struct stat status;
	dl_autofd fd = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dl_error_errno(err, errno, "opening the data folder '%s'", folder);
	if (fstat(fd, &status) < 0)
		return dl_error_errno(err, errno, "looking at the data folder '%s'", folder);
	if (status.st_mode & 077)
		return dl_error_set(err, DL_E_DENIED,
				    "the data folder '%s' is open to other users (mode %03o, want 700)",
				    folder, status.st_mode & 0777);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* Durable and never half there: written beside, synced, renamed. */
static int file_write(int folder, const char *name, const char *text, struct dl_error *err)
{
	char beside[64];
	size_t size = strlen(text);

	snprintf(beside, sizeof(beside), "%s.new", name);
	unlinkat(folder, beside, 0);
	dl_autofd fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return dl_error_errno(err, errno, "making '%s'", beside);
	if (write(fd, text, size) != (ssize_t)size || fsync(fd) < 0)
		return dl_error_errno(err, errno, "writing '%s'", beside);
	if (renameat(folder, beside, folder, name) < 0 || fsync(folder) < 0)
		return dl_error_errno(err, errno, "putting '%s' in its place", name);
	return 0;
}

static int file_read(int folder, const char *name, char **ret_text, struct dl_error *err)
{
	char text[FILE_MAX_BYTES];
	dl_autofd fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return dl_error_errno(err, errno, "opening '%s' in the data folder", name);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	if (size < 0)
		return dl_error_errno(err, errno, "reading '%s' in the data folder", name);
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0'; /* each of our files is one line */
	*ret_text = dl_strdup(text);
	explicit_bzero(text, sizeof(text));
	return 0;
}

static void wipe_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}
#define dl_autosecret __attribute__((cleanup(wipe_free))) char *

static int key_write(int folder, const char *name, const struct dl_signing_key *key,
		     struct dl_error *err)
{
	char text[DL_PRIVATE_KEY_TEXT_SIZE + 1];

	int r = dl_signing_key_export(key, text, err);
	if (r >= 0) {
		strcat(text, "\n");
		r = file_write(folder, name, text, err);
	}
	explicit_bzero(text, sizeof(text));
	return r;
}

static int key_read(int folder, const char *name, struct dl_signing_key **ret,
		    struct dl_error *err)
{
	dl_autosecret text = NULL;

	int r = file_read(folder, name, &text, err);
	if (r < 0)
		return r;
	r = dl_signing_key_import(text, ret, err);
	return r < 0 ? dl_error_prefix(err, r, "'%s'", name) : 0;
}

static int line_write(int folder, const char *name, const char *line, struct dl_error *err)
{
	dl_autobuf text = DL_BUF_INIT;

	dl_buf_printf(&text, "%s\n", line);
	return file_write(folder, name, text.data, err);
}

/* The root vouches for the signing key for a year from now. */
static int cert_issue(int folder, const struct dl_signing_key *root,
		      const struct dl_signing_key *signing, json_t **ret, struct dl_error *err)
{
	int64_t now = dl_time_now_ms();
	struct dl_key_cert cert = { .not_before = now - 3600 * 1000, .not_after = now + year_ms };
	dl_autojson *envelope = NULL;

	dl_signing_key_public(signing, cert.public_key);
	dl_autofree char *body = dl_key_cert_to_body(&cert);
	int r = dl_envelope_sign(root, DL_TYPE_KEY, body, &envelope, err);
	if (r < 0)
		return r;
	dl_autofree char *text = dl_json_text(envelope);
	r = line_write(folder, "signing.json", text, err);
	if (r < 0)
		return r;
	*ret = DL_TAKE(envelope);
	return 0;
}

/* The root key last: where it is, everything else is too. */
static int keys_create(int folder, struct dl_error *err)
{
	dl_auto(dl_signing_key) root = NULL;
	dl_auto(dl_signing_key) signing = NULL;
	dl_autojson *cert = NULL;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];

	int r = dl_signing_key_generate(&root, err);
	if (r >= 0)
		r = dl_signing_key_generate(&signing, err);
	if (r >= 0)
		r = key_write(folder, "signing.key", signing, err);
	if (r >= 0)
		r = cert_issue(folder, root, signing, &cert, err);
	if (r < 0)
		return r;
	dl_signing_key_public(root, public_key);
	r = line_write(folder, "root.pub", public_key, err);
	return r < 0 ? r : key_write(folder, "root.key", root, err);
}

int dl_data_create(const char *path, const char *const *names, size_t name_count,
		   struct dl_error *err)
{
	dl_autofree char *certificate = NULL;
	dl_autosecret key = NULL;
	dl_autofd folder = -1;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return dl_error_errno(err, errno, "making the data folder '%s'", path);
	int r = folder_open(path, &folder, err);
	if (r < 0)
		return r;
	if (!faccessat(folder, "root.pub", F_OK, 0))
		return dl_error_set(err, DL_E_EXISTS, "'%s' holds a server already", path);
	r = dl_certificate_make(names, name_count, &certificate, &key, err);
	if (r >= 0)
		r = file_write(folder, "tls.key", key, err);
	if (r >= 0)
		r = file_write(folder, "tls.crt", certificate, err);
	return r < 0 ? r : keys_create(folder, err);
}

static int cert_read(int folder, struct dl_data *data, struct dl_key_cert *ret_cert,
		     struct dl_error *err)
{
	dl_autofree char *text = NULL;
	const char *body;
	char public_key[DL_PUBLIC_KEY_TEXT_SIZE];

	int r = file_read(folder, "signing.json", &text, err);
	if (r >= 0)
		r = dl_json_parse(text, strlen(text), FILE_MAX_BYTES, &data->key_cert, err);
	if (r >= 0)
		r = dl_envelope_verify(data->key_cert, DL_TYPE_KEY, data->root_key, FILE_MAX_BYTES,
				       &body, err);
	if (r >= 0)
		r = dl_key_cert_from_body(body, ret_cert, err);
	if (r < 0)
		return dl_error_prefix(err, r, "the signing key's certificate");
	dl_signing_key_public(data->signing_key, public_key);
	if (strcmp(public_key, ret_cert->public_key))
		return dl_error_set(err, DL_E_DENIED,
				    "signing.json vouches for another key than signing.key");
	return 0;
}

/* Renewing keeps the key, so that orders signed already stay good. */
static int cert_renew_if_due(int folder, struct dl_data *data, const struct dl_key_cert *cert,
			     struct dl_error *err)
{
	dl_auto(dl_signing_key) root = NULL;
	json_t *renewed;

	if (cert->not_after - dl_time_now_ms() > renew_ms)
		return 0;
	int r = key_read(folder, "root.key", &root, err);
	if (r == DL_E_NOT_FOUND) {
		dl_log(DL_LOG_WARNING, "the signing key's certificate ends soon, and root.key is "
				       "not here to renew it");
		return 0;
	}
	if (r >= 0)
		r = cert_issue(folder, root, data->signing_key, &renewed, err);
	if (r < 0)
		return r;
	json_decref(data->key_cert);
	data->key_cert = renewed;
	return 0;
}

static int data_read(int folder, struct dl_data *data, struct dl_error *err)
{
	struct dl_key_cert cert;
	dl_autofree char *root = NULL;

	int r = file_read(folder, "root.pub", &root, err);
	if (r >= 0)
		r = dl_key_id(root, data->root_key_id, err);
	if (r < 0)
		return dl_error_prefix(err, r, "this is no data folder of `dislodged init`");
	strcpy(data->root_key, root); /* dl_key_id checked its length */
	r = key_read(folder, "signing.key", &data->signing_key, err);
	if (r >= 0)
		r = cert_read(folder, data, &cert, err);
	return r < 0 ? r : cert_renew_if_due(folder, data, &cert, err);
}

static bool path_join(char out[DL_DATA_PATH_SIZE], const char *folder, const char *name)
{
	return snprintf(out, DL_DATA_PATH_SIZE, "%s/%s", folder, name) < DL_DATA_PATH_SIZE;
}

int dl_data_open(const char *path, struct dl_data **ret_data, struct dl_error *err)
{
	dl_auto(dl_data) data = DL_NEW(struct dl_data);
	dl_autofd folder = -1;

	if (!path_join(data->database, path, "dislodge.db") ||
	    !path_join(data->tls_certificate, path, "tls.crt") ||
	    !path_join(data->tls_key, path, "tls.key"))
		return dl_error_set(err, DL_E_LIMIT, "the data folder's path is too long");
	int r = folder_open(path, &folder, err);
	if (r >= 0)
		r = data_read(folder, data, err);
	if (r < 0)
		return r;
	*ret_data = DL_TAKE(data);
	return 0;
}

void dl_data_free(struct dl_data *data)
{
	if (!data)
		return;
	dl_signing_key_free(data->signing_key);
	json_decref(data->key_cert);
	free(data);
}
