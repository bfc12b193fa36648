#include "server/store/anchor.h"

#include "core/base/time.h"
#include "core/wire/order.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX_BYTES = 8 * 1024, PATH_SIZE = 4096 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define auto_fd __attribute__((cleanup(close_fd))) int

/* ---- words: {"key": certificate, "anchor": envelope} ---- */

static char *make_words(const struct dl_store_options *options, const struct dl_anchor *anchor,
			struct dl_error *err)
{
	dl_autojson *fields = json_pack("{s:i,s:I,s:s,s:I}", "version", 1, "events",
					(json_int_t)anchor->events, "hash", anchor->hash, "time",
					(json_int_t)anchor->time);
	dl_autofree char *body = dl_json_text(fields);
	dl_autojson *envelope = NULL;
	if (dl_envelope_sign(options->key, DL_TYPE_ANCHOR, body, &envelope, err) < 0)
		return NULL;
	dl_autojson *key = json_deep_copy(options->key_cert); /* its counts are another thread's */
	dl_autojson *words = json_pack("{s:O,s:O}", "key", key, "anchor", envelope);
	return dl_json_text(words);
}

static int read_body(const char *body, struct dl_anchor *ret, struct dl_error *err)
{
	static const char *const members[] = { "version", "events", "hash", "time", NULL };
	struct dl_anchor anchor = { 0 };
	dl_autojson *fields = NULL;
	const char *hash = NULL;
	int64_t version = 0;
	int r = dl_json_parse(body, strlen(body), WORDS_MAX_BYTES, &fields, err);
	if (r == 0)
		r = dl_json_only(fields, members, err);
	if (r == 0)
		r = dl_json_int(fields, "version", 1, 1, &version, err);
	if (r == 0)
		r = dl_json_int(fields, "events", 1, INT64_MAX, &anchor.events, err);
	if (r == 0)
		r = dl_json_hex(fields, "hash", DL_SHA256_SIZE, &hash, err);
	if (r == 0)
		r = dl_json_int(fields, "time", 0, INT64_MAX, &anchor.time, err);
	if (r < 0)
		return r;
	memcpy(anchor.hash, hash, sizeof(anchor.hash));
	*ret = anchor;
	return 0;
}

/* Signed by any key that the root ever vouched for: the key may have changed since. */
static int read_words(const char *words, const struct dl_store_options *options,
		      struct dl_anchor *ret, struct dl_error *err)
{
	static const char *const members[] = { "key", "anchor", NULL };
	struct dl_key_cert cert;
	dl_autojson *object = NULL;
	json_t *key = NULL, *envelope = NULL;
	const char *body = NULL;
	int r = dl_json_parse(words, strlen(words), WORDS_MAX_BYTES, &object, err);
	if (r == 0)
		r = dl_json_only(object, members, err);
	if (r == 0)
		r = dl_json_object(object, "key", &key, err);
	if (r == 0)
		r = dl_json_object(object, "anchor", &envelope, err);
	if (r == 0)
		r = dl_envelope_verify(key, DL_TYPE_KEY, options->root_key, WORDS_MAX_BYTES, &body,
				       err);
	if (r == 0)
		r = dl_key_cert_from_body(body, &cert, err);
	if (r == 0)
		r = dl_envelope_verify(envelope, DL_TYPE_ANCHOR, cert.public_key, WORDS_MAX_BYTES,
				       &body, err);
	return r < 0 ? r : read_body(body, ret, err);
}

/* ---- the row ---- */

static int row_words(struct dl_db *db, char **ret_words, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(db, "SELECT words FROM audit_anchor WHERE id = 1");
	int r = dl_query_step(query, err);
	if (r < 0)
		return r;
	*ret_words = r ? dl_strdup(dl_row_text(query, "words")) : NULL;
	return 0;
}

int dl_anchor_read_row(struct dl_db *db, const struct dl_store_options *options,
		       struct dl_anchor *ret, struct dl_error *err)
{
	dl_autofree char *words = NULL;
	int r = row_words(db, &words, err);
	*ret = (struct dl_anchor){ 0 };
	return r < 0 || !words ? r : read_words(words, options, ret, err);
}

static int read_head(struct dl_db *db, struct dl_anchor *ret, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(db, "SELECT id, hash FROM audit "
						   "ORDER BY id DESC LIMIT 1");
	int r = dl_query_one(query, "audit event", err);
	if (r < 0)
		return r;
	*ret = (struct dl_anchor){ .events = dl_row_int(query, "id"), .time = dl_time_now_ms() };
	snprintf(ret->hash, sizeof(ret->hash), "%s", dl_row_text(query, "hash"));
	return 0;
}

/* 1: the chain holds what the anchor says, or there is no anchor yet. */
static int chain_holds(struct dl_db *db, const struct dl_anchor *anchor, struct dl_error *err)
{
	if (!anchor->events)
		return 1;
	dl_auto(dl_query) query = dl_query_new(db,
		"SELECT 1 FROM audit WHERE id = :id AND hash = :hash");
	dl_query_int(query, "id", anchor->events);
	dl_query_text(query, "hash", anchor->hash);
	return dl_query_step(query, err);
}

int dl_anchor_advance(struct dl_db *db, const struct dl_store_options *options,
		      struct dl_error *err)
{
	struct dl_anchor before, head;
	if (dl_anchor_read_row(db, options, &before, NULL) < 0)
		return 0; /* not ours: proof, which stays */
	int r = chain_holds(db, &before, err);
	if (r <= 0)
		return r;
	r = read_head(db, &head, err);
	if (r < 0)
		return r;
	dl_autofree char *words = make_words(options, &head, err);
	if (!words)
		return DL_E_CRYPTO;
	dl_auto(dl_query) query = dl_query_new(db,
		"INSERT INTO audit_anchor (id, words) VALUES (1, :words) "
		"ON CONFLICT (id) DO UPDATE SET words = excluded.words");
	dl_query_text(query, "words", words);
	return dl_query_run(query, err);
}

/* ---- the copy ---- */

static int copy_path(const struct dl_store_options *options, const char *ending,
		     char out[PATH_SIZE], struct dl_error *err)
{
	int size = snprintf(out, PATH_SIZE, "%s.anchor%s", options->path, ending);
	return size < PATH_SIZE ? 0 : dl_error_set(err, DL_E_LIMIT, "the anchor's path is too long");
}

static int copy_words(const struct dl_store_options *options, char **ret_words,
		      struct dl_error *err)
{
	char path[PATH_SIZE], words[WORDS_MAX_BYTES];
	int r = copy_path(options, "", path, err);
	if (r < 0)
		return r;
	auto_fd fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	*ret_words = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : dl_error_errno(err, errno, "opening '%s'", path);
	ssize_t size = read(fd, words, sizeof(words) - 1);
	if (size < 0)
		return dl_error_errno(err, errno, "reading '%s'", path);
	words[size] = '\0';
	*ret_words = dl_strdup(words);
	return 0;
}

int dl_anchor_read_copy(const struct dl_store_options *options, struct dl_anchor *ret,
			struct dl_error *err)
{
	dl_autofree char *words = NULL;
	int r = copy_words(options, &words, err);
	*ret = (struct dl_anchor){ 0 };
	return r < 0 || !words ? r : read_words(words, options, ret, err);
}

static int sync_folder(const char *file, struct dl_error *err)
{
	char folder[PATH_SIZE];
	snprintf(folder, sizeof(folder), "%s", file);
	auto_fd fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return dl_error_errno(err, errno, "syncing the folder of '%s'", file);
	return 0;
}

/* Never half there: written beside, synced, renamed. */
static int write_copy(const struct dl_store_options *options, const char *words,
		      struct dl_error *err)
{
	char path[PATH_SIZE], beside[PATH_SIZE];
	size_t size = strlen(words);
	int r = copy_path(options, "", path, err);
	if (r == 0)
		r = copy_path(options, ".new", beside, err);
	if (r < 0)
		return r;
	unlink(beside);
	auto_fd fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return dl_error_errno(err, errno, "making '%s'", beside);
	if (write(fd, words, size) != (ssize_t)size || fsync(fd) < 0)
		return dl_error_errno(err, errno, "writing '%s'", beside);
	if (rename(beside, path) < 0)
		return dl_error_errno(err, errno, "putting '%s' in its place", path);
	return sync_folder(path, err);
}

int dl_anchor_copy(struct dl_db *db, const struct dl_store_options *options, struct dl_error *err)
{
	dl_autofree char *words = NULL;
	struct dl_anchor row = { 0 }, copy;
	int r = row_words(db, &words, err);
	if (r == 0 && words)
		r = read_words(words, options, &row, err);
	if (r == 0)
		r = dl_anchor_read_copy(options, &copy, err);
	if (r < 0 || row.events <= copy.events)
		return r;
	r = chain_holds(db, &copy, err);
	return r <= 0 ? r : write_copy(options, words, err);
}
