/*
 * source_heap.h - the heap of a source's entries, and what becomes of a process whose heap cannot be read. Directory
 * process, on its loop.
 */
#ifndef ISMS_SOURCE_HEAP_H
#define ISMS_SOURCE_HEAP_H

struct source;

/* Make the heap, and listen for its damage. Returns 0 or -errno. */
int source_heap_open(struct source *s);
void source_heap_close(struct source *s);	/* also of one that was not opened */

#endif
