/* Words about footholds for titles and reasons; names from a host are cut to
 * what a person reads, the exact target stands in the step's objects. */
#ifndef DL_CORE_PLAN_WORDS_H
#define DL_CORE_PLAN_WORDS_H

#include "core/base/buf.h"
#include "core/plan/foothold.h"

/* A longer name is cut between characters and ends in "…". */
enum { DL_WORDS_NAME_MAX_BYTES = 256 };

/* Appends the text between backticks. One that holds backticks itself stands
 * between blanks and longer runs of them (CommonMark, section 6.1), so that no
 * name looks like the words around it. */
void dl_words_quote(struct dl_buf *out, const char *text);

/* Appends what the foothold is: "service `x.service`", "the cron line of
 * alice that runs `/tmp/x`". */
void dl_words_foothold(struct dl_buf *out, const struct dl_foothold *foothold);

#endif
