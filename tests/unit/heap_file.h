/*
 * heap_file.h - the file of a heap (entry_heap.h), for tests that damage it.
 */
#ifndef ISMS_TESTS_HEAP_FILE_H
#define ISMS_TESTS_HEAP_FILE_H

/* A folder for the file of one heap alone. */
const char *heap_folder(void);

/* The file of the heap in that folder: a descriptor of the heap's, or -1. */
int heap_file(void);

#endif
