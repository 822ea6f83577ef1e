/*
 * process.h - the processes of ismsd: `ismsd NAME` runs one of them until SIGTERM.
 */
#ifndef ISMS_PROCESS_H
#define ISMS_PROCESS_H

#include "common/paths.h"

/*
 * Run a process: serve until SIGTERM, free everything.
 *
 *  paths  borrowed; every file and socket is found through it
 *
 * Returns 0 after an orderly end, or -errno when it could not start or serve; it has been logged then.
 */
int front_main(const struct paths *paths);
int directory_main(const struct paths *paths);
int publisher_main(const struct paths *paths);

#endif
