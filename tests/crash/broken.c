#include "broken.h"

#include "agent/journal/journal.h"
#include "agent/platform/change.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const broken_names[BROKEN_COUNT] = { "nothing", "late-intent", "early-unlink" };

static enum broken chosen;
static struct dl_move owed; /* an intent that was not journalled yet */

void broken_choose(enum broken broken)
{
	chosen = broken;
}

int __real_dl_journal_move_add(struct dl_journal *journal, const struct dl_move *move,
			       struct dl_error *err);
int __wrap_dl_journal_move_add(struct dl_journal *journal, const struct dl_move *move,
			       struct dl_error *err);
int __real_dl_journal_move_to(struct dl_journal *journal, struct dl_move *move,
			      enum dl_move_state to, struct dl_error *err);
int __wrap_dl_journal_move_to(struct dl_journal *journal, struct dl_move *move,
			      enum dl_move_state to, struct dl_error *err);
int __real_dl_journal_move_state(struct dl_journal *journal, struct dl_move *move,
				 enum dl_move_state to, struct dl_error *err);
int __wrap_dl_journal_move_state(struct dl_journal *journal, struct dl_move *move,
				 enum dl_move_state to, struct dl_error *err);
int __real_dl_held_copy(const struct dl_held *held, const struct dl_folder *folder,
			const char *name, const char *draft, struct dl_error *err);
int __wrap_dl_held_copy(const struct dl_held *held, const struct dl_folder *folder,
			const char *name, const char *draft, struct dl_error *err);

int __wrap_dl_journal_move_add(struct dl_journal *journal, const struct dl_move *move,
			       struct dl_error *err)
{
	if (chosen != BROKEN_LATE_INTENT)
		return __real_dl_journal_move_add(journal, move, err);
	owed = *move;
	json_incref(owed.about);
	return 0;
}

static int pay(struct dl_journal *journal, struct dl_error *err)
{
	int r = owed.about ? __real_dl_journal_move_add(journal, &owed, err) : 0;

	dl_move_clear(&owed);
	return r;
}

int __wrap_dl_journal_move_to(struct dl_journal *journal, struct dl_move *move,
			      enum dl_move_state to, struct dl_error *err)
{
	int r = pay(journal, err);

	return r < 0 ? r : __real_dl_journal_move_to(journal, move, to, err);
}

int __wrap_dl_journal_move_state(struct dl_journal *journal, struct dl_move *move,
				 enum dl_move_state to, struct dl_error *err)
{
	int r = pay(journal, err);

	return r < 0 ? r : __real_dl_journal_move_state(journal, move, to, err);
}

/* The handle, which is at its head, leads to the name. */
static void unlink_held(const struct dl_held *held)
{
	char link[64], path[DL_FACTS_TARGET_MAX];
	int handle;
	ssize_t size;

	memcpy(&handle, held, sizeof(handle));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0)
		return;
	path[size] = '\0';
	unlink(path);
}

int __wrap_dl_held_copy(const struct dl_held *held, const struct dl_folder *folder,
			const char *name, const char *draft, struct dl_error *err)
{
	if (chosen == BROKEN_EARLY_UNLINK)
		unlink_held(held);
	return __real_dl_held_copy(held, folder, name, draft, err);
}
