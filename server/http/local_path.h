/* A path on this server, safe to send a browser to.
 *
 * Browsers drop TAB, CR and LF from an address, take '\' for '/' and "//host"
 * for another server (WHATWG URL, sections 4.4 and 4.5). Admitted is therefore
 * one spelling only: a '/', then visible ASCII without a backslash, and no
 * empty segment before the query.
 */
#ifndef DL_SERVER_HTTP_LOCAL_PATH_H
#define DL_SERVER_HTTP_LOCAL_PATH_H

#include <stdbool.h>

enum { DL_LOCAL_PATH_MAX_BYTES = 4096 };

/* `path` may be NULL: it is none. A query may follow. */
bool dl_path_is_local(const char *path);

#endif
