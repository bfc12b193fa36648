/* Transition: the states of incidents, revisions and orders, and which may
 * follow which. What is not in these tables does not happen: terminal states
 * never change (cancelled, expired, refused and finished orders; superseded
 * revisions; closed incidents).
 */
#ifndef DL_SERVER_INCIDENT_TRANSITION_H
#define DL_SERVER_INCIDENT_TRANSITION_H

#include "core/base/error.h"

/* 0, or DL_E_STATE with words such as "the order is finished and cannot be cancelled". */
int dl_incident_move(const char *from, const char *to, struct dl_error *err);
int dl_revision_move(const char *from, const char *to, struct dl_error *err);
int dl_order_move(const char *from, const char *to, struct dl_error *err);

#endif
