/* Details: an audit event's `detail` object as a list a template can walk. */
#ifndef DL_SERVER_PORTAL_DETAILS_H
#define DL_SERVER_PORTAL_DETAILS_H

#include <jansson.h>

/* Gives each event a member `words`: [{"name","value"}]. Lists and objects
 * within a detail are shown as their JSON text, empty values not at all. An
 * `object` that only repeats the event's incident is taken out. */
void dl_details_spell(json_t *events);

#endif
