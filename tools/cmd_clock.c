/*
 * cmd_clock.c - isms-userctl clock trust: the front takes the wall clock as right from here on.
 *
 * Must never do it silently: the front writes the event, with the person who asked (THREATS 5.7).
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/ask_daemon.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"

enum exit_code
cmd_clock_trust(struct invocation *in)
{
	struct msg_clock_trust msg = { 0 };
	struct msg_done done;
	char now[32], question[96];
	json_t *result;
	int r;

	(void)civil_date_format(in->now_utc_sec, now);
	(void)snprintf(question, sizeof question, "It is %s. Trust this clock?", now);
	if (!invocation_confirm(in, question))
		return EXIT_REFUSED;
	(void)audit_actor(msg.actor, sizeof msg.actor);
	if (!in->dry_run) {
		r = ask_daemon(in, PROCESS_FRONT, MSG_CLOCK_TRUST, &msg, MSG_DONE, &done);
		if (r < 0)
			return ask_daemon_complain(PROCESS_FRONT, r);
		if (done.error != 0) {
			output_error("ismsd-front did not take the clock: %s", done.text[0] != '\0' ? done.text :
			    strerror((int)done.error));
			return EXIT_REFUSED;
		}
	}
	result = json_pack("{s:s, s:b, s:b}", "clock", now, "trusted", !in->dry_run, "dry_run", in->dry_run);
	if (in->json)
		(void)output_json(result);
	else
		output_line("%s is trusted%s", now, in->dry_run ? " (dry run: nothing was changed)" : "");
	json_decref(result);
	return EXIT_DONE;
}
