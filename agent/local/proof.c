#include "agent/local/proof.h"

#include "agent/quarantine/quarantine.h"

#include <string.h>

const char *dl_proof_state_name(enum dl_proof_state state)
{
	static const char *const names[DL_PROOF_COUNT] = { "gone", "there", "other", "not_checked" };
	return names[state];
}

void dl_proof_clear(struct dl_proof *proof)
{
	free(proof->words);
	*proof = (struct dl_proof){ 0 };
}

static void say(struct dl_proof *proof, enum dl_proof_state state, const char *words)
{
	proof->state = state;
	proof->words = dl_strdup(words);
}

static const struct dl_foothold *find(const struct dl_survey *survey, const char *key)
{
	for (size_t i = 0; i < survey->foothold_count; i++)
		if (strcmp(survey->footholds[i]->key, key) == 0)
			return survey->footholds[i];
	return NULL;
}

/* Which kinds could hold the step's foothold; a manual step does not say. */
static bool may_be_of(const struct dl_step *step, enum dl_kind kind)
{
	bool unit = kind == DL_KIND_SYSTEMD_SERVICE || kind == DL_KIND_SYSTEMD_TIMER;
	bool cron = kind == DL_KIND_CRON_SYSTEM || kind == DL_KIND_CRON_USER;
	if (step->verb == DL_VERB_SYSTEMD_UNIT_REMOVE)
		return unit;
	return step->verb == DL_VERB_CRON_LINE_REMOVE ? cron : unit || cron;
}

static void prove_trigger(const struct dl_survey *survey, const struct dl_step *step,
			  struct dl_proof *proof)
{
	const struct dl_foothold *foothold = find(survey, step->key);
	if (foothold) {
		say(proof, DL_PROOF_THERE, foothold->active ? "it would still start" :
							      "it is there, but does not run");
		return;
	}
	if (!survey->trusted) {
		say(proof, DL_PROOF_NOT_CHECKED, survey->untrusted_because);
		return;
	}
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		if (may_be_of(step, (enum dl_kind)kind) &&
		    survey->coverage[kind] != DL_COVERAGE_COMPLETE) {
			const char *why = survey->coverage_why[kind];
			say(proof, DL_PROOF_NOT_CHECKED, why ? why : "the survey is not complete");
			return;
		}
	say(proof, DL_PROOF_GONE, "");
}

static void prove_file(const struct dl_step *step, struct dl_proof *proof)
{
	struct dl_error why = { 0 };
	for (size_t i = 0; i < step->object_count; i++) {
		int r = dl_quarantine_check(&step->objects[i], NULL, &why);
		if (r == DL_E_NOT_FOUND)
			continue;
		if (r == 0)
			say(proof, DL_PROOF_THERE, "the file is still in its place");
		else
			say(proof, r == DL_E_STALE ? DL_PROOF_OTHER : DL_PROOF_NOT_CHECKED, why.text);
		return;
	}
	say(proof, DL_PROOF_GONE, "");
}

void dl_proof_of(const struct dl_survey *survey, const struct dl_step *step,
		 struct dl_proof *ret_proof)
{
	if (step->verb == DL_VERB_FILE_QUARANTINE)
		prove_file(step, ret_proof);
	else if (*step->key)
		prove_trigger(survey, step, ret_proof);
	else
		say(ret_proof, DL_PROOF_NOT_CHECKED, "only a person can tell");
}
