#include "agent/remedy/work.h"

#include "core/base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { RUN_EVIDENCE_MAX = 64, RUN_WORDS_SIZE = 1024, RUN_HOLDERS_MAX = 64 };

void run_clear(struct run *run)
{
	free(run->detail);
	json_decref(run->evidence);
	json_decref(run->quarantine);
	json_decref(run->still_running);
	json_decref(run->journalled);
	*run = (struct run){ 0 };
}

/* Words are cut at a size; a cut inside a character is not valid JSON text. */
static void run_trim(char *words)
{
	size_t end = strlen(words);

	while (end > 0 && (words[end - 1] & 0xc0) == 0x80)
		end--;
	if (end > 0 && (words[end - 1] & 0x80))
		words[end - 1] = '\0';
}

void run_note(struct run *run, const char *format, ...)
{
	char words[RUN_WORDS_SIZE];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	if (size >= (int)sizeof(words))
		run_trim(words);
	if (json_array_size(run->evidence) < RUN_EVIDENCE_MAX)
		json_array_append_new(run->evidence, json_string(words));
}

void run_end(struct run *run, enum dl_run_state state, enum dl_reason reason,
	     const struct dl_error *err)
{
	run->state = state;
	run->reason = reason;
	run->finished = dl_time_now_ms();
	free(run->detail);
	run->detail = NULL;
	if (!err)
		return;
	run->detail = dl_strdup(err->text);
	if (strlen(run->detail) == sizeof(err->text) - 1)
		run_trim(run->detail);
}

static json_t *run_to_json(const struct run *run)
{
	json_t *flags = json_pack("{s:O,s:b,s:b}", "still_running", run->still_running, "partial",
				  (int)run->partial, "needs_reboot", 0);
	json_t *json = json_pack("{s:I,s:s,s:s}", "step", (json_int_t)run->step->id, "state",
				 dl_run_state_name(run->state), "reason",
				 dl_reason_name(run->reason));
	json_t *detail = json_string(run->detail ? run->detail : "");

	json_object_set_new(json, "detail", detail ? detail : json_string("(not readable)"));
	json_object_set_new(json, "flags", flags);
	json_object_set(json, "evidence", run->evidence);
	json_object_set(json, "quarantine", run->quarantine);
	json_object_set_new(json, "started", json_integer(run->started));
	json_object_set_new(json, "finished", json_integer(run->finished));
	return json;
}

json_t *run_result(const struct run *run)
{
	if (run->journalled && dl_run_state_is_terminal(run->state))
		return json_incref(run->journalled);
	return run_to_json(run);
}

static void run_keep_array(json_t **array, const json_t *stored)
{
	if (!json_is_array(stored))
		return;
	json_decref(*array);
	*array = json_deep_copy(stored);
}

int run_load(struct work *work, struct run *run, struct dl_error *err)
{
	dl_autojson *stored = NULL;
	const json_t *flags;
	int r = dl_journal_run(work->remedy->journal, work->plan_id, run->step->id, &stored, err);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	r = dl_run_state_parse(json_string_value(json_object_get(stored, "state")), &run->state,
			       err);
	if (r < 0)
		return r;
	run->started = json_integer_value(json_object_get(stored, "started"));
	run->finished = json_integer_value(json_object_get(stored, "finished"));
	run->reason = dl_reason_parse(json_string_value(json_object_get(stored, "reason")));
	run->detail = dl_strdup(json_string_value(json_object_get(stored, "detail")));
	flags = json_object_get(stored, "flags");
	run->partial = json_is_true(json_object_get(flags, "partial"));
	run_keep_array(&run->still_running, json_object_get(flags, "still_running"));
	run_keep_array(&run->evidence, json_object_get(stored, "evidence"));
	run_keep_array(&run->quarantine, json_object_get(stored, "quarantine"));
	return 0;
}

int run_put(struct work *work, struct run *run, struct dl_error *err)
{
	if (work->dry)
		return 0;
	json_decref(run->journalled);
	run->journalled = run_to_json(run);
	return dl_journal_run_put(work->remedy->journal, work->plan_id, run->journalled, err);
}

void run_start(struct run *run)
{
	if (run->state == DL_RUN_RUNNING)
		return;
	run->state = DL_RUN_RUNNING;
	run->started = dl_time_now_ms();
}

int run_begin(struct work *work, struct run *run, struct dl_error *err)
{
	if (run->state == DL_RUN_RUNNING)
		return 0;
	run_start(run);
	return run_put(work, run, err);
}

static void run_add_item(struct run *run, const struct dl_move *move)
{
	const json_t *facts = json_object_get(move->about, "facts");
	const char *sha256 = json_string_value(json_object_get(facts, "sha256"));

	json_array_append_new(run->quarantine,
			      json_pack("{s:s,s:O,s:s,s:O}", "id", move->id, "path",
					json_object_get(move->about, "path"), "sha256",
					sha256 ? sha256 : "", "size",
					json_object_get(facts, "size")));
}

static bool run_knows_holder(const struct run *run, const json_t *pid)
{
	const json_t *holder;
	size_t i;

	json_array_foreach(run->still_running, i, holder)
		if (json_equal(json_object_get(holder, "pid"), pid))
			return true;
	return false;
}

static void run_add_holders(struct run *run, const struct dl_move *move)
{
	const json_t *holder;
	size_t i;

	json_array_foreach(json_object_get(move->about, "holders"), i, holder) {
		json_t *known;

		if (run_knows_holder(run, json_object_get(holder, "pid")) ||
		    json_array_size(run->still_running) >= RUN_HOLDERS_MAX)
			continue;
		known = json_deep_copy(holder);
		json_object_del(known, "runs");
		json_array_append_new(run->still_running, known);
	}
}

static void run_add_partial(struct run *run, const struct dl_move *move)
{
	const json_t *others = json_object_get(move->about, "others");

	if (json_is_true(json_object_get(move->about, "writer"))) {
		run->partial = true;
		run_note(run, "somebody still has %s open for writing",
			 json_string_value(json_object_get(move->about, "path")));
	}
	if (!others)
		return;
	run->partial = true;
	if (run->reason == DL_REASON_NONE)
		run->reason = DL_REASON_PARTIAL_HARDLINKS;
	run_note(run, "%s has other names; in the same folder: %s",
		 json_string_value(json_object_get(move->about, "path")),
		 *json_string_value(others) ? json_string_value(others) : "none");
}

bool move_is(const struct dl_move *move, const char *what)
{
	const char *kind = json_string_value(json_object_get(move->about, "what"));

	return kind && strcmp(kind, what) == 0;
}

bool move_is_kept(const struct dl_move *move)
{
	return move->state == DL_MOVE_DONE && !move_is(move, "unit");
}

/* Only what is in quarantine now: a step that was rolled back has nothing there. */
static void run_collect(struct run *run, const struct dl_move *moves, size_t count)
{
	json_array_clear(run->quarantine);
	for (size_t i = 0; i < count; i++) {
		if (!move_is_kept(&moves[i]))
			continue;
		run_add_item(run, &moves[i]);
		run_add_partial(run, &moves[i]);
		if (move_is(&moves[i], "take"))
			run_add_holders(run, &moves[i]);
	}
}

int run_finish(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int r = work->dry ? 0 : work_moves(work, work->plan_id, run, &moves, err);

	if (r < 0)
		return r;
	run_collect(run, moves.items, moves.count);
	run->finished = dl_time_now_ms();
	return run_put(work, run, err);
}

int run_finish_with(struct work *work, struct run *run, const struct dl_move *move,
		    struct dl_error *err)
{
	run_collect(run, move, move != NULL);
	run->finished = dl_time_now_ms();
	return run_put(work, run, err);
}

int work_moves(struct work *work, const char *plan_id, const struct run *run,
	       struct dl_moves *ret_moves, struct dl_error *err)
{
	return dl_journal_moves(work->remedy->journal, plan_id, run->step->id, ret_moves, err);
}

int move_words(const struct dl_move *move, int error, struct dl_error *err)
{
	return dl_error_prefix(err, error, "%s",
			       json_string_value(json_object_get(move->about, "path")));
}

int moves_restore(struct work *work, struct dl_moves *moves, struct dl_error *err)
{
	for (size_t i = 0; i < moves->count; i++) {
		int r = move_is_kept(&moves->items[i]) ?
				dl_quarantine_can_restore(&moves->items[i], err) :
				0;

		if (r < 0)
			return move_words(&moves->items[i], r, err);
	}
	for (size_t i = moves->count; i-- > 0;) {
		struct dl_move *move = &moves->items[i];
		int r;

		if (!move_is_kept(move))
			continue;
		r = dl_quarantine_restore(work->remedy->quarantine, move, err);
		if (r < 0)
			return move_words(move, r, err);
	}
	return 0;
}
