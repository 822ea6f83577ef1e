/*
 * front_request.c - account and session stages that are open, and how many of them one user may have (see front.h).
 *
 * Runs in the front. cron, su and sudo are root to us whoever stands behind them, and their children can be stopped by
 * him before they acknowledge: it must never be that one user's jobs take the places of everybody.
 */
#include <config.h>

#include "daemon/front.h"

#include <string.h>
#include <syslog.h>

#include "daemon/report.h"

bool
request_enter(struct front *f, struct request_head *head, const struct subject *subject)
{
	unsigned same = 0;

	for (const struct request_head *h = f->requests; h != NULL; h = h->next)
		same += strcmp(h->subject->user, subject->user) == 0;
	if (same >= FRONT_PER_USER_MAX) {
		/* Without the name, which may be a password; the module's own event has it. */
		report_log(LOG_WARNING, "hung up on a request: %u others of the same user are open", same);
		return false;
	}
	head->subject = subject;
	head->next = f->requests;
	if (head->next != NULL)
		head->next->prev = head;
	f->requests = head;
	return true;
}

void
request_leave(struct front *f, struct request_head *head)
{
	if (head->subject == NULL)
		return;
	if (head->prev != NULL)
		head->prev->next = head->next;
	else
		f->requests = head->next;
	if (head->next != NULL)
		head->next->prev = head->prev;
	head->subject = NULL;
}
