#include "invariant.h"

#include "agent/journal/journal.h"
#include "agent/platform/change.h"
#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "scratch.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEEK_FOLDER "/tmp/peek"

__attribute__((format(printf, 1, 2)))
static char *violation(const char *format, ...)
{
	char words[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	return dl_strdup(words);
}

/* ---- what the journal says ---- */

struct ledger {
	int state;
	struct dl_journal *journal; /* NULL when none was made yet */
	struct dl_moves moves;
};

static void ledger_close(struct ledger *ledger)
{
	dl_moves_clear(&ledger->moves);
	dl_journal_close(ledger->journal);
	if (ledger->state >= 0)
		close(ledger->state);
}
#define dl_autoledger __attribute__((cleanup(ledger_close))) struct ledger

static void copy_file(const char *name)
{
	char from[256], to[256];
	struct stat facts;
	int source, target;

	snprintf(from, sizeof(from), "%s", scratch_path(SCRATCH_STATE));
	strncat(from, name, sizeof(from) - strlen(from) - 1);
	snprintf(to, sizeof(to), PEEK_FOLDER "%s", name);
	unlink(to);
	source = open(from, O_RDONLY | O_CLOEXEC);
	if (source < 0)
		return;
	target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (target < 0 || fstat(source, &facts) < 0 ||
	    (facts.st_size && sendfile(target, source, NULL, (size_t)facts.st_size) != facts.st_size))
		err(EXIT_FAILURE, "copying the journal");
	close(source);
	close(target);
}

/* The moves of every step of the plan; an absent journal has none. */
static void ledger_open(struct ledger *ledger)
{
	struct dl_error why = { 0 };

	*ledger = (struct ledger){ .state = -1 };
	if (!scratch_has(SCRATCH_STATE "/journal.db"))
		return;
	if (dl_state_folder_open(PEEK_FOLDER, &ledger->state, &why) < 0)
		errx(EXIT_FAILURE, "%s", why.text);
	copy_file("/journal.db");
	copy_file("/journal.db-wal");
	if (dl_journal_open(ledger->state, &ledger->journal, &why) < 0 ||
	    dl_journal_moves(ledger->journal, TRIAL_REMOVE_ID, 0, &ledger->moves, &why) < 0)
		errx(EXIT_FAILURE, "the journal after a kill: %s", why.text);
}

static bool move_is_about(const struct dl_move *move, const char *path)
{
	const char *about = json_string_value(json_object_get(move->about, "path"));
	dl_autofree char *spelled = dl_bytes_encode_str(path);

	return about && strcmp(about, spelled) == 0;
}

/* Whether the journal knows that the object may be away from its place. */
static bool ledger_knows(const struct ledger *ledger, const char *path)
{
	for (size_t i = 0; i < ledger->moves.count; i++) {
		const struct dl_move *move = &ledger->moves.items[i];

		if (move->state != DL_MOVE_VOID && move->state != DL_MOVE_UNDONE &&
		    move_is_about(move, path))
			return true;
	}
	return false;
}

static size_t ledger_count(const struct ledger *ledger, const char *path, enum dl_move_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < ledger->moves.count; i++)
		count += ledger->moves.items[i].state == state &&
			 move_is_about(&ledger->moves.items[i], path);
	return count;
}

static bool run_says(const struct ledger *ledger, const char *plan_id, size_t step, const char *state)
{
	dl_autojson *run = NULL;
	const char *said;

	if (!ledger->journal ||
	    dl_journal_run(ledger->journal, plan_id, (int64_t)step + 1, &run, NULL) < 0)
		return false;
	said = json_string_value(json_object_get(run, "state"));
	return said && strcmp(said, state) == 0;
}

static bool undo_has_begun(const struct ledger *ledger, size_t step)
{
	dl_autojson *run = NULL;

	return ledger->journal &&
	       dl_journal_run(ledger->journal, TRIAL_UNDO_ID, (int64_t)step + 1, &run, NULL) == 0;
}

/* ---- what the host holds ---- */

static bool is_at(const char *path, const char *facts)
{
	dl_autofree char *found = facts_read(scratch_path(path), FACTS_WHOLE);

	return found && strcmp(found, facts) == 0;
}

static size_t count_in(const char *folder, const char *prefix, const char *facts)
{
	DIR *stream = opendir(scratch_path(folder));
	const struct dirent *entry;
	size_t count = 0;

	while (stream && (entry = readdir(stream))) {
		char path[SCRATCH_PATH_SIZE];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count += is_at(path, facts);
		if (*prefix)
			count += count_in(path, "", facts);
	}
	if (stream)
		closedir(stream);
	return count;
}

/* In quarantine, beside its place, or in the agent's folder at the root of its mount. */
static size_t count_kept(const struct trial *trial, const char *path, const char *facts)
{
	dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));
	const char *mount = trial->story->elsewhere ? trial->story->elsewhere : "";
	size_t count = count_in(SCRATCH_STORE, "", facts) + count_in(folder, ".dislodge-", facts);

	if (strcmp(folder, mount) != 0)
		count += count_in(mount, ".dislodge-", facts);
	if (*mount)
		count += count_in("", ".dislodge-", facts);
	return count;
}

/* ---- object by object ---- */

typedef char *(*object_rule)(const struct trial *trial, const struct ledger *ledger, size_t step,
			     const char *path, const char *original);

static char *for_each_object(const struct trial *trial, object_rule rule)
{
	dl_autoledger ledger;
	char *broken = NULL;

	ledger_open(&ledger);
	for (size_t step = 0; step < trial->plan->step_count; step++) {
		const struct story_object *objects = trial->story->steps[step].objects;

		for (size_t i = 0; !broken && objects[i].path; i++)
			broken = rule(trial, &ledger, step, objects[i].path,
				      trial->originals[step][i]);
	}
	return broken;
}

static char *object_at_an_instant(const struct trial *trial, const struct ledger *ledger,
				  size_t step, const char *path, const char *original)
{
	bool placed = is_at(path, original);
	size_t kept = count_kept(trial, path, original);

	if (!placed && kept == 0)
		return violation("I3: %s is whole nowhere", path);
	if (!placed && !ledger_knows(ledger, path))
		return violation("I1: %s is away, and the journal does not know", path);
	if (run_says(ledger, trial->undo_id, step, "restored") && !placed)
		return violation("I5: %s is said to be restored and is not", path);
	if (undo_has_begun(ledger, step) || !run_says(ledger, TRIAL_REMOVE_ID, step, "removed"))
		return NULL;
	return placed || kept == 0 ? violation("I5: %s is said to be removed and is not", path) :
				     NULL;
}

char *invariant_at_an_instant(const struct trial *trial)
{
	return for_each_object(trial, object_at_an_instant);
}

static char *object_when_settled(const struct trial *trial, const struct ledger *ledger,
				 size_t step, const char *path, const char *original)
{
	size_t placed = is_at(path, original), kept = count_kept(trial, path, original);
	size_t done = ledger_count(ledger, path, DL_MOVE_DONE);

	(void)step;
	if (ledger_count(ledger, path, DL_MOVE_INTENT) || ledger_count(ledger, path, DL_MOVE_UNDOING))
		return violation("I6: the move of %s is still half done", path);
	if (placed + kept != 1)
		return violation("I2: %s is there %zu times and kept %zu times", path, placed, kept);
	if (kept != done)
		return violation("I5: %s is kept %zu times, by the journal %zu times", path, kept,
				 done);
	return NULL;
}

/* Drafts are as much in the way there as anywhere. */
static bool store_has_leftovers(void)
{
	DIR *stream = opendir(scratch_path(SCRATCH_STORE));
	const struct dirent *entry;
	bool found = false;

	while (stream && !found && (entry = readdir(stream)))
		found = strncmp(entry->d_name, ".dislodge-", 10) == 0;
	if (stream)
		closedir(stream);
	return found;
}

char *invariant_when_settled(const struct trial *trial)
{
	dl_auto(snapshot) now = snapshot_take();
	const char *leftover = snapshot_leftover(now);

	if (leftover)
		return violation("I10: the agent left %s behind", leftover);
	if (store_has_leftovers())
		return violation("I10: the agent left a draft in quarantine");
	return for_each_object(trial, object_when_settled);
}

bool invariant_step_is_kept(const struct trial *trial, size_t step)
{
	const struct story_object *objects = trial->story->steps[step].objects;
	dl_autoledger ledger;
	bool kept = false;

	ledger_open(&ledger);
	for (size_t i = 0; objects[i].path; i++)
		kept |= ledger_count(&ledger, objects[i].path, DL_MOVE_DONE) > 0;
	return kept;
}

/* ---- in the end ---- */

static char *all_runs_say(const struct trial *trial, const char *state)
{
	for (size_t step = 0; step < trial->plan->step_count; step++) {
		dl_autofree char *text = NULL;

		if (strcmp(trial_run_state(trial, step), state) == 0)
			continue;
		text = trial_run_text(trial, step);
		return violation("I6: step %zu is not %s: %s %s", step + 1, state, text,
				 trial->answer->words);
	}
	return NULL;
}

/* Its folder too: an emptied one shows its time, or is gone as well. */
static void forget_object(struct snapshot *snapshot, const char *path)
{
	dl_autofree char *folder = dl_strndup(path, (size_t)(strrchr(path, '/') - path));

	snapshot_forget(snapshot, path);
	snapshot_forget(snapshot, folder);
}

/* Of what was planted, the objects may be missing; a table may have been edited. */
static char *rest_is_untouched(const struct trial *trial)
{
	dl_auto(snapshot) before = snapshot_copy(trial->before);
	dl_auto(snapshot) now = snapshot_take();
	dl_autofree char *difference = NULL;

	for (size_t step = 0; step < trial->plan->step_count; step++) {
		const struct story_object *objects = trial->story->steps[step].objects;

		for (size_t i = 0; objects[i].path; i++) {
			forget_object(now, objects[i].path);
			forget_object(before, objects[i].path);
		}
	}
	difference = snapshot_difference(before, now);
	return difference ? violation("I1: %s", difference) : NULL;
}

char *invariant_when_removed(const struct trial *trial)
{
	const struct standin *standin = trial->standin;
	char *broken = all_runs_say(trial, "removed");

	if (!broken)
		broken = invariant_when_settled(trial);
	if (!broken)
		broken = for_each_object(trial, object_at_an_instant);
	if (!broken && story_unit(trial->story) && (standin->loaded || standin->active))
		broken = violation("I5: systemd still knows the unit");
	return broken ? broken : rest_is_untouched(trial);
}

char *invariant_when_untouched(const struct trial *trial)
{
	dl_auto(snapshot) now = snapshot_take();
	dl_autofree char *difference = snapshot_difference(trial->before, now);

	return difference ? violation("I4: %s", difference) : NULL;
}

char *invariant_when_restored(const struct trial *trial)
{
	const struct standin *standin = trial->standin;
	char *broken = all_runs_say(trial, "restored");

	if (!broken)
		broken = invariant_when_settled(trial);
	if (!broken)
		broken = invariant_when_untouched(trial);
	if (!broken && story_unit(trial->story) && !(standin->loaded && standin->active))
		broken = violation("I4: systemd does not run the unit again");
	return broken;
}
