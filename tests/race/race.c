/* An attacker who swaps names as fast as he can must not make the agent take
 * the wrong object (I3). For each class of attack dl_quarantine_take is called
 * again and again, with the real journal, on a tmpfs; after each attempt: was
 * it the approved object that went, is the victim still where it was, does the
 * quarantine hold nothing that was not spoken of?
 *
 *   race [--long] [CLASS]
 *
 * The process is the first of a process namespace, so that looking for who
 * holds an object costs next to nothing; the attacker is a thread. */
#include "arena.h"
#include "naive.h"
#include "tests/crash/scratch.h"

#include "agent/quarantine/quarantine.h"
#include "core/base/bytes.h"
#include "core/base/time.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ATTEMPTS_SHORT = 300 * 1000,
	ATTEMPTS_LONG = 1000 * 1000,
	ATTEMPTS_OF_A_JOURNAL = 10 * 1000, /* then a new one: its size is not what is tried here */
	NAIVE_MS = 60 * 1000,
	LOSSES_SHOWN = 10,
};

struct agent {
	char state_path[64], store_path[96];
	int state;
	struct dl_journal *journal;
	struct dl_quarantine *quarantine;
	struct dl_errand errand;
	struct dl_object object; /* what was approved */
};

struct score {
	long attempts, taken, refused, put_back, strays, lost;
	unsigned long swaps;
};

/* ---- the agent ---- */

static int allow_all(void *context, const char *path, const struct dl_held *held,
		     enum dl_reason *ret_reason, struct dl_error *err)
{
	(void)context;
	(void)path;
	(void)held;
	(void)ret_reason;
	(void)err;
	return 0;
}

/* A state folder of its own each time; the old one goes with the arena or stays empty. */
static void agent_start(struct agent *agent, const struct arena *arena)
{
	static unsigned int number;
	struct dl_error why = { 0 };

	snprintf(agent->state_path, sizeof(agent->state_path), "%s/state-%u",
		 arena->class->elsewhere ? "/tmp" : "/arena", number++);
	snprintf(agent->store_path, sizeof(agent->store_path), "%s/quarantine", agent->state_path);
	agent->errand = (struct dl_errand){ "00000000000000000000000000000001", 1, allow_all, NULL };
	if (dl_state_folder_open(agent->state_path, &agent->state, &why) < 0 ||
	    dl_journal_open(agent->state, &agent->journal, &why) < 0 ||
	    dl_quarantine_open(agent->state, agent->journal, &agent->quarantine, &why) < 0)
		errx(EXIT_FAILURE, "%s", why.text);
}

static void agent_stop(struct agent *agent)
{
	static const char *const files[] = { "/journal.db", "/journal.db-wal", "/journal.db-shm",
					     "/quarantine", "" };

	dl_quarantine_free(DL_TAKE(agent->quarantine));
	dl_journal_close(DL_TAKE(agent->journal));
	close(agent->state);
	for (size_t i = 0; i < DL_COUNT(files); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", agent->state_path, files[i]);
		remove(path);
	}
}

/* The approval comes from before the attack: by the handle, wherever its name is now. */
static void agent_approve(struct agent *agent, const struct arena *arena)
{
	struct stat facts;
	char link[64], digest[DL_SHA256_TEXT_SIZE];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", arena->approved);
	if (stat(link, &facts) < 0)
		err(EXIT_FAILURE, "looking at the approved object");
	dl_sha256_text(ARENA_APPROVED_TEXT, strlen(ARENA_APPROVED_TEXT), digest);
	agent->object = (struct dl_object){
		.role = DL_ROLE_PAYLOAD,
		.type = DL_TYPE_FILE,
		.path = dl_strdup(ARENA_TARGET),
		.size = facts.st_size,
		.uid = facts.st_uid,
		.gid = facts.st_gid,
		.mode = facts.st_mode & 07777,
		.links = 1,
		.sha256 = dl_strdup(digest),
	};
}

/* ---- one attempt ---- */

/* The first name in quarantine, "" if it is empty. */
static void read_store(const struct agent *agent, char *path, size_t size)
{
	DIR *stream = opendir(agent->store_path);
	const struct dirent *entry;

	path[0] = '\0';
	if (!stream)
		err(EXIT_FAILURE, "listing the quarantine");
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			snprintf(path, size, "%s/%s", agent->store_path, entry->d_name);
	closedir(stream);
}

/* Across file systems what is kept is a copy: then content and owner tell. */
static bool is_approved(const struct arena *arena, const char *path)
{
	char content[sizeof(ARENA_APPROVED_TEXT)] = "";
	struct stat facts;
	FILE *file;

	if (lstat(path, &facts) < 0 || !S_ISREG(facts.st_mode))
		return false;
	if (!arena->class->elsewhere)
		return facts.st_ino == arena->approved_inode;
	file = fopen(path, "re");
	if (!file)
		return false;
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	return strcmp(content, ARENA_APPROVED_TEXT) == 0;
}

static void say_loss(struct score *score, const struct arena *arena, const char *how)
{
	if (++score->lost <= LOSSES_SHOWN)
		printf("race: LOST %s, attempt %ld: %s\n", arena->class->name, score->attempts, how);
}

/* It said that it took the approved object: then that is what it has. */
static void judge_success(struct score *score, const struct arena *arena, const char *kept)
{
	if (!*kept || !is_approved(arena, kept))
		say_loss(score, arena, "something else is in quarantine under a done move");
	score->taken++;
}

/* It said that it took nothing: then it has nothing, or says where it is. */
static void judge_refusal(struct score *score, const struct arena *arena, const char *kept,
			  const struct dl_error *why)
{
	if (strstr(why->text, "put back"))
		score->put_back++;
	else if (*kept && strstr(why->text, "in quarantine"))
		score->strays++;
	else if (arena->class->elsewhere && arena_empty_aside(arena))
		score->strays++;
	else if (*kept)
		say_loss(score, arena, why->text);
	else
		score->refused++;
}

static void attempt(struct agent *agent, const struct arena *arena, struct score *score)
{
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	char kept[512];
	int r = dl_quarantine_take(agent->quarantine, &agent->errand, &agent->object, &outcome, &why);

	score->attempts++;
	read_store(agent, kept, sizeof(kept));
	if (*kept)
		arena_unmount(kept);
	if (outcome.id[0])
		judge_success(score, arena, kept);
	else if (r < 0)
		judge_refusal(score, arena, kept, &why);
	/* A refused take may leave the copy that it had made; recovery would judge it. */
	if (*kept && arena->class->elsewhere && !outcome.id[0])
		unlink(kept);
	else if (*kept)
		arena_put_back(arena, kept);
	if (arena_victim_is_hurt(arena))
		say_loss(score, arena, "the victim has lost a name");
}

/* ---- a class ---- */

static struct score race(const struct attack_class *class, long attempts)
{
	struct agent agent = { 0 };
	struct score score = { 0 };
	struct arena arena;

	arena_open(&arena, class);
	agent_approve(&agent, &arena);
	while (score.attempts < attempts && score.lost < LOSSES_SHOWN) {
		if (score.attempts % ATTEMPTS_OF_A_JOURNAL == 0) {
			if (agent.journal)
				agent_stop(&agent);
			agent_start(&agent, &arena);
		}
		attempt(&agent, &arena, &score);
	}
	agent_stop(&agent);
	score.swaps = atomic_load(&arena.swaps);
	arena_close(&arena);
	dl_object_clear(&agent.object);
	return score;
}

/* True when the naive remover loses, as it must; or when the class is one where it cannot. */
static bool naive_loses(const struct attack_class *class)
{
	int64_t until = dl_time_monotonic_ms() + NAIVE_MS;
	struct arena arena;
	long attempts = 0;
	bool lost = false;

	if (!class->naive_can_lose)
		return true;
	arena_open(&arena, class);
	while (!lost && dl_time_monotonic_ms() < until) {
		lost = naive_take_loses(&arena);
		attempts++;
	}
	arena_close(&arena);
	printf("race: %s (naive): %ld attempts, %d lost\n", class->name, attempts, lost);
	return lost;
}

static bool withstands(const struct attack_class *class, long attempts)
{
	int64_t start = dl_time_monotonic_ms();
	bool less = class->slow && attempts < ATTEMPTS_LONG;
	struct score score = race(class, less ? attempts / 10 : attempts);

	printf("race: %s: %ld attempts, %ld lost (%ld taken, %ld put back, %ld kept and said so, "
	       "%ld refused; %lu swaps; %lld s)\n",
	       class->name, score.attempts, score.lost, score.taken, score.put_back, score.strays,
	       score.refused, score.swaps, (long long)(dl_time_monotonic_ms() - start) / 1000);
	/* An attack that never met the act proves nothing. */
	return score.lost == 0 && score.taken > 0 && score.swaps > 0;
}

struct choice {
	const char *class; /* NULL: all */
	long attempts;
};

static int race_all(void *context)
{
	const struct choice *choice = context;
	bool well = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct attack_class *class = attack_classes; class->name; class++) {
		if (choice->class && strcmp(choice->class, class->name) != 0)
			continue;
		well &= naive_loses(class);
		well &= withstands(class, choice->attempts);
	}
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	bool whole = argc > 1 && strcmp(argv[1], "--long") == 0;
	struct choice choice = {
		.class = argc > 1 + whole ? argv[1 + whole] : NULL,
		.attempts = whole ? ATTEMPTS_LONG : ATTEMPTS_SHORT,
	};

	if (geteuid() != 0)
		errx(77, "needs root: namespaces and mounts");
	return scratch_enter(race_all, &choice);
}
