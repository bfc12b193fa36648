#include "agent/local/alone.h"

#include "agent/platform/process.h"

struct dl_alone {
	int state; /* folder handle */
	struct dl_journal *journal;
	struct dl_identity *identity;
	struct dl_remedy *remedy;
	struct dl_quarantine *quarantine;
	struct dl_local local;
};

void dl_alone_free(struct dl_alone *alone)
{
	if (!alone)
		return;
	dl_quarantine_free(alone->quarantine);
	dl_remedy_free(alone->remedy);
	dl_identity_free(alone->identity);
	dl_journal_close(alone->journal);
	dl_handle_close(&alone->state);
	free(alone);
}

static int open_journal(struct dl_alone *alone, const char *folder, struct dl_error *err)
{
	int r = dl_state_folder_open(folder, &alone->state, err);
	if (r >= 0)
		r = dl_journal_open(alone->state, &alone->journal, err);
	if (r == DL_E_BUSY)
		return dl_error_set(err, r, "the agent is busy on this host (another command, or "
					    "the service starting or ending): try again");
	if (r >= 0)
		r = dl_identity_load(alone->journal, &alone->identity, err);
	return r == DL_E_NOT_FOUND ? 0 : r;
}

static int recover(struct dl_alone *alone, struct dl_error *err)
{
	int r = dl_remedy_recover(alone->remedy, err);
	if (r >= 0)
		r = dl_local_recover(&alone->local, err);
	return r < 0 ? dl_error_prefix(err, r, "finishing what was interrupted before") : 0;
}

int dl_alone_open(const char *state_folder, struct dl_alone **ret_alone, struct dl_error *err)
{
	dl_auto(dl_alone) alone = DL_NEW(struct dl_alone);
	alone->state = -1;
	int r = open_journal(alone, state_folder, err);
	if (r >= 0)
		r = dl_remedy_open(alone->state, alone->journal, &alone->remedy, err);
	if (r >= 0)
		r = dl_quarantine_open(alone->state, alone->journal, &alone->quarantine, err);
	if (r < 0)
		return r;
	alone->local = (struct dl_local){ alone->journal, alone->remedy, alone->quarantine,
					  alone->identity };
	r = recover(alone, err);
	if (r < 0)
		return r;
	*ret_alone = DL_TAKE(alone);
	return 0;
}

const struct dl_local *dl_alone_local(const struct dl_alone *alone)
{
	return &alone->local;
}
