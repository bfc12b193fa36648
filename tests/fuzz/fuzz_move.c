/* What the journal keeps about an object in quarantine, as undo and recovery read it: refused, or
 * the same facts when written and read again. */
#include "fuzz.h"

#include "agent/quarantine/facts.h"
#include "agent/quarantine/store.h"

#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

static void read_facts(const struct dl_move *move)
{
	struct dl_facts facts = { 0 }, again = { 0 };
	if (about_facts(move, &facts, NULL) == 0) {
		dl_autojson *written = facts_to_json(&facts);
		must(facts_from_json(written, &again, NULL) == 0);
		must(facts_compare(&again, &facts, true, NULL) == 0);
	}
	dl_facts_clear(&facts);
	dl_facts_clear(&again);
}

static void read_path(const struct dl_move *move)
{
	dl_autofree char *path = NULL;
	if (about_path(move, &path, NULL) == 0)
		must(strlen(path) <= strlen(about_text(move, "path")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dl_move move = { 0 };
	if (dl_json_parse((const char *)data, size, TEXT_MAX, &move.about, NULL) < 0)
		return 0;
	read_facts(&move);
	read_path(&move);
	about_is(&move, "take");
	about_flag(&move, "stray");
	json_decref(move.about);
	return 0;
}
