#include "server/portal/notice.h"

#include "core/base/mem.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *code, *text;
	bool bad;
} notices[] = {
	{ "saved", "Saved as a draft. This is how the technician will see it.", false },
	{ "sent", "The report was sent.", false },
	{ "approved", "Approved. The host does the steps as soon as it can.", false },
	{ "rejected", "Rejected. The report goes back to the analyst.", false },
	{ "done", "The manual step is marked as done.", false },
	{ "cancelled", "Cancelled. The host will not begin this work.", false },
	{ "undo", "The undo is approved. The host puts everything back as soon as it can.", false },
	{ "closed", "The incident is closed.", false },
	{ "survey", "A survey was requested.", false },
	{ "confirmed", "This is the host. The others that enrolled as this machine are revoked.", false },
	{ "no-steps", "Tick at least one step to approve, or reject the report.", true },
	{ "no-reason", "A rejection needs a reason.", true },
};

json_t *dl_notice_of(const char *code)
{
	for (size_t i = 0; code && i < DL_COUNT(notices); i++) {
		if (strcmp(notices[i].code, code) == 0)
			return json_pack("{ss sb}", "text", notices[i].text, "bad", notices[i].bad);
	}
	return NULL;
}
