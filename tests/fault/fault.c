/* Trouble at every turn: system calls that fail, a disk that is full, power
 * that goes. Nothing is lost (I3), undo is exact (I4), nothing untrue is said,
 * and what did not work says why (I5).
 *
 *   fault [--long] [STORY]
 *
 * The last line is `fault: N points, M violations`. */
#include "fault.h"

#include "disk.h"
#include "tests/crash/invariant.h"
#include "tests/crash/scratch.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 4, VIOLATIONS_SHOWN = 30 };

bool fault_is_mine(struct fault *fault)
{
	if (fault->turn++ % fault->workers != fault->worker)
		return false;
	__atomic_add_fetch(&fault->totals->points, 1, __ATOMIC_RELAXED);
	return true;
}

bool fault_is_wanted(const struct fault *fault, const struct story *story)
{
	return !fault->only || strcmp(fault->only, story->name) == 0;
}

void fault_judge(struct fault *fault, const char *where, const char *broken)
{
	if (!broken || __atomic_add_fetch(&fault->totals->violations, 1, __ATOMIC_RELAXED) >
			       VIOLATIONS_SHOWN)
		return;
	printf("fault: VIOLATION %s: %s\n", where, broken);
	fflush(stdout);
}

/* ---- what must be true ---- */

static char *words(const char *what, const char *detail)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s: %s", what, detail);
	return dl_strdup(text);
}

char *fault_start_well(struct fault *fault, enum act act)
{
	enum tracer_end end = trial_start(&fault->trial, act, NULL, NULL);

	if (end != TRACER_ENDED)
		return words("I6", "it crashed by itself");
	return fault->trial.answer->error < 0 ? words("I6", fault->trial.answer->words) : NULL;
}

static bool run_went_well(const char *state)
{
	return strcmp(state, "removed") == 0 || strcmp(state, "restored") == 0 ||
	       strcmp(state, "already_gone") == 0;
}

/* An end without success has a detail for people. */
static char *check_words(const struct trial *trial)
{
	if (trial->answer->error < 0)
		return trial->answer->words[0] ? NULL : words("I5", "an error without words");
	for (size_t step = 0; step < trial->plan->step_count; step++) {
		dl_autofree char *run = trial_run_text(trial, step);

		if (!run_went_well(trial_run_state(trial, step)) && strstr(run, "\"detail\":\"\""))
			return words("I5: it does not say what happened", run);
	}
	return NULL;
}

char *fault_check_answer(const struct trial *trial, enum tracer_end end)
{
	char *broken;

	if (end == TRACER_CRASHED)
		return words("I6", "it crashed by itself");
	broken = end == TRACER_ENDED ? check_words(trial) : NULL;
	return broken ? broken : invariant_at_an_instant(trial);
}

static bool is_terminal(const char *state)
{
	return *state && strcmp(state, "running") != 0 && strcmp(state, "pending") != 0;
}

static char *check_terminal(const struct trial *trial)
{
	for (size_t step = 0; step < trial->plan->step_count; step++)
		if (!is_terminal(trial_run_state(trial, step)))
			return words("I6: a step has no end", trial_run_state(trial, step));
	return NULL;
}

static void sweep_store(struct fault *fault)
{
	DIR *stream = opendir(scratch_path(SCRATCH_STORE));
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (strncmp(entry->d_name, ".dislodge-", 10) == 0 &&
		    unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR) == 0)
			__atomic_add_fetch(&fault->totals->litter, 1, __ATOMIC_RELAXED);
	if (stream)
		closedir(stream);
}

/* A folder of the agent's own that could not be removed may stay, if it is empty. */
static void sweep(struct fault *fault)
{
	sweep_store(fault);
	for (;;) {
		dl_auto(snapshot) now = snapshot_take();
		const char *leftover = snapshot_leftover(now);

		if (!leftover || rmdir(scratch_path(leftover)) < 0)
			return;
		__atomic_add_fetch(&fault->totals->litter, 1, __ATOMIC_RELAXED);
	}
}

char *fault_check_later(struct fault *fault, enum act act)
{
	struct trial *trial = &fault->trial;
	bool undoing = act == ACT_UNDO || act == ACT_RESUME_UNDO;
	char *broken = fault_start_well(fault, undoing ? ACT_RESUME_UNDO : ACT_RESUME_APPLY);

	if (!broken)
		broken = invariant_at_an_instant(trial);
	sweep(fault);
	if (!broken)
		broken = invariant_when_settled(trial);
	if (!broken)
		broken = fault_start_well(fault, undoing ? ACT_UNDO : ACT_APPLY);
	if (!broken)
		broken = check_terminal(trial);
	if (!broken)
		broken = invariant_at_an_instant(trial);
	trial_undo_anew(trial);
	if (!broken)
		broken = fault_start_well(fault, ACT_UNDO);
	if (!broken)
		broken = invariant_when_settled(trial);
	return broken ? broken : invariant_when_untouched(trial);
}

/* ---- workers ---- */

static int try_all(void *context)
{
	struct fault *fault = context;

	setvbuf(stdout, NULL, _IOLBF, 0);
	trial_init(&fault->trial);
	fault_inject(fault);
	fault_fill_disk(fault);
	fault_cut_power(fault);
	return EXIT_SUCCESS;
}

static int wait_for_workers(int count)
{
	int failed = 0, status;

	while (count-- > 0)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed++;
	return failed;
}

static void try_with_workers(struct fault *fault)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	fault->workers = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (int)processors;
	fflush(NULL);
	for (fault->worker = 0; fault->worker < fault->workers; fault->worker++) {
		pid_t child = fork();

		if (child < 0)
			err(EXIT_FAILURE, "fork");
		if (child == 0)
			exit(scratch_enter(try_all, fault));
	}
	if (wait_for_workers(fault->workers))
		errx(EXIT_FAILURE, "a worker failed");
}

int main(int argc, char **argv)
{
	bool whole = argc > 1 && strcmp(argv[1], "--long") == 0;
	struct fault fault = { .whole = whole, .only = argc > 1 + whole ? argv[1 + whole] : NULL };

	if (geteuid() != 0)
		errx(77, "needs root: namespaces, loop devices, owners");
	fault.totals = mmap(NULL, sizeof(*fault.totals), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault.totals == MAP_FAILED)
		err(EXIT_FAILURE, "shared memory");
	disk_make_template();
	try_with_workers(&fault);
	printf("fault: %ld empty folders could not be removed and stayed\n", fault.totals->litter);
	printf("fault: %ld points, %ld violations\n", fault.totals->points,
	       fault.totals->violations);
	return fault.totals->violations == 0 && fault.totals->points > 0 ? EXIT_SUCCESS :
									    EXIT_FAILURE;
}
