/*
 * together.c - see together.h. Directory process, publisher and isms-userctl.
 */
#include <config.h>

#include "common/together.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

struct work {
	void (*run)(void *arg);
	void *arg;
};

static void *
thread_main(void *arg)
{
	const struct work *w = arg;

	w->run(w->arg);
	return NULL;
}

void
together(unsigned long count, void (*one)(void *arg), void *one_arg, void (*other)(void *arg), void *other_arg)
{
	struct work beside = { other, other_arg };
	sigset_t all, before;
	pthread_t thread;
	int r = -1;

	if (count >= TOGETHER_MIN) {
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &before);
		r = pthread_create(&thread, NULL, thread_main, &beside);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	one(one_arg);
	if (r == 0)
		(void)pthread_join(thread, NULL);
	else
		other(other_arg);
}
