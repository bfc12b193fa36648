#include "cli/account.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 16 * 1024, SERVER_MAX_BYTES = 2048 };

void dl_account_free(struct dl_account *account)
{
	if (!account)
		return;
	explicit_bzero(account->token, sizeof(account->token));
	free(account->server);
	free(account->ca_file);
	free(account);
}

static int account_folder(char **ret, struct dl_error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	dl_autobuf path = DL_BUF_INIT;

	if (config && *config == '/')
		dl_buf_printf(&path, "%s/dislodge", config);
	else if (home && *home == '/')
		dl_buf_printf(&path, "%s/.config/dislodge", home);
	else
		return dl_error_set(err, DL_E_INVALID, "HOME is not set");
	*ret = dl_buf_take(&path);
	return 0;
}

static int account_path(const char *suffix, char **ret, struct dl_error *err)
{
	dl_autofree char *folder = NULL;
	dl_autobuf path = DL_BUF_INIT;

	int r = account_folder(&folder, err);
	if (r < 0)
		return r;
	dl_buf_printf(&path, "%s/session.json%s", folder, suffix);
	*ret = dl_buf_take(&path);
	return 0;
}

static int account_parse(const char *text, size_t size, struct dl_account *account,
			 struct dl_error *err)
{
	dl_autojson *json = NULL;
	const char *server, *token, *ca_file = NULL;

	int r = dl_json_parse(text, size, FILE_MAX_BYTES, &json, err);
	if (r >= 0)
		r = dl_json_str(json, "server", SERVER_MAX_BYTES, &server, err);
	if (r >= 0)
		r = dl_json_hex(json, "token", 32, &token, err);
	if (r >= 0)
		r = dl_json_str_opt(json, "ca_file", SERVER_MAX_BYTES, &ca_file, err);
	if (r < 0)
		return r;
	account->server = dl_strdup(server);
	account->ca_file = ca_file ? dl_strdup(ca_file) : NULL;
	memcpy(account->token, token, sizeof(account->token));
	return 0;
}

int dl_account_load(struct dl_account **ret_account, struct dl_error *err)
{
	dl_auto(dl_account) account = DL_NEW(struct dl_account);
	dl_autofree char *path = NULL;
	char text[FILE_MAX_BYTES];

	int r = account_path("", &path, err);
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return dl_error_set(err, DL_E_DENIED, "please sign in: dislodge login");
	if (fd < 0)
		return dl_error_errno(err, errno, "opening '%s'", path);
	ssize_t size = read(fd, text, sizeof(text));
	close(fd);
	r = size < 0 ? dl_error_errno(err, errno, "reading '%s'", path) :
		       account_parse(text, (size_t)size, account, err);
	explicit_bzero(text, sizeof(text));
	if (r < 0)
		return r;
	*ret_account = DL_TAKE(account);
	return 0;
}

/* mkdir -p of a path we made ourselves. */
static int folder_make(char *path, struct dl_error *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return dl_error_errno(err, errno, "making '%s'", path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int file_replace(const char *path, const char *beside, const char *text,
			struct dl_error *err)
{
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return dl_error_errno(err, errno, "making '%s'", beside);
	ssize_t written = write(fd, text, strlen(text));
	if (close(fd) < 0 || written != (ssize_t)strlen(text))
		return dl_error_errno(err, errno, "writing '%s'", beside);
	if (rename(beside, path) < 0)
		return dl_error_errno(err, errno, "putting '%s' in its place", path);
	return 0;
}

int dl_account_save(const struct dl_account *account, struct dl_error *err)
{
	dl_autofree char *folder = NULL, *path = NULL, *beside = NULL;
	dl_autojson *json = json_pack("{ss ss ss*}", "server", account->server, "token",
				      account->token, "ca_file", account->ca_file);

	int r = account_folder(&folder, err);
	if (r >= 0)
		r = folder_make(folder, err);
	if (r >= 0)
		r = account_path("", &path, err);
	if (r >= 0)
		r = account_path(".new", &beside, err);
	if (r < 0)
		return r;
	dl_autofree char *text = dl_json_text(json);
	r = file_replace(path, beside, text, err);
	explicit_bzero(text, strlen(text));
	return r;
}

int dl_account_forget(struct dl_error *err)
{
	dl_autofree char *path = NULL;

	int r = account_path("", &path, err);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return dl_error_errno(err, errno, "removing '%s'", path);
	return 0;
}
