/* System calls that fail. A place is a call together with the way that leads
 * to it (the return addresses on the stack); each place of every story's
 * apply, undo and recovery fails once with each of four errors. Long: every
 * single call of them does. */
#include "fault.h"

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

enum {
	PLACES_MAX = 65536,
	CALLS_MAX = 4096,   /* that can fail, in one act */
	STACK_WORDS = 1024, /* looked at for return addresses */
	WAY_LENGTH = 8,
	CODE_RANGES_MAX = 64,
	RECOVERY_STRIDE = 5, /* of an act's changes, after which a recovery is looked at */
};

static const int errors[] = { EIO, ENOSPC, EROFS, EINTR };

/* ---- places ---- */

struct code_range {
	uint64_t start, end;
};
static struct code_range code[CODE_RANGES_MAX];
static size_t code_count;

static uint64_t places[PLACES_MAX];
static size_t place_count;

/* The child is a fork of ours: its code lies where ours does. */
static void read_code_ranges(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8];

	if (!maps)
		err(EXIT_FAILURE, "reading the memory map");
	while (fgets(line, sizeof(line), maps) && code_count < CODE_RANGES_MAX) {
		struct code_range *range = &code[code_count];

		if (sscanf(line, "%lx-%lx %7s", &range->start, &range->end, rights) == 3 &&
		    rights[2] == 'x')
			code_count++;
	}
	fclose(maps);
}

static bool is_code(uint64_t word)
{
	for (size_t i = 0; i < code_count; i++)
		if (word >= code[i].start && word < code[i].end)
			return true;
	return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static uint64_t place_of(const struct tracer_stop *stop)
{
	uint64_t words[STACK_WORDS] = { 0 }, hash = mix(1, (uint64_t)stop->call);
	struct user_regs_struct registers;
	struct iovec here, there;
	int found = 0;

	if (ptrace(PTRACE_GETREGS, stop->child, 0, &registers) < 0)
		err(EXIT_FAILURE, "reading registers");
	here = (struct iovec){ words, sizeof(words) };
	there = (struct iovec){ (void *)registers.rsp, sizeof(words) };
	/* Near the stack's end there is less; what is missing stays 0. */
	while (process_vm_readv(stop->child, &here, 1, &there, 1, 0) < 0 && there.iov_len > 64)
		here.iov_len = there.iov_len /= 2;
	for (size_t i = 0; i < STACK_WORDS && found < WAY_LENGTH; i++)
		if (is_code(words[i])) {
			hash = mix(hash, words[i]);
			found++;
		}
	return hash;
}

static bool place_is_new(uint64_t place)
{
	for (size_t i = 0; i < place_count; i++)
		if (places[i] == place)
			return false;
	if (place_count == PLACES_MAX)
		errx(EXIT_FAILURE, "more than %d places", PLACES_MAX);
	places[place_count++] = place;
	return true;
}

static bool call_can_fail(long call)
{
	return call == SYS_open || call == SYS_openat || call == SYS_openat2 ||
	       (tracer_call_changes(call) && call != SYS_sendmsg);
}

/* ---- judges ---- */

/* The calls of one undisturbed act that are to fail. */
struct survey {
	struct fault *fault;
	size_t count;
	long stops[CALLS_MAX];
};

static enum tracer_verdict note_call(void *context, const struct tracer_stop *stop)
{
	struct survey *survey = context;

	if (stop->exit || !call_can_fail(stop->call))
		return TRACER_GO;
	if (!place_is_new(place_of(stop)) && !survey->fault->whole)
		return TRACER_GO;
	if (survey->count == CALLS_MAX)
		errx(EXIT_FAILURE, "more than %d calls in one act", CALLS_MAX);
	survey->stops[survey->count++] = stop->index;
	return TRACER_GO;
}

struct failure {
	long at;
	int error;
	long call;
};

static enum tracer_verdict fail_call(void *context, const struct tracer_stop *stop)
{
	struct failure *failure = context;

	/* Waiting for systemd takes now more, now fewer calls: the next one that can fail, then. */
	if (!failure->call && !stop->exit && stop->index >= failure->at &&
	    call_can_fail(stop->call)) {
		failure->call = stop->call;
		failure->at = stop->index;
		tracer_skip_call(stop);
	} else if (failure->call && stop->index == failure->at + 1) {
		tracer_answer(stop, failure->error);
	}
	return TRACER_GO;
}

/* Dies at the nth exit of a call that can change something. */
struct death {
	long nth, seen;
};

static enum tracer_verdict die(void *context, const struct tracer_stop *stop)
{
	struct death *death = context;

	if (!stop->exit || !tracer_call_changes(stop->call))
		return TRACER_GO;
	return ++death->seen == death->nth ? TRACER_KILL : TRACER_GO;
}

/* ---- one act, with what comes before it ---- */

struct scene {
	const struct story *story;
	enum act act;
	long death; /* recoveries: the change after which the act before died */
};

/* False when there is nothing to recover: the act came to its end. */
static bool prepare(struct fault *fault, const struct scene *scene)
{
	struct death death = { .nth = scene->death };
	bool undoing = scene->act == ACT_UNDO || scene->act == ACT_RESUME_UNDO;
	dl_autofree char *broken = undoing ? fault_start_well(fault, ACT_APPLY) : NULL;

	if (broken)
		errx(EXIT_FAILURE, "%s: %s", scene->story->name, broken);
	if (!death.nth)
		return true;
	return trial_start(&fault->trial, undoing ? ACT_UNDO : ACT_APPLY, die, &death) ==
	       TRACER_KILLED;
}

static void fail_at(struct fault *fault, const struct scene *scene, struct failure failure)
{
	dl_autofree char *broken = NULL;
	enum tracer_end end;
	char where[256];

	trial_begin(&fault->trial, scene->story, NULL);
	prepare(fault, scene);
	end = trial_start(&fault->trial, scene->act, fail_call, &failure);
	broken = fault_check_answer(&fault->trial, end);
	if (!broken)
		broken = fault_check_later(fault, scene->act);
	trial_end(&fault->trial);
	snprintf(where, sizeof(where), "%s, %s (after change %ld), stop %ld: %s answers %s",
		 scene->story->name, act_names[scene->act], scene->death, failure.at,
		 tracer_call_name(failure.call), strerrorname_np(failure.error));
	fault_judge(fault, where, broken);
}

/* False when the scene does not exist. */
static bool try_scene(struct fault *fault, const struct scene *scene)
{
	static struct survey survey;
	bool exists;

	survey = (struct survey){ .fault = fault };
	trial_begin(&fault->trial, scene->story, NULL);
	exists = prepare(fault, scene);
	if (exists)
		trial_start(&fault->trial, scene->act, note_call, &survey);
	trial_end(&fault->trial);
	for (size_t i = 0; i < survey.count; i++)
		for (size_t e = 0; e < DL_COUNT(errors); e++)
			if (fault_is_mine(fault))
				fail_at(fault, scene, (struct failure){ survey.stops[i], errors[e], 0 });
	return exists;
}

static void try_recoveries(struct fault *fault, const struct story *story, enum act resume)
{
	struct scene scene = { story, resume, 1 };
	int stride = fault->whole ? 1 : RECOVERY_STRIDE;

	while (try_scene(fault, &scene))
		scene.death += stride;
}

void fault_inject(struct fault *fault)
{
	read_code_ranges();
	for (const struct story *story = stories; story->name; story++) {
		if (!fault_is_wanted(fault, story))
			continue;
		try_scene(fault, &(struct scene){ story, ACT_CHECK, 0 });
		try_scene(fault, &(struct scene){ story, ACT_APPLY, 0 });
		try_scene(fault, &(struct scene){ story, ACT_UNDO, 0 });
		try_recoveries(fault, story, ACT_RESUME_APPLY);
		try_recoveries(fault, story, ACT_RESUME_UNDO);
	}
}
