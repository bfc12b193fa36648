#include "server/incident/code.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <string.h>

struct code {
	const char *name, *sentence;
};

static const struct code reject_reasons[] = {
	{ "not_malicious", "What the plan removes belongs on this host." },
	{ "incomplete", "The plan leaves something out." },
	{ "too_risky", "The host or its users would suffer." },
	{ "other_means", "It is better done another way, such as by an uninstaller." },
	{ "wrong_host", "The report is about another host." },
	{ "other", "For the reason given in the comment." },
};

static const struct code close_reasons[] = {
	{ "accepted_risk", "The risk is accepted." },
	{ "false_positive", "It was no infection." },
	{ "host_retired", "The host is out of service." },
};

static const char *find(const struct code *codes, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].sentence;
	return NULL;
}

const char *dl_reject_reason_sentence(const char *code)
{
	return find(reject_reasons, DL_COUNT(reject_reasons), code);
}

char *dl_reject_reason_codes(void)
{
	dl_autobuf words = DL_BUF_INIT;

	for (size_t i = 0; i < DL_COUNT(reject_reasons); i++)
		dl_buf_printf(&words, "%s%s", i ? ", " : "", reject_reasons[i].name);
	return dl_buf_take(&words);
}

const char *dl_close_reason_sentence(const char *code)
{
	return find(close_reasons, DL_COUNT(close_reasons), code);
}
