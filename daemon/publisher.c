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
#include <malloc.h>
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

#define REBUILD_DELAY_MS	50	/* editors write both files within it */
#define RETRY_DELAY_MS		10000	/* after a snapshot that could not be written */
#define REFUSED_EVENTS_MAX	20	/* of one build; status has more */

static int on_rebuild(sd_event_source *source, uint64_t usec, void *arg);

/* ---- what is told ---- */

static bool
was_refused(const struct publisher_build_out *before, const struct refused *r)
{
	for (uint32_t i = 0; i < before->check.listed_count; i++) {
		const struct refused *had = &before->check.listed[i];

		if (had->why == r->why && had->is_group == r->is_group && had->id == r->id &&
		    strcmp(had->name, r->name) == 0)
			return true;
	}
	return false;
}

static void
report_refused(const struct publisher_build_out *before, const struct publisher_build_out *now)
{
	unsigned shown = 0;

	for (uint32_t i = 0; i < now->check.listed_count && shown < REFUSED_EVENTS_MAX; i++) {
		const struct refused *r = &now->check.listed[i];
		char fault[EVENT_VALUE_MAX];
		struct event e;

		if (before != NULL && was_refused(before, r))
			continue;
		(void)snprintf(fault, sizeof fault, "%s %s (%u): %s", r->is_group ? "group" : "user", r->name, r->id,
		    refusal_text(r->why, r->is_group));
		report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
		event_add(&e, FIELD_ID_FAULT, fault);
		(void)report_event(&e);
		shown++;
	}
}

static void
report_published(const struct publisher_build_out *now)
{
	struct event e;

	report_begin(&e, EVENT_SNAPSHOT_PUBLISHED);
	event_add_int(&e, FIELD_ID_GENERATION, (int64_t)now->generation);
	event_add_int(&e, FIELD_ID_USERS, now->check.user_count);
	event_add_int(&e, FIELD_ID_REFUSED, now->check.refused_count);
	(void)report_event(&e);
}

static void
report_rejected(const char *fault)
{
	struct event e;

	report_begin(&e, EVENT_SNAPSHOT_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

static void
report_config(const char *fault)
{
	struct event e;

	report_begin(&e, EVENT_CONFIG_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

/* ---- building ---- */

static void
ask_rebuild(struct publisher *p, int64_t delay_ms)
{
	if (loop_timer(p->event, &p->rebuild, delay_ms, on_rebuild, p) < 0)
		report_log(LOG_ERR, "cannot arm the timer of the next build");
}

/* Map what is published now. Returns false, with *ret empty, when there is nothing usable. */
static bool
open_published(const struct publisher *p, struct snapshot *ret)
{
	char path[PATH_MAX];
	int n, r;

	*ret = (struct snapshot){ 0 };
	n = snprintf(path, sizeof path, "%s/%s", p->paths->nss, SNAPSHOT_BASE_NAME);
	if (n < 0 || (size_t)n >= sizeof path)
		return false;
	r = snapshot_open(path, geteuid(), ret);
	if (r < 0 && r != -ENOENT)
		report_log(LOG_WARNING, "%s: %s; it will be replaced", path, strerror(-r));
	return r >= 0;
}

/* Whether the file that readers find is not the one that was written last: deleted, restored from a backup, cut short. */
static bool
is_published_gone(const struct publisher *p)
{
	struct snapshot found;
	bool gone;

	if (p->published.base == NULL)
		return true;
	if (!open_published(p, &found))
		return true;
	gone = found.size != p->published.size || snapshot_generation(&found) != snapshot_generation(&p->published);
	snapshot_close(&found);
	return gone;
}

static void
take_build(struct publisher *p, struct publisher_build_out *out)
{
	report_refused(p->built ? &p->last : NULL, out);
	if (out->local_left_out > 0 && (!p->built || p->last.local_left_out != out->local_left_out))
		report_log(LOG_WARNING, "policy keeps more local groups than a snapshot can carry; %u are left out",
		    out->local_left_out);
	if (out->written && out->changed)
		report_published(out);
	publisher_check_done(&p->last.check);
	p->last = *out;		/* owns the check from here on */
	p->built = true;
	p->generation_seen = out->generation;
}

/*
 * Judge a roster, publish it, put it in force.
 *
 *  roster  becomes p->roster on success; p->roster itself: because something else has changed
 *
 * Returns 0, or -errno with the roster not in force; p->last.error says whether it could be written.
 */
static int
put_in_force(struct publisher *p, struct roster *roster)
{
	struct publisher_build_in in = { .paths = p->paths, .roster = roster, .settings = &p->settings,
		.policy = p->policy, .previous = &p->published, .now_utc_sec = publisher_now_utc_sec(p),
		.confirmed_utc_sec = p->confirmed_utc_sec, .generation_seen = p->generation_seen,
		.is_gone = is_published_gone(p),
		.before = p->built ? &p->last : NULL };
	struct local_accounts local = { 0 };
	struct publisher_build_out out;
	struct snapshot old = p->published;
	struct roll *roll, *old_roll = p->roll;
	int r;

	r = local_accounts_load(p->paths, &local);
	if (r < 0)
		return r;
	r = publisher_build(&in, &local, &out);
	roll = r < 0 ? NULL : roll_new(roster, &out.check);
	if (roll == NULL) {
		if (r >= 0)
			publisher_check_done(&out.check);
		local_accounts_done(&local);
		return -ENOMEM;
	}
	take_build(p, &out);
	local_accounts_done(&p->local);
	p->local = local;	/* owns the lists from here on */
	if (out.written)
		(void)open_published(p, &p->published);
	p->roll = roll;
	publisher_ends_renew(p, old_roll, &old);
	roll_free(old_roll);
	if (out.written)
		snapshot_close(&old);
	if (p->roster != roster) {
		roster_free(p->roster);
		p->roster = roster;
	}
	(void)malloc_trim(0);	/* a build needs much more than what stays */
	if (out.error < 0)
		ask_rebuild(p, RETRY_DELAY_MS);
	return 0;
}

/* The roster in force once more, because of other local accounts, settings or policy, or after a failed write. */
static int
on_rebuild(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher *p = arg;
	int had_error = p->last.error, r;
	char fault[256];

	(void)source;
	(void)usec;
	if (p->roster == NULL)
		return 0;
	r = put_in_force(p, p->roster);
	if (r < 0)
		ask_rebuild(p, RETRY_DELAY_MS);
	else
		r = p->last.error;
	if (r < 0 && r != had_error) {
		(void)snprintf(fault, sizeof fault, "cannot publish the snapshot anew: %s", strerror(-r));
		report_rejected(fault);
	}
	return 0;
}

/* ---- messages ---- */

/*
 * The directory process vouches once more for the roster in force. Who is live is looked at all the same; the file is
 * stamped anew when half of its time is over.
 */
static int
confirm_roster(struct publisher *p, int64_t confirmed_utc_sec, char *fault, size_t size)
{
	int r = 0;

	p->confirmed_utc_sec = confirmed_utc_sec;
	publisher_store_confirm(p->roster_fd, p->serial, confirmed_utc_sec, &p->clock);
	if (p->last.error < 0 || is_published_gone(p) ||
	    publisher_build_is_due(&p->published, &p->settings, confirmed_utc_sec))
		r = put_in_force(p, p->roster);
	else
		publisher_ends_renew(p, p->roll, &p->published);
	if (r >= 0)
		r = p->last.error;
	if (r < 0)
		(void)snprintf(fault, size, "the snapshot could not be written: %s", strerror(-r));
	return r;
}

/*
 * Take a sealed memfd as the new roster.
 *
 *  confirmed_utc_sec  when the directory process sent it
 *  fault              says what was wrong
 *
 * Returns 0, or -errno; p->roster is the new one also when the snapshot alone could not be written.
 */
static int
take_roster(struct publisher *p, int fd, uint64_t serial, int64_t confirmed_utc_sec, char *fault, size_t size)
{
	int64_t confirmed_before = p->confirmed_utc_sec;
	struct roster *roster = NULL;
	int r;

	r = roster_open(fd, &roster);
	if (r < 0) {
		(void)snprintf(fault, size, "the candidate is malformed or not sealed: %s", strerror(-r));
		return r;
	}
	p->confirmed_utc_sec = confirmed_utc_sec;
	r = put_in_force(p, roster);
	if (r < 0) {
		p->confirmed_utc_sec = confirmed_before;
		roster_free(roster);
		(void)snprintf(fault, size, "the candidate could not be judged: %s", strerror(-r));
		return r;
	}
	if (p->roster_fd >= 0)
		(void)close(p->roster_fd);
	p->roster_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	p->serial = serial;
	publisher_store_roster(fd, serial, confirmed_utc_sec, &p->clock);
	if (p->last.error < 0)
		(void)snprintf(fault, size, "the snapshot could not be written: %s", strerror(-p->last.error));
	return p->last.error;
}

static int
answer_roster(struct connection *c, struct msg_roster_result *answer, int error)
{
	const struct publisher *p = connection_context(c);

	if (error < 0 && !answer->whole_wanted)
		report_rejected(answer->text);
	answer->accepted = error >= 0;
	if (error >= 0) {
		answer->users = p->last.check.user_count;
		answer->refused = p->last.check.refused_count;
	}
	return connection_send(c, MSG_ROSTER_RESULT, answer, ST_NEW);
}

/* What is not in force cannot be vouched for, nor changed. */
static int
want_whole(struct msg_roster_result *answer)
{
	answer->whole_wanted = 1;
	(void)snprintf(answer->text, sizeof answer->text, "another state is in force");
	return -ESTALE;
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
	if (m->after == 0)
		r = take_roster(p, fd, m->serial, publisher_now_utc_sec(p), answer.text, sizeof answer.text);
	else
		r = want_whole(&answer);
	(void)close(fd);
	return answer_roster(c, &answer, r);
}

static int
on_vouch(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_roster_vouch *m = msg;
	struct msg_roster_result answer = { .serial = m->serial };
	int r;

	if (p->roster == NULL || m->serial != p->serial)
		r = want_whole(&answer);
	else
		r = confirm_roster(p, publisher_now_utc_sec(p), answer.text, sizeof answer.text);
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
is_managed(const struct publisher *p, const char *name, uint32_t uid, const struct roster_user **ret)
{
	struct snapshot_user user;

	*ret = roll_find_name(p->roll, name);
	if (*ret != NULL)
		return (*ret)->uid == uid;
	return p->roll == NULL && p->published.base != NULL &&
	    snapshot_find_user(&p->published, name, &user) == 1 && user.uid == uid && !is_local_now(p, name, uid);
}

static int
on_sessions_end(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_sessions_end *m = msg;
	struct session_end_order order = { .uid = m->uid, .reason = m->reason < REASON_COUNT ? m->reason : REASON_NONE,
		.once = true };
	const struct roster_user *user;
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
	if (p->roster_fd >= 0)
		publisher_store_roster(p->roster_fd, p->serial, p->confirmed_utc_sec, &p->clock);
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
		ask_rebuild(p, REBUILD_DELAY_MS);
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
	return 0;
}

static void
on_reload(void *arg)
{
	struct publisher *p = arg;

	if (load_config(p) < 0)
		return;
	publisher_ends_configure(p);
	ask_rebuild(p, REBUILD_DELAY_MS);
}

/* ---- life ---- */

/* What systemd kept of a predecessor that died: ends go on as if nothing had happened. */
static void
resume(struct publisher *p)
{
	struct wall_clock kept;
	int64_t confirmed_utc_sec;
	uint64_t serial;
	char fault[256] = "";
	int fd = publisher_stored_roster(&serial, &confirmed_utc_sec, &kept);

	if (fd < 0)
		return;
	publisher_ends_resume_clock(p, &kept);
	if (take_roster(p, fd, serial, confirmed_utc_sec, fault, sizeof fault) < 0)
		report_log(LOG_WARNING, "the roster of before the restart: %s", fault);
	(void)close(fd);
}

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
		resume(p);	/* after it: whoever closes one of systemd's descriptors before cannot ask for the others */
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
	p->roster_fd = -1;
	r = loop_new(paths, "publisher", &hooks, &p->event);
	if (r < 0)
		goto out;
	if ((r = peers_load(paths, &p->peers)) < 0 || (r = load_config(p)) < 0 ||
	    (r = publisher_ends_init(p)) < 0 || (r = watch_accounts(p)) < 0) {
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
		goto out;
	}
	if (open_published(p, &p->published))
		p->generation_seen = snapshot_generation(&p->published);
	r = serve(p);
out:
	sd_event_source_disable_unref(p->rebuild);
	sd_event_source_disable_unref(p->accounts);
	publisher_ends_done(p);
	roll_free(p->roll);
	roster_free(p->roster);
	if (p->roster_fd >= 0)
		(void)close(p->roster_fd);
	publisher_check_done(&p->last.check);
	local_accounts_done(&p->local);
	snapshot_close(&p->published);
	policy_free(p->policy);
	loop_free(p->event);
	free(p);
	return r;
}
