/* A survey of the fake host, and how a test finds its way in it. */
#ifndef DL_TESTS_UNIT_AGENT_SURVEY_WORLD_H
#define DL_TESTS_UNIT_AGENT_SURVEY_WORLD_H

#include "check.h"

#include "agent/survey/survey.h"
#include "core/base/buf.h"
#include "core/plan/plan.h"
#include "tests/fakes/fake_host.h"

#define UNITS "/etc/systemd/system"
#define VENDOR "/usr/lib/systemd/system"

/* Ends the fake's life. */
struct dl_survey *survey_of(struct fake_host *fake, bool all);

/* The only foothold of this name, or of this line; fails the test if there is none. */
const struct dl_foothold *named(const struct dl_survey *survey, const char *name);
const struct dl_foothold *lined(const struct dl_survey *survey, const char *line);

/* "unit:/etc/x link:/etc/y payload:/opt/z", without what packages own unchanged. */
char *objects_of(const struct dl_foothold *foothold);

#endif
