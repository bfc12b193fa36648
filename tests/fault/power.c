/* The power goes after a change, and everything that was not synced is lost.
 * After the next boot every object is whole somewhere, and the journal knows. */
#include "disk.h"
#include "fault.h"
#include "tests/crash/invariant.h"

#include <stdio.h>

enum { STRIDE_SHORT = 4 };

struct cut {
	const struct story *story;
	long nth, seen;
	struct tracer_stop at;
};

static enum tracer_verdict cut_after(void *context, const struct tracer_stop *stop)
{
	struct cut *cut = context;

	if (!stop->exit || !tracer_call_changes(stop->call) || ++cut->seen != cut->nth)
		return TRACER_GO;
	disk_cut_power(cut->story);
	cut->at = *stop;
	return TRACER_KILL;
}

static char *boot_and_check(struct fault *fault, enum act act)
{
	struct trial *trial = &fault->trial;
	char *broken;

	standin_stop(trial->standin);
	disk_boot(trial->story);
	if (story_unit(trial->story))
		standin_start(trial->standin, story_unit(trial->story));
	broken = invariant_at_an_instant(trial);
	return broken ? broken : fault_check_later(fault, act);
}

/* False when the act was over before. */
static bool cut_and_try(struct fault *fault, const struct story *story, enum act act, long nth)
{
	struct cut cut = { .story = story, .nth = nth };
	dl_autofree char *broken = NULL;
	char where[256];

	trial_begin(&fault->trial, story, disk_raise);
	if (act == ACT_UNDO)
		broken = fault_start_well(fault, ACT_APPLY);
	disk_settle();
	if (!broken &&
	    trial_start(&fault->trial, act, cut_after, &cut) == TRACER_KILLED)
		broken = boot_and_check(fault, act);
	trial_end(&fault->trial);
	snprintf(where, sizeof(where), "%s, %s: power cut after change %ld (%s)", story->name,
		 act_names[act], nth, tracer_call_name(cut.at.call));
	fault_judge(fault, where, broken);
	return cut.at.index != 0;
}

/* Every worker walks through all changes and takes its own. */
static void cut_act(struct fault *fault, const struct story *story, enum act act)
{
	int stride = fault->whole ? 1 : STRIDE_SHORT;
	bool lives = true;

	for (long nth = 1 + fault->worker * stride; lives; nth += stride * fault->workers) {
		lives = cut_and_try(fault, story, act, nth);
		__atomic_add_fetch(&fault->totals->points, lives, __ATOMIC_RELAXED);
	}
}

void fault_cut_power(struct fault *fault)
{
	for (const struct story *story = stories; story->name; story++) {
		if (!fault_is_wanted(fault, story))
			continue;
		cut_act(fault, story, ACT_APPLY);
		cut_act(fault, story, ACT_UNDO);
	}
}
