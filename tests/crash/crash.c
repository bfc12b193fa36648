/* Killed at every system call: an agent that dies at any instant of check,
 * apply, undo, recovery or the recovery of a recovery loses nothing (I3), does
 * nothing twice (I2), says nothing untrue (I5), and goes on to the end (I6),
 * from where undo gives everything back exactly (I4).
 *
 *   crash [--long] [--broken NAME] [STORY]
 *
 * In short form: after each call that can change something, and an even spread
 * of all other entries and exits. Long: all of them, and each recovery after a
 * change is killed after each of its own changes. */
#include "broken.h"
#include "invariant.h"
#include "scratch.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STOPS_MAX = 20000,
	SPREAD_SHORT = 24,   /* kills of one act beside those after its changes */
	VIOLATIONS_SHOWN = 20,
	WORKERS_MAX = 16,
};

/* Shared by all workers. */
struct totals {
	long points, violations;
};

struct crash {
	struct totals *totals;
	struct trial trial;
	const char *only; /* a story's name, or NULL for all */
	enum broken broken;
	bool whole; /* the long form */
	int worker, workers;
	long turn; /* points this worker has considered */
};

/* ---- judges ---- */

/* Where the child stops when nobody disturbs it. */
struct course {
	long count;
	bool changes[STOPS_MAX]; /* by index from 0: the exit of a call that can change something */
};

static enum tracer_verdict note_stop(void *context, const struct tracer_stop *stop)
{
	struct course *course = context;

	if (stop->index > STOPS_MAX)
		errx(EXIT_FAILURE, "more than %d stops", STOPS_MAX);
	course->count = stop->index;
	course->changes[stop->index - 1] = stop->exit && tracer_call_changes(stop->call);
	return TRACER_GO;
}

/* Dies at the nth stop, or at the nth exit of a changing call. */
struct kill_order {
	long nth;
	bool changes_only;
	long seen;
	struct tracer_stop at; /* where it died */
};

static enum tracer_verdict kill_at(void *context, const struct tracer_stop *stop)
{
	struct kill_order *order = context;

	if (order->changes_only && !(stop->exit && tracer_call_changes(stop->call)))
		return TRACER_GO;
	if (++order->seen < order->nth)
		return TRACER_GO;
	order->at = *stop;
	return TRACER_KILL;
}

/* ---- one point ---- */

struct point {
	enum act act;
	struct kill_order first, second, third; /* act, recovery, its recovery; nth 0: not killed */
};

static enum act resume_of(enum act act)
{
	return act == ACT_UNDO ? ACT_RESUME_UNDO : ACT_RESUME_APPLY;
}

static char *untroubled(const struct trial *trial, enum tracer_end end, const char *what)
{
	char words[DL_ERROR_TEXT_SIZE + 128];

	if (end == TRACER_ENDED && trial->answer->error == 0)
		return NULL;
	snprintf(words, sizeof(words), "I6: %s %s %s", what,
		 end == TRACER_CRASHED ? "crashed by itself" : "failed:", trial->answer->words);
	return dl_strdup(words);
}

/* One start that is killed; true in *ret_killed if it lived long enough to be. */
static char *start_and_die(struct crash *crash, enum act act, struct kill_order *order,
			   bool *ret_killed)
{
	enum tracer_end end;

	*ret_killed = false;
	if (order->nth == 0)
		return NULL;
	end = trial_start(&crash->trial, act, kill_at, order);
	*ret_killed = end == TRACER_KILLED;
	if (*ret_killed)
		__atomic_add_fetch(&crash->totals->points, 1, __ATOMIC_RELAXED);
	else if (end == TRACER_CRASHED)
		return untroubled(&crash->trial, end, act_names[act]);
	return invariant_at_an_instant(&crash->trial);
}

static char *die_of_all(struct crash *crash, struct point *point)
{
	enum act resume = resume_of(point->act);
	bool killed = false;
	char *broken = start_and_die(crash, point->act, &point->first, &killed);

	if (!broken && killed)
		broken = start_and_die(crash, resume, &point->second, &killed);
	if (!broken && killed)
		broken = start_and_die(crash, resume, &point->third, &killed);
	return broken;
}

static char *start_well(struct crash *crash, enum act act)
{
	return untroubled(&crash->trial, trial_start(&crash->trial, act, NULL, NULL),
			  act_names[act]);
}

static char *recover_well(struct crash *crash, enum act act)
{
	char *broken = start_well(crash, resume_of(act));

	if (!broken)
		broken = invariant_at_an_instant(&crash->trial);
	return broken ? broken : invariant_when_settled(&crash->trial);
}

/* What had not begun needs a new ticket, and then everything reaches its end. */
static char *finish_well(struct crash *crash, enum act act)
{
	struct trial *trial = &crash->trial;
	char *broken = act == ACT_CHECK ? invariant_when_untouched(trial) : NULL;

	if (!broken && act != ACT_UNDO)
		broken = start_well(crash, ACT_APPLY);
	if (!broken && act != ACT_UNDO)
		broken = invariant_when_removed(trial);
	if (!broken)
		broken = start_well(crash, ACT_UNDO);
	return broken ? broken : invariant_when_restored(trial);
}

static char *live_through(struct crash *crash, struct point *point)
{
	char *broken = NULL;

	if (point->act == ACT_UNDO)
		broken = start_well(crash, ACT_APPLY);
	if (!broken)
		broken = die_of_all(crash, point);
	if (!broken)
		broken = recover_well(crash, point->act);
	return broken ? broken : finish_well(crash, point->act);
}

static void say_violation(struct crash *crash, const struct point *point, const char *broken)
{
	const struct tracer_stop *at = &point->first.at;
	long count = __atomic_add_fetch(&crash->totals->violations, 1, __ATOMIC_RELAXED);

	if (count > VIOLATIONS_SHOWN || crash->broken != BROKEN_NOTHING)
		return;
	printf("crash: VIOLATION %s, %s: killed at stop %ld (%s %s), recovery at %ld%s, its "
	       "recovery at %ld%s: %s\n",
	       crash->trial.story->name, act_names[point->act], at->index,
	       at->exit ? "after" : "before", tracer_call_name(at->call), point->second.at.index,
	       point->second.changes_only ? "*" : "", point->third.at.index,
	       point->third.changes_only ? "*" : "", broken);
	fflush(stdout);
}

/* False when the second kill came too late: the recovery was over before. */
static bool try_point(struct crash *crash, const struct story *story, struct point point)
{
	dl_autofree char *broken = NULL;

	trial_begin(&crash->trial, story, NULL);
	broken = live_through(crash, &point);
	trial_end(&crash->trial);
	if (broken)
		say_violation(crash, &point, broken);
	return point.second.at.index != 0;
}

/* ---- all points ---- */

static void measure(struct crash *crash, const struct story *story, enum act act,
		    struct course *course)
{
	dl_autofree char *broken = NULL;

	memset(course, 0, sizeof(*course));
	trial_begin(&crash->trial, story, NULL);
	if (act == ACT_UNDO)
		broken = start_well(crash, ACT_APPLY);
	if (!broken)
		broken = untroubled(&crash->trial,
				    trial_start(&crash->trial, act, note_stop, course), "measuring");
	if (broken)
		errx(EXIT_FAILURE, "%s, %s: %s", story->name, act_names[act], broken);
	trial_end(&crash->trial);
}

/* Recoveries die now early, now late: the numbers share no factor, so that over the points every
 * pair is met. */
static struct point point_at(const struct crash *crash, enum act act, long nth)
{
	enum { CHANGES = 23, STOPS = 211, AGAIN = 17 };

	return (struct point){
		.act = act,
		.first = { .nth = nth },
		.second = { .nth = crash->turn % 2 ? 1 + crash->turn % STOPS :
						     1 + crash->turn % CHANGES,
			    .changes_only = crash->turn % 2 == 0 },
		.third = { .nth = 1 + crash->turn % AGAIN, .changes_only = true },
	};
}

/* Each recovery after this change dies after each of its own changes. */
static void try_all_recoveries(struct crash *crash, const struct story *story, enum act act, long nth)
{
	struct point point = { .act = act, .first = { .nth = nth } };

	do {
		point.second = (struct kill_order){ .nth = point.second.nth + 1,
						    .changes_only = true };
	} while (try_point(crash, story, point));
}

static bool is_chosen(const struct crash *crash, const struct course *course, long nth)
{
	long stride = course->count / SPREAD_SHORT + 1;

	return crash->whole || course->changes[nth - 1] || nth % stride == 0;
}

static void try_act(struct crash *crash, const struct story *story, enum act act)
{
	static struct course course;

	measure(crash, story, act, &course);
	for (long nth = 1; nth <= course.count; nth++) {
		if (!is_chosen(crash, &course, nth) || crash->turn++ % crash->workers != crash->worker)
			continue;
		try_point(crash, story, point_at(crash, act, nth));
		if (crash->whole && course.changes[nth - 1] && act != ACT_CHECK)
			try_all_recoveries(crash, story, act, nth);
	}
}

static int try_stories(void *context)
{
	struct crash *crash = context;

	trial_init(&crash->trial);
	broken_choose(crash->broken);
	for (const struct story *story = stories; story->name; story++) {
		if (crash->only && strcmp(crash->only, story->name) != 0)
			continue;
		for (enum act act = ACT_CHECK; act <= ACT_UNDO; act++)
			try_act(crash, story, act);
	}
	return EXIT_SUCCESS;
}

/* ---- workers ---- */

static int wait_for_workers(int count)
{
	int failed = 0, status;

	while (count-- > 0)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed++;
	return failed;
}

/* Each worker has namespaces of its own and takes every nth point. */
static void try_with_workers(struct crash *crash)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	crash->workers = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (int)processors;
	fflush(NULL);
	for (crash->worker = 0; crash->worker < crash->workers; crash->worker++) {
		pid_t child = fork();

		if (child < 0)
			err(EXIT_FAILURE, "fork");
		if (child == 0)
			exit(scratch_enter(try_stories, crash));
	}
	if (wait_for_workers(crash->workers))
		errx(EXIT_FAILURE, "a worker failed");
}

static struct totals *totals_new(void)
{
	struct totals *totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (totals == MAP_FAILED)
		err(EXIT_FAILURE, "shared memory");
	return totals;
}

/* A harness that sees no harm in a broken agent proves nothing. */
static bool sees_broken(enum broken broken, const char *story)
{
	struct crash crash = { .totals = totals_new(), .broken = broken, .only = story };

	try_with_workers(&crash);
	printf("crash: broken on purpose (%s): %ld points, %ld violations\n", broken_names[broken],
	       crash.totals->points, crash.totals->violations);
	return crash.totals->violations > 0;
}

static bool survives(const char *story, bool whole)
{
	struct crash crash = { .totals = totals_new(), .only = story, .whole = whole };

	try_with_workers(&crash);
	printf("crash: %ld points, %ld violations\n", crash.totals->points,
	       crash.totals->violations);
	return crash.totals->violations == 0 && crash.totals->points > 0;
}

int main(int argc, char **argv)
{
	bool whole = argc > 1 && strcmp(argv[1], "--long") == 0, well;
	const char *story = argc > 1 + whole ? argv[1 + whole] : NULL;

	if (geteuid() != 0)
		errx(77, "needs root: namespaces, owners, attributes");
	setvbuf(stdout, NULL, _IOLBF, 0);
	well = sees_broken(BROKEN_LATE_INTENT, "file");
	well &= sees_broken(BROKEN_EARLY_UNLINK, "file-elsewhere");
	well &= survives(story, whole);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
