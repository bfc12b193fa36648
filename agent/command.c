#include "agent/command.h"

int dl_command_needs_root(struct dl_error *err)
{
	if (dl_process_is_root())
		return 0;
	return dl_error_set(err, DL_E_DENIED, "this needs root");
}

int dl_command_account(struct dl_host *host, struct dl_account *ret_account, struct dl_error *err)
{
	const struct dl_host_user *user = dl_host_user_by_name(host, DL_AGENT_ACCOUNT);
	if (!user)
		return dl_error_set(err, DL_E_NOT_FOUND,
				    "the user '" DL_AGENT_ACCOUNT "' is missing, which the network "
				    "half runs as: useradd --system --user-group --no-create-home "
				    "--shell /usr/sbin/nologin " DL_AGENT_ACCOUNT);
	*ret_account = (struct dl_account){ user->uid, user->gid };
	return 0;
}
