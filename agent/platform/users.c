/* Users from /etc/passwd by passwd(5). NSS is never asked: it would load
 * modules that an attacker may have put there. */
#include "agent/platform/host_state.h"

#include <string.h>

enum { USERS_MAX = 20000 };

struct dl_users {
	struct dl_host_user *list;
	size_t count;
	int error; /* why there is no list: the code of the first reading */
	struct dl_error words;
};

void dl_users_free(struct dl_users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->count; i++) {
		free(users->list[i].name);
		free(users->list[i].home);
		free(users->list[i].shell);
	}
	free(users->list);
	free(users);
}

static bool parse_id(const char *text, int64_t *ret)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	long long value = strtoll(text, &end, 10);
	*ret = value;
	return *end == '\0' && value <= UINT32_MAX;
}

static void add_line(struct dl_users *users, char *line)
{
	char *field[7] = { 0 };
	size_t count = 0;
	for (char *at = line; at && count < DL_COUNT(field);)
		field[count++] = strsep(&at, ":");
	struct dl_host_user user = { 0 };
	if (count < 7 || !*field[0] || !parse_id(field[2], &user.uid) ||
	    !parse_id(field[3], &user.gid) || users->count == USERS_MAX)
		return;
	user.name = dl_strdup(field[0]);
	user.home = dl_strdup(field[5]);
	user.shell = dl_strdup(field[6]);
	if ((users->count & (users->count - 1)) == 0)
		users->list = dl_realloc(users->list, users->count ? 2 * users->count : 1,
					 sizeof(user));
	users->list[users->count++] = user;
}

static struct dl_users *load(struct dl_host *host)
{
	struct dl_users *users = DL_NEW(struct dl_users);
	dl_autofree char *text = NULL;
	size_t size;
	users->error =
		dl_host_read(host, "/etc/passwd", DL_HOST_FILE_MAX, &text, &size, &users->words);
	if (users->error < 0)
		return users;
	for (char *at = text; at;)
		add_line(users, strsep(&at, "\n"));
	return users;
}

static const struct dl_users *users_of(struct dl_host *host)
{
	if (!host->users)
		host->users = load(host);
	return host->users;
}

int dl_host_users(struct dl_host *host, const struct dl_host_user **ret_users, size_t *ret_count,
		  struct dl_error *err)
{
	const struct dl_users *users = users_of(host);
	if (users->error < 0)
		return dl_error_set(err, users->error, "%s", users->words.text);
	*ret_users = users->list;
	*ret_count = users->count;
	return 0;
}

const struct dl_host_user *dl_host_user_by_uid(struct dl_host *host, int64_t uid)
{
	const struct dl_users *users = users_of(host);
	for (size_t i = 0; i < users->count; i++)
		if (users->list[i].uid == uid)
			return &users->list[i];
	return NULL;
}

const struct dl_host_user *dl_host_user_by_name(struct dl_host *host, const char *name)
{
	const struct dl_users *users = users_of(host);
	for (size_t i = 0; i < users->count; i++)
		if (strcmp(users->list[i].name, name) == 0)
			return &users->list[i];
	return NULL;
}
