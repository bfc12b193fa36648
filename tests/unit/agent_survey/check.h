/* What every test file here needs: cmocka and its own needs. */
#ifndef DL_TESTS_UNIT_AGENT_SURVEY_CHECK_H
#define DL_TESTS_UNIT_AGENT_SURVEY_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
