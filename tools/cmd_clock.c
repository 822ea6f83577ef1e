/*
 * cmd_clock.c - isms-userctl clock trust: all three processes take the wall clock as right from here on.
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

static enum exit_code
tell(const struct invocation *in, enum process process, const struct msg_clock_trust *msg)
{
	struct msg_done done;
	int r = ask_daemon(in, process, MSG_CLOCK_TRUST, msg, MSG_DONE, &done);

	if (r < 0)
		return ask_daemon_complain(process, r);
	if (done.error == 0)
		return EXIT_DONE;
	output_error("%s did not take the clock: %s", ask_daemon_unit(process),
	    done.text[0] != '\0' ? done.text : strerror((int)done.error));
	return EXIT_REFUSED;
}

enum exit_code
cmd_clock_trust(struct invocation *in)
{
	struct msg_clock_trust msg = { 0 };
	enum exit_code code;
	char now[32], question[96];
	json_t *result;

	(void)civil_date_format(in->now_utc_sec, now);
	(void)snprintf(question, sizeof question, "It is %s. Trust this clock?", now);
	if (!invocation_confirm(in, question))
		return EXIT_REFUSED;
	(void)audit_actor(msg.actor, sizeof msg.actor);
	if (!in->dry_run) {
		code = tell(in, PROCESS_FRONT, &msg);
		if (code == EXIT_DONE)
			code = tell(in, PROCESS_PUBLISHER, &msg);
		if (code == EXIT_DONE)
			code = tell(in, PROCESS_DIRECTORY, &msg);
		if (code != EXIT_DONE)
			return code;
	}
	result = json_pack("{s:s, s:b, s:b}", "clock", now, "trusted", !in->dry_run, "dry_run", in->dry_run);
	if (in->json)
		(void)output_json(result);
	else
		output_line("%s is trusted%s", now, in->dry_run ? " (dry run: nothing was changed)" : "");
	json_decref(result);
	return EXIT_DONE;
}
