/*
 * ldap_sync.c - the thread that follows an LDAP directory, and how its states reach the loop (see ldap_sync.h).
 *
 * Directory process. The thread tries the servers in turn, the last good one first; the loss of one that was good, and
 * a whole round without success, are followed by a pause that chance picks (ldap_pause.h). It writes no event and
 * touches nothing of the loop but what the lock guards.
 */
#include <config.h>

#include "daemon/ldap_sync.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/ldap_handle.h"
#include "daemon/ldap_pause.h"
#include "daemon/ldap_sync_parts.h"
#include "daemon/loop.h"

#define OPEN_AGAIN_MS	10000	/* a replica that cannot be opened: no server has to do with it */
#define AWAIT_USEC	20000
#define AWAIT_MAX_MS	600000	/* storing a million takes some ten seconds */
#define GOOD_AFTER_MS	10000	/* a session that lived this long was no failure */

struct ldap_sync {
	pthread_mutex_t lock;		/* guards the next seven */
	struct entry_changes changes;	/* owned; that were not taken */
	bool fresh;
	struct ldap_sync_state state;
	struct identity_holders departed;	/* owned; not taken yet */
	bool whole_wanted;		/* the loop could not take in what it was told */
	bool approved;			/* a person has said so, of the next */
	struct ldap_sync_state approved_state;

	struct settings settings;	/* the thread's, never changed */
	char folder[PATH_MAX];
	struct entry_heap *heap;	/* borrowed; NULL: none */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_bool storing;		/* what was told last is not in the store yet */
	atomic_size_t received;		/* entries that have come and are not in force yet */
	atomic_uint kept;		/* serial of the state in force, its departed remembered */
	int wake_fd;			/* loop -> thread */
	int news_fd;			/* thread -> loop */
	sd_event_source *source;	/* owned */
	void (*news)(void *arg);
	void *arg;
	/* the thread's own */
	struct replica *replica;
	struct ldap_servers servers;	/* that are tried */
	int64_t servers_due_ms;		/* when to look again who they are; INT64_MAX: uri names them itself */
	unsigned at;			/* which of them is next */
	bool behind;			/* the replica was opened anew, and may be older than what was told */
};

static void
ring(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof one);
}

/* ---- on the thread ---- */

/* Tell the loop of a state, and of what became other by it; NULL: nothing. What it has not taken yet, it takes together. */
static int
tell(struct ldap_sync *s, const struct ldap_sync_state *state, struct entry_changes *changes)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (changes != NULL)
		r = entry_changes_join(&s->changes, changes);
	if (r == 0) {
		s->fresh = s->fresh || changes != NULL;
		s->state = *state;
		s->state.serial += changes != NULL;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (r == 0)
		ring(s->news_fd);
	return r;
}

/* What became other in the replica, with a state. Returns 0 or -ENOMEM: then all of it is told next time. */
static int
tell_changes(struct ldap_sync *s, const struct ldap_sync_state *state)
{
	struct entry_changes changes = { 0 };
	int r = replica_changes(s->replica, &changes);

	if (r == 0)
		r = tell(s, state, &changes);
	if (r < 0)
		replica_tell_all(s->replica);
	entry_changes_done(&changes);
	return r;
}

/* The replica is complete and new. What cannot be handed over must not be taken for done: the session ends. */
static int
tell_complete(struct ldap_session *session)
{
	struct ldap_sync *s = session->owner;
	struct ldap_sync_state state = s->state;	/* only this thread writes it */

	if (!state.connected)
		state.since_utc_sec = loop_clock_sec(CLOCK_REALTIME);
	state.connected = true;
	state.polling = session->polling;
	state.confirmed_utc_sec = replica_confirmed_utc_sec(s->replica);
	state.held_removed = replica_held(s->replica)->removed;
	state.held_renumbered = replica_held(s->replica)->renumbered;
	state.held_older = replica_older(s->replica);
	replica_older_names(s->replica, state.older, sizeof state.older);
	state.approvals += session->approved;
	session->approved = false;
	s->behind = false;
	(void)snprintf(state.server, sizeof state.server, "%s", session->uri);
	(void)snprintf(state.fault, sizeof state.fault, "%s", session->fault);
	return tell_changes(s, &state);
}

static int
on_complete(struct ldap_session *session)
{
	atomic_store(&session->owner->storing, false);
	return tell_complete(session);
}

/* Memory has everybody: the loop judges them while they are stored. What could not be handed over now is then. */
static void
on_first(void *arg)
{
	struct ldap_session *session = arg;

	session->fault[0] = '\0';
	atomic_store(&session->owner->storing, true);
	(void)tell_complete(session);
}

static void
on_unchanged(struct ldap_session *session)
{
	struct ldap_sync *s = session->owner;
	struct ldap_sync_state state = s->state;

	if (!state.connected)
		state.since_utc_sec = loop_clock_sec(CLOCK_REALTIME);
	state.connected = true;
	state.polling = session->polling;
	state.confirmed_utc_sec = replica_confirmed_utc_sec(s->replica);
	(void)snprintf(state.server, sizeof state.server, "%s", session->uri);
	state.fault[0] = '\0';
	if (!s->behind)
		tell(s, &state, NULL);
	else if (tell_changes(s, &state) == 0)
		s->behind = false;
}

/* A person's word is about what he saw, and about no other server's or session's (THREATS 5.5). */
static bool
take_approval(struct ldap_session *session)
{
	const struct replica_held *held = replica_held(session->replica);
	struct ldap_sync *s = session->owner;
	bool holds;

	(void)pthread_mutex_lock(&s->lock);
	holds = s->approved && s->approved_state.losses == s->state.losses &&
	    s->approved_state.held_removed == held->removed && s->approved_state.held_renumbered == held->renumbered &&
	    s->approved_state.held_older == replica_older(session->replica);
	s->approved = false;
	(void)pthread_mutex_unlock(&s->lock);
	return holds;
}

static void
forget_kept(struct ldap_sync *s)
{
	if (s->state.serial != 0 && atomic_load(&s->kept) == s->state.serial)
		replica_departed_kept(s->replica);
}

/*
 * Look which servers there are. What DNS does not say today, it said before. May block for some seconds.
 *
 *  server  that was good last; "" for none
 */
static void
find_servers(struct ldap_sync *s, const char *server)
{
	struct ldap_servers found;
	struct ldap_sync_state state = s->state;
	int ttl_ms;

	if (ldap_servers_find(&s->settings, server, &found) == 0 || s->servers.count == 0)
		s->servers = found;
	else
		(void)snprintf(s->servers.fault, sizeof s->servers.fault, "%s", found.fault);
	ttl_ms = (int)found.ttl_sec * 1000;	/* a day at most */
	s->servers_due_ms = ttl_ms > 0 ? loop_now_ms() + ldap_pause_poll_ms(ttl_ms, false, ldap_pause_chance()) : INT64_MAX;
	if (ttl_ms > 0 && (strcmp(state.servers.uris, s->servers.uris) != 0 ||
	    strcmp(state.servers.fault, s->servers.fault) != 0)) {
		state.servers = s->servers;
		tell(s, &state, NULL);
	}
}

/* The loop could not take in what it was told: everything once more. */
static void
tell_wanted(struct ldap_sync *s)
{
	bool wanted;

	if (s->behind)			/* all of it is told once it is complete */
		return;
	(void)pthread_mutex_lock(&s->lock);
	wanted = s->whole_wanted;
	s->whole_wanted = false;
	(void)pthread_mutex_unlock(&s->lock);
	if (!wanted)
		return;
	replica_tell_all(s->replica);
	if (tell_changes(s, &s->state) < 0)
		ldap_sync_want_all(s);		/* at the next turn */
}

static void
on_turn(struct ldap_session *session)
{
	struct ldap_sync *s = session->owner;

	forget_kept(s);
	tell_wanted(s);
	if (loop_now_ms() < s->servers_due_ms)
		return;
	find_servers(s, session->uri);
	s->at = ldap_servers_place(&s->servers, session->uri);	/* it stays the last good one */
}

static void
tell_lost(struct ldap_sync *s, const char *fault)
{
	struct ldap_sync_state state = s->state;

	if (state.connected || state.since_utc_sec == 0)
		state.since_utc_sec = loop_clock_sec(CLOCK_REALTIME);
	if (state.connected) {
		state.confirmed_utc_sec = loop_clock_sec(CLOCK_REALTIME);
		replica_confirm(s->replica, state.confirmed_utc_sec);
	}
	state.connected = false;
	state.losses++;			/* what was approved and not done is not done with whom we meet next */
	(void)snprintf(state.fault, sizeof state.fault, "%s", fault);
	(void)tell(s, &state, NULL);	/* nothing that could fail */
}

/* A ring that no session took ends one pause, and not all that follow; one that a session took has set stop before. */
static bool
pause_for(struct ldap_sync *s, int ms)
{
	struct pollfd fd = { .fd = s->wake_fd, .events = POLLIN };
	uint64_t rings;

	if (!atomic_load(&s->stop) && poll(&fd, 1, ms) > 0)
		(void)!read(s->wake_fd, &rings, sizeof rings);
	return !atomic_load(&s->stop);
}

static bool
is_untaken(struct ldap_sync *s)
{
	bool fresh;

	(void)pthread_mutex_lock(&s->lock);
	fresh = s->fresh;
	(void)pthread_mutex_unlock(&s->lock);
	return fresh;
}

/* Who departed last, and perhaps was not remembered before the process ended. Returns 0 or -ENOMEM. */
static int
hand_over_departed(struct ldap_sync *s)
{
	struct identity_holders departed = { 0 };
	int r = replica_departed(s->replica, &departed);

	if (r != -ENOMEM) {
		(void)pthread_mutex_lock(&s->lock);
		r = identity_holders_join(&s->departed, &departed);
		(void)pthread_mutex_unlock(&s->lock);
	}
	identity_holders_done(&departed);
	return r < 0 ? r : 0;
}

/*
 * Open the replica and hand over what it holds, but for what was told already: the store may never have had the end of
 * that. Returns 0 or -ENOMEM.
 */
static int
open_replica(struct ldap_sync *s)
{
	struct ldap_sync_state state = s->state;
	char origin[4096], fault[512] = "";
	int r;

	ldap_origin(&s->settings, origin, sizeof origin);
	r = replica_open(s->folder, origin, &s->replica, fault, sizeof fault);
	if (r < 0)
		return r;
	replica_use_heap(s->replica, s->heap);
	replica_count_received(s->replica, &s->received);
	r = hand_over_departed(s);
	if (r < 0)
		goto out;
	state.confirmed_utc_sec = replica_confirmed_utc_sec(s->replica);
	if (replica_cookie(s->replica)->there)
		(void)snprintf(state.server, sizeof state.server, "%s", replica_cookie(s->replica)->server);
	(void)snprintf(state.fault, sizeof state.fault, "%s", fault[0] != '\0' ? fault : LDAP_SYNC_NOT_YET);
	s->behind = s->state.serial > 0;
	if (s->behind)
		return 0;
	if (state.confirmed_utc_sec == 0)	/* never complete: nobody is there, as opposed to: nobody is in the directory */
		return tell(s, &state, NULL);
	r = tell_changes(s, &state);
	if (r < 0)
		goto out;
	/* Not before it was seen: against it the loop tells who is somebody else than before. */
	while (is_untaken(s) && pause_for(s, 10))
		;
	return 0;
out:
	replica_close(s->replica);
	s->replica = NULL;
	return r;
}

/* How a session with a server came to its end. */
enum end {
	END_FAILED,		/* nothing complete came of it: another server may do better, at once */
	END_BRIEF,		/* complete, and over too soon to be called good: the same */
	END_LOST,		/* good for a while: all hosts that followed it see it go at once */
	END_ANEW,		/* the server does not know what we have, as all of its hosts are told at once */
};

/* One session with a server. */
static enum end
try_server(struct ldap_sync *s, const char *uri)
{
	struct ldap_session session = {
		.settings = &s->settings, .replica = s->replica, .stop = &s->stop, .wake_fd = s->wake_fd, .uri = uri,
		.complete = on_complete, .unchanged = on_unchanged, .take_approval = take_approval, .turn = on_turn, .owner = s,
	};
	int64_t began_ms = loop_now_ms();
	int r;

	replica_on_first(s->replica, on_first, &session);
	r = ldap_session_run(&session);
	replica_on_first(s->replica, NULL, NULL);
	atomic_store(&s->storing, false);
	atomic_store(&s->received, 0);
	if (atomic_load(&s->stop))
		return END_LOST;
	if (r == -E2BIG && session.fault[0] == '\0')
		(void)snprintf(session.fault, sizeof session.fault, "%.255s: it tells of more than can be held: %d entries, %zu MiB",
		    uri, REPLICA_GATHERED_MAX, REPLICA_BYTES_MAX >> 20);
	tell_lost(s, session.fault[0] != '\0' ? session.fault : strerror(-r));
	if (replica_is_torn(s->replica)) {	/* the store has a whole one */
		replica_close(s->replica);
		s->replica = NULL;
	}
	if (r == -ESTALE)
		return END_ANEW;
	if (!session.refreshed)
		return END_FAILED;
	return loop_now_ms() - began_ms > GOOD_AFTER_MS ? END_LOST : END_BRIEF;
}

/*
 * What follows the end of a session.
 *
 *  failures      servers that failed one after the other
 *  bad_since_ms  since when none was good
 *
 * Returns for how long to pause; 0: not at all.
 */
static int
after(struct ldap_sync *s, enum end end, unsigned *failures, int64_t *bad_since_ms)
{
	if (end == END_LOST)
		*bad_since_ms = loop_now_ms();
	if (end == END_FAILED || end == END_BRIEF)
		s->at++;
	if ((end == END_FAILED || end == END_BRIEF) && ++*failures < s->servers.count)
		return 0;
	if (end == END_FAILED && s->servers_due_ms != INT64_MAX)
		s->servers_due_ms = 0;		/* all that DNS named have failed: it may know others by now */
	*failures = 0;
	return ldap_pause_spread_ms(end == END_ANEW ? ldap_pause_anew_ms(ldap_pause_chance()) :
	    ldap_pause_retry_ms(loop_now_ms() - *bad_since_ms, ldap_pause_chance()), s->settings.directory_retry_spread);
}

static const char *
last_server(const struct ldap_sync *s)
{
	return replica_cookie(s->replica)->there ? replica_cookie(s->replica)->server : "";
}

static void *
thread_main(void *arg)
{
	struct ldap_sync *s = arg;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	int64_t bad_since_ms = loop_now_ms();
	unsigned failures = 0;
	int pause_ms;

	while (!atomic_load(&s->stop)) {
		if (s->replica == NULL && open_replica(s) < 0) {
			if (!pause_for(s, OPEN_AGAIN_MS))
				break;
			continue;
		}
		if (loop_now_ms() >= s->servers_due_ms) {
			find_servers(s, last_server(s));
			s->at = 0;
		}
		if (ldap_handle_uri(s->servers.uris, s->servers.count > 0 ? s->at % s->servers.count : 0, uri)) {
			pause_ms = after(s, try_server(s, uri), &failures, &bad_since_ms);
		} else {
			tell_lost(s, s->servers.fault);
			pause_ms = after(s, END_FAILED, &failures, &bad_since_ms);
		}
		if (pause_ms > 0 && !pause_for(s, pause_ms))
			break;
	}
	if (s->replica != NULL && s->state.connected)
		replica_confirm(s->replica, loop_clock_sec(CLOCK_REALTIME));
	if (s->replica != NULL)
		forget_kept(s);
	replica_close(s->replica);
	s->replica = NULL;
	return NULL;
}

/* ---- on the loop ---- */

static int
on_news(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct ldap_sync *s = arg;
	uint64_t count;

	(void)source;
	(void)revents;
	(void)!read(fd, &count, sizeof count);
	s->news(s->arg);
	return 0;
}

int
ldap_sync_start(sd_event *event, const struct settings *settings, const char *folder,
    struct entry_heap *heap, void (*news)(void *arg), void *arg, struct ldap_sync **ret)
{
	struct ldap_sync *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return -ENOMEM;
	s->settings = *settings;
	s->heap = heap;
	s->news = news;
	s->arg = arg;
	(void)snprintf(s->folder, sizeof s->folder, "%s", folder);
	(void)snprintf(s->state.fault, sizeof s->state.fault, LDAP_SYNC_NOT_YET);
	(void)pthread_mutex_init(&s->lock, NULL);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->wake_fd < 0 || s->news_fd < 0 ? -EMFILE : 0;
	if (r == 0)
		r = sd_event_add_io(event, &s->source, s->news_fd, EPOLLIN, on_news, s);
	if (r >= 0)
		r = -pthread_create(&s->thread, NULL, thread_main, s);
	s->started = r == 0;
	if (r < 0) {
		ldap_sync_stop(s);
		return r;
	}
	*ret = s;
	return 0;
}

void
ldap_sync_stop(struct ldap_sync *s)
{
	if (s == NULL)
		return;
	atomic_store(&s->stop, true);
	if (s->wake_fd >= 0)
		ring(s->wake_fd);
	if (s->started)
		(void)pthread_join(s->thread, NULL);
	sd_event_source_disable_unref(s->source);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	if (s->news_fd >= 0)
		(void)close(s->news_fd);
	entry_changes_done(&s->changes);
	identity_holders_done(&s->departed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

size_t
ldap_sync_received(const struct ldap_sync *s)
{
	return atomic_load(&s->received);
}

void
ldap_sync_approve(struct ldap_sync *s, const struct ldap_sync_state *seen)
{
	(void)pthread_mutex_lock(&s->lock);
	s->approved = true;
	s->approved_state = *seen;
	(void)pthread_mutex_unlock(&s->lock);
	ring(s->wake_fd);
}

int
ldap_sync_departed(struct ldap_sync *s, struct identity_holders *all)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (s->departed.count > 0)
		r = identity_holders_join(all, &s->departed);
	if (r >= 0)
		identity_holders_done(&s->departed);
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

void
ldap_sync_kept(struct ldap_sync *s, unsigned serial)
{
	atomic_store(&s->kept, serial);
}

void
ldap_sync_await_stored(const struct ldap_sync *s)
{
	const int64_t hung_ms = loop_now_ms() + AWAIT_MAX_MS;

	for (; atomic_load(&s->storing); (void)usleep(AWAIT_USEC))
		if (loop_now_ms() < hung_ms)	/* later the watchdog ends what a disk holds up */
			loop_alive();
}

bool
ldap_sync_take(struct ldap_sync *s, struct entry_changes *ret, struct ldap_sync_state *ret_state)
{
	bool fresh;

	(void)pthread_mutex_lock(&s->lock);
	fresh = s->fresh;
	s->fresh = false;
	*ret = s->changes;	/* now owned by the caller */
	s->changes = (struct entry_changes){ 0 };
	*ret_state = s->state;
	(void)pthread_mutex_unlock(&s->lock);
	return fresh;
}

void
ldap_sync_want_all(struct ldap_sync *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->whole_wanted = true;
	(void)pthread_mutex_unlock(&s->lock);
	ring(s->wake_fd);
}
