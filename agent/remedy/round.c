#include "agent/remedy/round.h"

const struct round_verb *round_verb_of(const struct run *run, bool undo)
{
	const struct verb *verb = verb_of(run->step->verb);

	if (!verb)
		return NULL;
	return undo ? verb->round_undo : verb->round_apply;
}

static int round_prepare(struct work *work, const struct round *round, struct dl_batch *batch,
			 struct dl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < round->count; i++) {
		struct run *run = round->runs[i];

		run->in_batch = false;
		if (dl_run_state_is_terminal(run->state))
			continue;
		run->resumed = run->state == DL_RUN_RUNNING;
		run_start(run);
		r = round_verb_of(run, round->undo)->prepare(work, run, batch, err);
	}
	return r;
}

/* Every beginning and every intent: from here on a crash finds what to look for. */
static int round_begin(struct work *work, const struct round *round, struct dl_batch *batch,
		       struct dl_error *err)
{
	dl_autogroup group = { NULL };
	int r = dl_journal_group_begin(&group, work->remedy->journal, err);

	for (size_t i = 0; r == 0 && i < round->count; i++)
		if (round->runs[i]->in_batch && !round->runs[i]->resumed)
			r = run_put(work, round->runs[i], err);
	if (r == 0)
		r = dl_batch_intend(batch, err);
	return r < 0 ? r : dl_journal_group_end(&group, err);
}

static void round_conclude(const struct round *round, const struct dl_batch *batch)
{
	for (size_t i = 0; i < round->count; i++)
		if (round->runs[i]->in_batch)
			round_verb_of(round->runs[i], round->undo)->conclude(round->runs[i], batch);
}

/* What a run that began in this round has in quarantine is what it did here. */
static int round_finish_run(struct work *work, const struct round *round,
			    const struct dl_batch *batch, struct run *run, struct dl_error *err)
{
	if (run->resumed || (round->undo && !run->in_batch))
		return run_finish(work, run, err);
	return run_finish_with(work, run,
			       run->in_batch && !round->undo ? dl_batch_move(batch, run->item) : NULL,
			       err);
}

static int round_end(struct work *work, const struct round *round, struct dl_batch *batch,
		     struct dl_error *err)
{
	dl_autogroup group = { NULL };
	int r = dl_journal_group_begin(&group, work->remedy->journal, err);

	if (r == 0)
		r = dl_batch_conclude(batch, err);
	for (size_t i = 0; r == 0 && i < round->count; i++)
		r = round_finish_run(work, round, batch, round->runs[i], err);
	return r < 0 ? r : dl_journal_group_end(&group, err);
}

int round_carry_out(struct work *work, const struct round *round, struct dl_error *err)
{
	dl_auto(dl_batch) batch = dl_batch_new(work->remedy->quarantine);
	int r = round_prepare(work, round, batch, err);

	if (r == 0 && !dl_batch_is_empty(batch)) {
		dl_batch_find_holders(batch);
		r = round_begin(work, round, batch, err);
		if (r == 0)
			dl_batch_act(batch);
	}
	if (r < 0)
		return r;
	round_conclude(round, batch);
	return round_end(work, round, batch, err);
}
