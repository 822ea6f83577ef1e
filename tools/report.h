/*
 * report.h - the parts of isms-userctl report.
 */
#ifndef ISMS_REPORT_TOOL_H
#define ISMS_REPORT_TOOL_H

#include <stdint.h>

#include "common/entry.h"
#include "tools/invocation.h"

/* A time of an entry (GeneralizedTime), UTC seconds; 0: none, or none that can be read. */
int64_t report_time_of(const struct entry *e, const char *name);

/* Print the last `count` people who left: each step with its time and event, and what is left of their access. */
enum exit_code report_leavers(struct invocation *in, uint32_t count);

#endif
