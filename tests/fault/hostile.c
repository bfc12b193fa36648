/* Hostile targets: what stands at the approved name is made to hang, mislead
 * or exhaust whoever looks at it. Each gets an answer in 30 seconds, the right
 * one, and nothing is lost.
 *
 *   hostile [CASE]
 *
 * The last line is `hostile: N cases, M violations`. */
#include "tests/crash/invariant.h"
#include "tests/crash/scratch.h"
#include "tests/crash/trial.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_S = 30,
	HARD_LINKS = 1000,
	LONG_PATH = 4090, /* with the scratch root before it the kernel's 4,095 */
	NAME_LENGTH = 255,
};

#define TARGET   "/srv/evil"
#define BAD_NAME "/opt/\xff\xfe\x01\n\"%name\xc3"
#define PAYLOAD  "inert payload\n"

struct hostile {
	struct story story;
	void (*twist)(void); /* after the approval; NULL for nothing */
	const char *states;  /* the answers that are right, each between spaces */
	const char *reason;  /* in the run when it is one of them; NULL for any */
};

static pid_t helper; /* of a twist; ends with its case */

static void check(int r, const char *what)
{
	if (r < 0)
		err(EXIT_FAILURE, "%s", what);
}

/* ---- what is planted ---- */

static char long_path[LONG_PATH + 1];

static void plant_target(void)
{
	scratch_text(TARGET, PAYLOAD, 0644);
}

static void plant_bad_name(void)
{
	scratch_text(BAD_NAME, PAYLOAD, 0644);
}

static void plant_long_path(void)
{
	size_t length = 0;

	while (length + NAME_LENGTH + 1 < LONG_PATH - 2) {
		long_path[length++] = '/';
		memset(long_path + length, 'n', NAME_LENGTH);
		length += NAME_LENGTH;
		long_path[length] = '\0';
		scratch_folder(long_path, 0755);
	}
	long_path[length++] = '/';
	memset(long_path + length, 'l', LONG_PATH - length);
	long_path[LONG_PATH] = '\0';
	scratch_text(long_path, PAYLOAD, 0644);
}

static void plant_hard_links(void)
{
	char name[64];

	plant_target();
	for (int i = 1; i < HARD_LINKS; i++) {
		snprintf(name, sizeof(name), "/srv/link-%d", i);
		check(link(scratch_path(TARGET), scratch_path(name)), "linking");
	}
}

/* ---- what becomes of it after the approval ---- */

static void remove_target(void)
{
	check(unlink(scratch_path(TARGET)), TARGET);
}

static void twist_fifo(void)
{
	remove_target();
	check(mkfifo(scratch_path(TARGET), 0644), "making a FIFO");
}

static void twist_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	remove_target();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(TARGET));
	check(bind(listener, (struct sockaddr *)&address, sizeof(address)), "binding");
	close(listener);
}

/* The first serial line: opening it may wait for a carrier. */
static void twist_device(void)
{
	remove_target();
	check(mknod(scratch_path(TARGET), S_IFCHR | 0644, makedev(4, 64)), "making a device");
}

static void twist_sparse(void)
{
	check(truncate(scratch_path(TARGET), INT64_MAX), "making a sparse file");
}

/* A file system whose server never answers. */
static void twist_hung_mount(void)
{
	int server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	check(server, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
	check(mount("hung", scratch_path("/srv"), "fuse", 0, options), "mounting FUSE");
}

static void twist_writer(void)
{
	helper = fork();
	check(helper, "fork");
	if (helper == 0) {
		int handle = open(scratch_path(TARGET), O_WRONLY | O_CLOEXEC);

		for (unsigned char turn = 0;; turn++)
			if (pwrite(handle, &turn, 1, 0) < 0)
				err(EXIT_FAILURE, "writing");
	}
}

/* A writer that does nothing: what it could still do is said. */
static void twist_idle_writer(void)
{
	helper = fork();
	check(helper, "fork");
	if (helper == 0) {
		if (open(scratch_path(TARGET), O_WRONLY | O_CLOEXEC) < 0)
			err(EXIT_FAILURE, "opening");
		for (;;)
			pause();
	}
	/* Until it has it open. */
	usleep(100 * 1000);
}

#define CASE(name, plant, path)                                                                    \
	{ name, NULL, plant,                                                                       \
	  { { .verb = DL_VERB_FILE_QUARANTINE, .objects = { { DL_ROLE_PAYLOAD, path } } } } }

static const struct hostile cases[] = {
	{ CASE("fifo", plant_target, TARGET), twist_fifo, " stale ", NULL },
	{ CASE("socket", plant_target, TARGET), twist_socket, " stale ", NULL },
	{ CASE("device", plant_target, TARGET), twist_device, " stale ", NULL },
	{ CASE("sparse", plant_target, TARGET), twist_sparse, " stale ", NULL },
	{ CASE("long-path", plant_long_path, long_path), NULL, " removed ", NULL },
	{ CASE("bad-name", plant_bad_name, BAD_NAME), NULL, " removed ", NULL },
	{ CASE("hard-links", plant_hard_links, TARGET), NULL, " removed ", "partial_hardlinks" },
	{ CASE("writer", plant_target, TARGET), twist_writer, " stale removed ", NULL },
	{ CASE("idle-writer", plant_target, TARGET), twist_idle_writer, " removed ", NULL },
	{ CASE("hung-mount", plant_target, TARGET), twist_hung_mount, " failed ",
	  "unsupported" },
};

/* ---- one case ---- */

static char *complaint(const struct trial *trial, const char *what)
{
	dl_autofree char *run = trial_run_text(trial, 0);
	char words[2048];

	snprintf(words, sizeof(words), "%s: %s %s", what, run, trial->answer->words);
	return dl_strdup(words);
}

static bool is_right(const struct hostile *hostile, const struct trial *trial)
{
	dl_autofree char *run = trial_run_text(trial, 0);
	char state[48], reason[96];

	snprintf(state, sizeof(state), " %s ", trial_run_state(trial, 0));
	snprintf(reason, sizeof(reason), "\"reason\":\"%s\"", hostile->reason ? hostile->reason : "");
	return strlen(state) > 2 && strstr(hostile->states, state) &&
	       (!hostile->reason || strstr(run, reason));
}

static char *answer_in_time(struct trial *trial, enum act act)
{
	if (trial_start(trial, act, NULL, NULL) == TRACER_ENDED)
		return NULL;
	return complaint(trial, "no answer in 30 seconds, or it crashed");
}

static char *meet(const struct hostile *hostile, struct trial *trial)
{
	char *broken = answer_in_time(trial, ACT_CHECK);

	if (!broken)
		broken = answer_in_time(trial, ACT_APPLY);
	if (!broken && !is_right(hostile, trial))
		broken = complaint(trial, "not the right answer");
	if (broken || strcmp(trial_run_state(trial, 0), "removed") != 0 || helper)
		return broken;
	broken = answer_in_time(trial, ACT_UNDO);
	return broken ? broken : invariant_when_restored(trial);
}

static void end_helper(void)
{
	if (!helper)
		return;
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
	helper = 0;
}

static bool survives(const struct hostile *hostile, struct trial *trial)
{
	dl_autofree char *broken = NULL;
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	trial_begin(trial, &hostile->story, NULL);
	if (hostile->twist)
		hostile->twist();
	broken = meet(hostile, trial);
	end_helper();
	trial_end(trial);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("hostile: %s: %s (%ld ms)\n", hostile->story.name, broken ? broken : "well",
	       (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
	return !broken;
}

static int meet_all(void *context)
{
	const char *only = context;
	struct trial trial;
	int met = 0, violations = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	trial_init(&trial);
	trial.patience = PATIENCE_S;
	for (size_t i = 0; i < DL_COUNT(cases); i++) {
		if (only && strcmp(only, cases[i].story.name) != 0)
			continue;
		met++;
		violations += !survives(&cases[i], &trial);
	}
	printf("hostile: %d cases, %d violations\n", met, violations);
	return met > 0 && violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (geteuid() != 0)
		errx(77, "needs root: namespaces, devices, mounts");
	return scratch_enter(meet_all, argc > 1 && argv[1][0] != '-' ? argv[1] : NULL);
}
