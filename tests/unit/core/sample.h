/* Fabricated footholds and surveys: what a host could report. */
#ifndef DL_TESTS_UNIT_CORE_SAMPLE_H
#define DL_TESTS_UNIT_CORE_SAMPLE_H

#include "core/plan/plan.h"

/* A regular file with a hash, created (baseline absent), owned by root. */
struct dl_object *sample_file(struct dl_foothold *foothold, enum dl_object_role role,
			      const char *path);
struct dl_object *sample_link(struct dl_foothold *foothold, enum dl_object_role role,
			      const char *path, const char *target);

/* A service "NAME" in /etc/systemd/system with its enabling link and one
 * payload (NULL for none). Change it freely, then seal and add it. */
struct dl_foothold *sample_service(const char *name, const char *payload);
struct dl_foothold *sample_timer(const char *name, const char *activates, const char *payload);
struct dl_foothold *sample_cron(const char *user, const char *line, const char *payload);
struct dl_foothold *sample_run_value(const char *name, const char *command);

/* The foothold's first object of this role. */
struct dl_object *sample_object(struct dl_foothold *foothold, enum dl_object_role role);

/* A survey of all kinds, complete and trusted, without footholds. */
struct dl_survey *sample_survey(void);

/* Seals and adds; returns the foothold's key, borrowed from the survey. */
const char *sample_add(struct dl_survey *survey, struct dl_foothold *foothold);

#endif
