/*
 * publisher.c - the process that owns what the machine believes: judges rosters, publishes snapshots, ends sessions.
 *
 * Runs as `ismsd publisher`, uid 0 with CAP_KILL alone, without network. The directory process is its adversary: what
 * that sends can at most deny service or name managed users; it never yields an id, a group or a file of this host's
 * own (THREATS I3). It must never resolve a name through NSS, and never write below /var/lib/isms/nss but by rename.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/process.h"
#include "daemon/publisher_state.h"
#include "daemon/publisher_store.h"
#include "daemon/report.h"
#include "daemon/snapshot_write.h"

/* ---- what is told ---- */

static void
report_config(const char *fault)
{
	struct event e;

	report_begin(&e, EVENT_CONFIG_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

/* ---- messages ---- */

static int
answer_roster(struct connection *c, struct msg_roster_result *answer, int error)
{
	const struct publisher *p = connection_context(c);

	if (error < 0 && error != -ESTALE)
		publisher_report_rejected(answer->text);
	answer->accepted = error >= 0;
	answer->whole_wanted = error == -ESTALE || p->store_full;
	if (error >= 0) {
		answer->users = p->book->tables[REGISTER_USERS].accepted;
		answer->refused = p->refusals.count;
	}
	return connection_send(c, MSG_ROSTER_RESULT, answer, ST_NEW);
}

static int
on_roster(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_roster *m = msg;
	struct msg_roster_result answer = { .serial = m->serial };
	int r, fd = connection_take_fd(c);

	if (fd < 0)
		return -EBADMSG;
	r = publisher_force(p, fd, m->serial, m->after, publisher_now_utc_sec(p), answer.text, sizeof answer.text);
	(void)close(fd);
	return answer_roster(c, &answer, r);
}

static int
on_vouch(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_roster_vouch *m = msg;
	struct msg_roster_result answer = { .serial = m->serial };
	int r = -ESTALE;

	if (p->book == NULL || m->serial != p->serial)
		(void)snprintf(answer.text, sizeof answer.text, "another state is in force");
	else
		r = publisher_force_again(p, publisher_now_utc_sec(p), answer.text, sizeof answer.text);
	return answer_roster(c, &answer, r);
}

/* Whether a name or a uid is this host's own now, or may be: what cannot be read is no proof of the contrary. */
static bool
is_local_now(const struct publisher *p, const char *name, uint32_t uid)
{
	struct local_accounts local;
	bool found;

	if (local_accounts_load(p->paths, &local) < 0)
		return true;
	found = local_accounts_has_user(&local, name) || local_accounts_owns_uid(&local, uid);
	local_accounts_done(&local);
	return found;
}

/*
 * Whether a name and a uid are a managed user's, by the roster or, before the first one, by what is published; that
 * may be older than a local account.
 */
static bool
is_managed(const struct publisher *p, const char *name, uint32_t uid, const struct user_record **ret)
{
	struct snapshot_user user;

	*ret = register_user_by_name(p->book, name);
	if (*ret != NULL)
		return (*ret)->r.id == uid;
	return p->book == NULL && p->published.base != NULL &&
	    snapshot_find_user(&p->published, name, &user) == 1 && user.uid == uid && !is_local_now(p, name, uid);
}

static int
on_sessions_end(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_sessions_end *m = msg;
	struct session_end_order order = { .uid = m->uid, .reason = m->reason < REASON_COUNT ? m->reason : REASON_NONE,
		.once = true };
	const struct user_record *user;
	struct msg_done answer = { 0 };
	int r = -ENOENT;

	if (is_managed(p, m->user, m->uid, &user)) {
		(void)snprintf(order.name, sizeof order.name, "%s", m->user);
		(void)snprintf(order.txn, sizeof order.txn, "%s", m->txn);
		if (user != NULL) {
			order.not_after_utc_sec = user->not_after_utc_sec;
			order.once = roll_judge(user, publisher_now_utc_sec(p)) == REASON_OK;
		}
		r = session_end_begin(p->ender, &order);
	}
	if (r < 0) {
		answer.error = (uint32_t)-r;
		(void)snprintf(answer.text, sizeof answer.text, "not a published user of this uid");
	}
	return connection_send(c, MSG_DONE, &answer, ST_NEW);
}

static int
on_status(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	struct msg_report answer = { 0 };

	(void)msg;
	publisher_status(p, answer.lines, sizeof answer.lines);
	return connection_send(c, MSG_REPORT, &answer, ST_NEW);
}

/* The event, with the person who asked, is the front's, which is asked first. */
static int
on_clock_trust(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	struct msg_done answer = { .error = 0 };

	(void)msg;
	publisher_ends_trust_clock(p);
	publisher_store_clock(p->roster_fd, &p->clock);
	return connection_send(c, MSG_DONE, &answer, ST_NEW);
}

/* ---- what changes from outside ---- */

/* Whether a name of a file in /etc is that of one which local_accounts_load() reads. */
static bool
is_accounts_file(const char *name)
{
	return strcmp(name, "passwd") == 0 || strcmp(name, "group") == 0 || strcmp(name, "subuid") == 0 ||
	    strcmp(name, "subgid") == 0;
}

static int
on_accounts(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct publisher *p = arg;

	(void)source;
	if ((event->mask & IN_Q_OVERFLOW) != 0 ||
	    (event->len > 0 && is_accounts_file(event->name)))
		publisher_force_soon(p);
	return 0;
}

/* Watch the folder: the files are replaced by rename. */
static int
watch_accounts(struct publisher *p)
{
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof folder, "%s", p->paths->passwd);
	*strrchr(folder, '/') = '\0';
	return sd_event_add_inotify(p->event, &p->accounts, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR,
	    on_accounts, p);
}

/* Read isms.conf and policy.conf; both or neither come into force. */
static int
load_config(struct publisher *p)
{
	struct policy *policy = NULL;
	struct settings settings;
	char error[512] = "";
	int r;

	r = settings_load(p->paths->etc, &settings, error, sizeof error);
	if (r >= 0)
		r = policy_load(p->paths->etc, &policy, error, sizeof error);
	if (r < 0) {
		report_config(error[0] != '\0' ? error : strerror(-r));
		return r;
	}
	policy_free(p->policy);
	p->policy = policy;
	p->settings = settings;
	p->stale = true;
	return 0;
}

static void
on_reload(void *arg)
{
	struct publisher *p = arg;

	if (load_config(p) < 0)
		return;
	publisher_ends_configure(p);
	publisher_force_soon(p);
}

/* ---- life ---- */

static int
serve(struct publisher *p)
{
	const struct server_handler handlers[] = {
		{ .number = MSG_ROSTER, .handle = on_roster, .takes_fd = true },
		{ .number = MSG_ROSTER_VOUCH, .handle = on_vouch },
		{ .number = MSG_SESSIONS_END, .handle = on_sessions_end },
		{ .number = MSG_PUBLISHER_STATUS, .handle = on_status },
		{ .number = MSG_CLOCK_TRUST, .handle = on_clock_trust },
		{ .handle = NULL },
	};
	const struct server_config config = { .path = p->paths->publisher_socket, .mode = 0660,
		.frame_max = PROTO_PRIVATE_MAX, .peers = &p->peers, .handlers = handlers, .context = p };
	int r;

	r = server_new(p->event, &config, &p->server);
	if (r >= 0) {
		publisher_force_resume(p);	/* after it: whoever closes one of systemd's descriptors before cannot ask for the others */
		loop_ready();
		r = loop_run(p->event);
	}
	server_free(p->server);
	return r;
}

int
publisher_main(const struct paths *paths)
{
	struct publisher *p = calloc(1, sizeof *p);
	struct loop_hooks hooks = { .reload = on_reload, .arg = p };
	int r;

	if (p == NULL)
		return -ENOMEM;
	p->paths = paths;
	p->roster_fd = p->compact.pidfd = -1;
	r = loop_new(paths, "publisher", &hooks, &p->event);
	if (r < 0)
		goto out;
	if ((r = peers_load(paths, &p->peers)) < 0 || (r = load_config(p)) < 0 ||
	    (r = publisher_dirty_init(&p->dirty)) < 0 || (r = publisher_ends_init(p)) < 0 || (r = watch_accounts(p)) < 0) {
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
		goto out;
	}
	snapshot_discard_written(paths->nss);	/* of a predecessor that died while a base was written */
	if (publisher_open_published(p, &p->published))
		p->generation_seen = snapshot_generation(&p->published);
	p->dirty.all = p->published.delta != NULL;	/* nobody knows what it has */
	if (p->published.base != NULL && epoch_keep(&p->epoch, paths->nss) >= 0)
		epoch_keeper_advance(&p->epoch);	/* a predecessor may have died before it told of the last one */
	r = serve(p);
out:
	sd_event_source_disable_unref(p->rebuild);
	sd_event_source_disable_unref(p->accounts);
	publisher_ends_done(p);
	epoch_keeper_done(&p->epoch);
	roll_done(&p->roll);
	publisher_compact_cancel(&p->compact);
	publisher_dirty_done(&p->dirty);
	register_free(p->book);
	if (p->roster_fd >= 0)
		(void)close(p->roster_fd);
	local_accounts_done(&p->local);
	snapshot_close(&p->published);
	policy_free(p->policy);
	loop_free(p->event);
	free(p);
	return r;
}
