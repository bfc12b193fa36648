/* Fields: the decoded members of a query or of a form, found by name.
 *
 * The text is application/x-www-form-urlencoded (WHATWG URL, section 5):
 * name=value pairs with '&' between, '+' for a blank. Refused, with words:
 * more pairs than DL_FIELDS_MAX, a pair without a name or a '=', and a NUL,
 * which would cut a value short without a trace. CR LF in a value becomes LF.
 */
#ifndef DL_SERVER_HTTP_FIELDS_H
#define DL_SERVER_HTTP_FIELDS_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stddef.h>

/* The largest form of the portal, a report of DL_PLAN_STEPS_MAX steps, has
 * some 1,600. */
enum { DL_FIELDS_MAX = 2048 };

struct dl_fields;

/* DL_E_INVALID: refused. */
int dl_fields_parse(const char *text, struct dl_fields **ret_fields, struct dl_error *err);
void dl_fields_free(struct dl_fields *fields);
DL_DEFINE_AUTO(dl_fields, dl_fields_free)

/* The n-th value of this name, in the order they were sent; borrowed. NULL
 * after the last. It takes logarithmic time. `fields` may be NULL: none. */
const char *dl_fields_nth(const struct dl_fields *fields, const char *name, size_t n);

#endif
