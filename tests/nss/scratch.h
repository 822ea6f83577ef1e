/*
 * scratch.h - an empty folder for each test of a program, gone afterwards.
 */
#ifndef ISMS_TESTS_SCRATCH_H
#define ISMS_TESTS_SCRATCH_H

#include <stddef.h>

/* Make the folder of a test program, in main(); aborts if that fails. */
void scratch_make(void);

/* Begin an empty folder in it, at the start of a test. Returns its path, valid until the next call. */
const char *scratch_begin(void);

/* Remove everything, in main(). */
void scratch_remove(void);

/* Path of a name in it; of 8 such results each stays valid for 8 calls. */
const char *scratch_path(const char *name);

/* Write a whole file, mode 0644 whatever the umask; aborts the test if that fails. */
void scratch_write(const char *name, const void *bytes, size_t size);

#endif
