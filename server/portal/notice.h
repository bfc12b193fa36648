/* Notice: the sentence a page shows after an act. It travels as a code in the
 * address (`?notice=sent`), so that nobody can put words of his own on a page. */
#ifndef DL_SERVER_PORTAL_NOTICE_H
#define DL_SERVER_PORTAL_NOTICE_H

#include <jansson.h>

/* {"text","bad"}, owned by the caller; NULL for NULL and unknown codes. */
json_t *dl_notice_of(const char *code);

#endif
