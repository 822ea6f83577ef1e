/*
 * together.h - two pieces of work at once, on two processors: for what a whole directory takes seconds for.
 */
#ifndef ISMS_TOGETHER_H
#define ISMS_TOGETHER_H

/* As many things as are worth a thread; for fewer both are done one after the other. */
#define TOGETHER_MIN 20000u

/*
 * Run both and wait for them: one on this thread and, beside it, the other on a thread of its own, on which no signal
 * is handled. Where there is none to be had, one after the other. Neither may write what the other one reads.
 *
 *  count  of the things that both work on; fewer than TOGETHER_MIN get no thread
 */
void together(unsigned long count, void (*one)(void *arg), void *one_arg, void (*other)(void *arg), void *other_arg);

#endif
