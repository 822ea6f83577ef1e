/*
 * ldap_session.c - one session with one LDAP server: refresh, then follow its changes (RFC 4533), or poll.
 *
 * Directory process, on the thread of ldap_sync.c. A view is complete or it is none: only the end of a refresh that the
 * server declared, or a search with result 0, may remove anybody (THREATS 5.5). Referrals make it incomplete.
 */
#include <config.h>

#include "daemon/ldap_sync_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/entry_mark.h"
#include "common/ldap_entry.h"
#include "common/ldap_handle.h"
#include "common/ldap_page.h"
#include "common/ldap_range.h"
#include "daemon/ldap_pause.h"
#include "daemon/loop.h"

#define PAGE_ENTRIES	1000
#define PROBE_EVERY_MS	3000	/* a server that is stopped keeps its connections: it must answer, too */
#define DRAIN_MS	300	/* then what has come is applied, although more is coming */

const char *const ldap_session_attributes[] = {
#define ATTRIBUTE(number, name) [(number) - 1] = name,
#include "common/attributes.def"
#undef ATTRIBUTE
	NULL
};
#define ATTRIBUTE(number, name) + 1
_Static_assert(sizeof ldap_session_attributes / sizeof ldap_session_attributes[0] == 1
#include "common/attributes.def"
    , "each number once and none left out: by their order a store knows that they are those it was written with");
#undef ATTRIBUTE

static int
fail(struct ldap_session *s, int r, const char *what, const char *why)
{
	(void)snprintf(s->fault, sizeof s->fault, "%.255s: %s%s%.200s", s->uri, what, why[0] != '\0' ? ": " : "", why);
	return r;
}

static int
fail_code(struct ldap_session *s, int code, const char *what)
{
	int r = ldap_handle_error(code);

	if (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED || code == LDAP_TIMELIMIT_EXCEEDED)
		what = "it must let a host read all (acl-sample.ldif)";
	return fail(s, r < 0 ? r : -EPROTO, what, ldap_err2string(code));
}

/* ---- entries ---- */

static int
take_entry(struct ldap_session *s, LDAPMessage *msg, struct entry **ret)
{
	int r = ldap_entry_take(s->ld, msg, &s->map, NULL, ret);

	if (r == 0)		/* each Active Directory has a time of its own for what came from another one */
		entry_mark_take(*ret, s->map.schema.kind != SERVER_AD);
	return r;
}

/* entryUUID as 16 bytes. Returns 0 or -EBADMSG. */
static int
uuid_of(const struct entry *e, uint8_t ret[SYNC_UUID_SIZE])
{
	const char *text = entry_value(e, "entryUUID");
	size_t at = 0;

	for (; text != NULL && *text != '\0' && at < 2 * SYNC_UUID_SIZE; text++) {
		int digit = *text >= '0' && *text <= '9' ? *text - '0' :
		    (*text | 0x20) >= 'a' && (*text | 0x20) <= 'f' ? (*text | 0x20) - 'a' + 10 : -1;

		if (*text == '-')
			continue;
		if (digit < 0)
			return -EBADMSG;
		ret[at / 2] = (uint8_t)(at % 2 == 0 ? digit << 4 : ret[at / 2] | digit);
		at++;
	}
	return text != NULL && *text == '\0' && at == 2 * SYNC_UUID_SIZE ? 0 : -EBADMSG;
}

/* Where a server shows no entryUUID the sync control says whose an entry is (RFC 4533 2.2). Returns 0 or -ENOMEM. */
static int
sign_entry(const struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE])
{
	char text[37];
	size_t at = 0;

	/* One that is there stands: some servers (389-ds) make the control's of another attribute. */
	if (strcasecmp(attribute_map_theirs(&s->map, "entryUUID"), "entryUUID") != 0 || entry_value(e, "entryUUID") != NULL)
		return 0;
	for (size_t i = 0; i < SYNC_UUID_SIZE; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		    uuid[i]);
	return entry_add_value(e, "entryUUID", text, at);
}

/* ---- applying ---- */

static int
apply(struct ldap_session *s)
{
	int r;

	if (s->cookie.there)
		(void)snprintf(s->cookie.server, sizeof s->cookie.server, "%s", s->uri);
	s->fault[0] = '\0';
	r = replica_apply(s->replica, &s->cookie, loop_clock_sec(CLOCK_REALTIME), s->fault, sizeof s->fault);
	if (r < 0)
		return r;
	s->changed = false;
	return s->complete(s);
}

/* The refresh has come to its end. */
static int
refresh_done(struct ldap_session *s)
{
	if (!replica_is_whole(s->replica)) {
		replica_forget_cookie(s->replica);
		return fail(s, -ESTALE, "the directory must be read anew", "it takes entries for known that never came");
	}
	if (s->full)
		replica_only_these(s->replica);
	s->refreshed = true;
	return apply(s);
}

/* ---- messages of the search ---- */

/* Unchanged, says a refresh: it can only be so since the state that our cookie names. */
static int
keep(struct ldap_session *s, const uint8_t uuid[SYNC_UUID_SIZE])
{
	if (s->full && !s->refreshed)
		return fail(s, -EPROTO, "entries are unchanged, it says, since nothing at all", "");
	return replica_keep(s->replica, uuid);
}

static int
on_entry(struct ldap_session *s, LDAPMessage *msg)
{
	LDAPControl **controls = NULL, *control;
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *e = NULL;
	enum sync_state state;
	int r = -EBADMSG;

	if (ldap_get_entry_controls(s->ld, msg, &controls) == LDAP_SUCCESS &&
	    (control = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL)) != NULL)
		r = sync_state_decode(&control->ldctl_value, &state, uuid, &s->cookie);
	ldap_controls_free(controls);
	if (r < 0)
		return fail(s, r, "an entry without a sync state that can be understood", "");
	s->changed = true;
	switch (state) {
	case SYNC_PRESENT:
		return keep(s, uuid);
	case SYNC_DELETE:
		return replica_remove(s->replica, uuid);
	case SYNC_ADD:
	case SYNC_MODIFY:
		break;
	}
	r = take_entry(s, msg, &e);
	if (r == -EBADMSG)
		return fail(s, r, "an entry that cannot be understood", "");
	if (r < 0)
		return r;
	if (!s->full && !s->refreshed && entry_value(e, "entryUUID") == NULL) {	/* a part of it: who knows which locks it lacks? */
		replica_forget_cookie(s->replica);
		r = fail(s, -ESTALE, "the directory must be read anew", "after a cookie it shows no operational attributes");
	}
	if (r == 0)
		r = sign_entry(s, e, uuid);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	return replica_put(s->replica, uuid, e);
}

static int
on_info(struct ldap_session *s, const struct sync_info *info)
{
	int r = 0;

	/* Once only: after it nobody is mentioned who stays as he is, and all of them would go. */
	if (s->refreshed && (info->kind == SYNC_REFRESH_PRESENT || info->kind == SYNC_REFRESH_DELETE))
		return fail(s, -EPROTO, "a refresh that ends a second time", "");
	switch (info->kind) {
	case SYNC_NEW_COOKIE:
		s->changed = true;
		return 0;
	case SYNC_ID_SET:
		s->changed = true;
		for (size_t i = 0; i < info->count && r == 0; i++) {
			if (info->refresh_deletes)
				r = replica_remove(s->replica, info->uuids[i]);
			else
				r = keep(s, info->uuids[i]);
		}
		return r;
	case SYNC_REFRESH_PRESENT:
		/* The end of a present phase: whom nobody mentioned is gone. A phase of deletes may follow. */
		replica_only_these(s->replica);
		break;
	case SYNC_REFRESH_DELETE:
		break;
	}
	return info->refresh_done ? refresh_done(s) : 0;
}

static int
on_intermediate(struct ldap_session *s, LDAPMessage *msg)
{
	struct berval *value = NULL;
	struct sync_info info;
	char *oid = NULL;
	int r = 0;

	if (ldap_parse_intermediate(s->ld, msg, &oid, &value, NULL, 0) != LDAP_SUCCESS)
		return fail(s, -EBADMSG, "a message that cannot be understood", "");
	if (oid != NULL && strcmp(oid, LDAP_SYNC_INFO) == 0) {
		r = value != NULL ? sync_info_decode(value, &info) : -EBADMSG;
		if (r == -EBADMSG)
			r = fail(s, r, "a sync message that cannot be understood", "");
		if (r == 0) {
			if (info.cookie.there)
				s->cookie = info.cookie;
			r = on_info(s, &info);
			sync_info_done(&info);
		}
	}
	ldap_memfree(oid);
	ber_bvfree(value);
	return r;
}

/* The search never ends by itself: why did it? */
static int
on_result(struct ldap_session *s, LDAPMessage *msg)
{
	int code = LDAP_OTHER;

	(void)ldap_parse_result(s->ld, msg, &code, NULL, NULL, NULL, NULL, 0);
	switch (code) {
	case LDAP_SYNC_REFRESH_REQUIRED:	/* RP03a */
	case LDAP_UNWILLING_TO_PERFORM:		/* a cookie newer than the server, restored from a backup (MEASURED 1) */
		if (!s->full) {
			replica_forget_cookie(s->replica);
			return fail(s, -ESTALE, "the directory must be read anew", ldap_err2string(code));
		}
		break;
	case LDAP_UNAVAILABLE_CRITICAL_EXTENSION:
		return -EOPNOTSUPP;
	case LDAP_SUCCESS:
		return fail(s, -EPROTO, "the server ended the synchronisation", "");
	default:
		break;
	}
	return fail_code(s, code, "search");
}

static int
on_message(struct ldap_session *s, LDAPMessage *msg)
{
	if (ldap_msgid(msg) == s->probe && s->probe >= 0) {
		if (ldap_msgtype(msg) == LDAP_RES_SEARCH_RESULT)
			s->probe = -1;
		return 0;
	}
	if (ldap_msgid(msg) != s->search)
		return ldap_msgid(msg) == 0 ? fail(s, -EHOSTUNREACH, "the server said goodbye", "") : 0;	/* LD11a */
	switch (ldap_msgtype(msg)) {
	case LDAP_RES_SEARCH_ENTRY:
		return on_entry(s, msg);
	case LDAP_RES_INTERMEDIATE:
		return on_intermediate(s, msg);
	case LDAP_RES_SEARCH_RESULT:
		return on_result(s, msg);
	case LDAP_RES_SEARCH_REFERENCE:		/* part of the directory is somewhere else: never followed (LD05a) */
		return fail(s, -EPROTO, "a referral: the view would be incomplete", "");
	default:
		return fail(s, -EPROTO, "an answer that nobody asked for", "");
	}
}

static int
lost(struct ldap_session *s, bool too_long)
{
	if (too_long)
		return fail(s, -EMSGSIZE, "a message of more than 32 MiB: some entry is too large to be one", "");
	return fail_code(s, ldap_handle_last_code(s->ld), "connection lost");
}

/*
 * What has come, for a while: a server that never pauses must not keep what it says from being applied, nor us from
 * stopping. Returns 0 when nothing is left, 1 when there may be more (also since time went by), or -errno.
 */
static int
drain(struct ldap_session *s)
{
	const int64_t until_ms = loop_now_ms() + DRAIN_MS;
	struct timeval none = { 0, 0 };
	int quiet = 0, r = 0;

	while (r == 0 && quiet < 2 && loop_now_ms() < until_ms) {	/* one look may read without telling (MEASURED 1) */
		LDAPMessage *msg = NULL;
		int type;

		errno = 0;
		type = ldap_result(s->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &none, &msg);
		if (type < 0)
			return lost(s, errno == ERANGE);	/* liblber's word for beyond LBER_SB_OPT_SET_MAX_INCOMING */
		quiet = type == 0 ? quiet + 1 : 0;
		if (msg != NULL) {
			s->heard_ms = loop_now_ms();
			r = on_message(s, msg);
		}
		(void)ldap_msgfree(msg);
	}
	if (r == 0 && s->refreshed && s->changed) {
		r = apply(s);
		quiet = 0;
	}
	return r < 0 ? r : quiet < 2;
}

/* ---- following ---- */

/*
 * Ask something small now and then. A server from which nothing at all comes although it was asked is no server any more;
 * one that is busy with a long refresh may be slow with its answer.
 */
static int
probe(struct ldap_session *s)
{
	const int64_t patience_ms = (int64_t)s->settings->directory_operation_timeout * 1000;
	char *none[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL };
	int64_t now = loop_now_ms(), since_ms = s->heard_ms > s->probe_sent_ms ? s->heard_ms : s->probe_sent_ms;
	int code;

	if (s->probe >= 0)
		return now - since_ms < patience_ms ? 0 : fail(s, -ETIMEDOUT, "the server does not answer", "");
	if (s->probe_sent_ms != 0 && now - s->probe_sent_ms < PROBE_EVERY_MS)
		return 0;
	code = ldap_search_ext(s->ld, "", LDAP_SCOPE_BASE, "(objectClass=*)", none, 1, NULL, NULL, NULL, 1, &s->probe);
	if (code != LDAP_SUCCESS)
		return fail_code(s, code, "connection lost");
	s->probe_sent_ms = now;
	return 0;
}

/* Wait for bytes of the server, for stop, or for the time to look again. Returns 0 or -ECANCELED. */
static int
wait_for(struct ldap_session *s, int fd, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = s->wake_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	uint64_t rings;

	(void)poll(fds, fd >= 0 ? 2 : 1, timeout_ms);
	if ((fds[0].revents & POLLIN) != 0)
		(void)!read(s->wake_fd, &rings, sizeof rings);
	if ((fds[1].revents & POLLIN) != 0)	/* part of a large message is a sign of life, too */
		s->heard_ms = loop_now_ms();
	if (atomic_load(s->stop))
		return -ECANCELED;
	s->turn(s);
	if (!s->refreshed || !s->take_approval(s))
		return 0;
	replica_approve(s->replica);
	s->approved = true;
	return apply(s);
}

static int
follow(struct ldap_session *s)
{
	int64_t confirmed_ms = loop_now_ms();
	int fd = -1, wait_ms, r;

	if (ldap_get_option(s->ld, LDAP_OPT_DESC, &fd) != LDAP_OPT_SUCCESS || fd < 0)
		return fail(s, -EPROTO, "no descriptor", "");
	for (;;) {
		r = drain(s);
		wait_ms = r > 0 ? 0 : 1000;
		if (r == 0)		/* nothing is there that we only have not looked at */
			r = probe(s);
		if (r >= 0)
			r = wait_for(s, fd, wait_ms);
		if (r < 0)
			return r;
		if (s->refreshed && loop_now_ms() - confirmed_ms > 60000) {
			replica_confirm(s->replica, loop_clock_sec(CLOCK_REALTIME));
			confirmed_ms = loop_now_ms();
		}
	}
}

static int
start_sync(struct ldap_session *s)
{
	const struct sync_cookie *cookie = replica_cookie(s->replica), none = { .there = false };
	LDAPControl control = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_SYNC, .ldctl_iscritical = 1 };
	LDAPControl *controls[] = { &control, NULL };
	struct berval *value = NULL;
	int code;

	/* What 389-ds tells after a cookie lacks all operational attributes: a lock would be gone (2.3.1). */
	s->full = !cookie->there || strcmp(cookie->server, s->uri) != 0 || s->map.schema.kind == SERVER_389;
	if (!s->full)
		s->cookie = *cookie;
	else
		s->cookie.there = false;
	if (sync_request_encode(s->full ? &none : cookie, &value) < 0)
		return -ENOMEM;
	control.ldctl_value = *value;
	replica_drop(s->replica);
	code = ldap_search_ext(s->ld, s->settings->directory_base, LDAP_SCOPE_SUBTREE,
	    server_schema_filters(s->map.schema.kind)[0], s->attributes, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &s->search);
	ber_bvfree(value);
	return code == LDAP_SUCCESS ? 0 : fail_code(s, code, "search");
}

/* ---- polling ---- */

static int
take_page(struct ldap_session *s, LDAPMessage *res, ldap_session_taker *take, void *arg)
{
	for (LDAPMessage *msg = ldap_first_message(s->ld, res); msg != NULL; msg = ldap_next_message(s->ld, msg)) {
		uint8_t uuid[SYNC_UUID_SIZE];
		struct entry *e;
		int r;

		if (ldap_msgtype(msg) == LDAP_RES_SEARCH_REFERENCE)
			return fail(s, -EPROTO, "a referral: the view would be incomplete", "");
		if (ldap_msgtype(msg) != LDAP_RES_SEARCH_ENTRY)
			continue;
		r = take_entry(s, msg, &e);
		if (r < 0)
			return r == -EBADMSG ? fail(s, r, "an entry that cannot be understood", "") : r;
		r = ldap_range_complete(s->ld, &s->map, (int)s->settings->directory_operation_timeout, e);
		if (r == 0 && uuid_of(e, uuid) < 0)
			r = fail(s, -EPROTO, "entries without entryUUID", "");
		if (r < 0) {
			entry_free(e);
			return s->fault[0] != '\0' ? r : fail(s, r, "a group that cannot be read whole", strerror(-r));
		}
		r = take(s, e, uuid, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

int
ldap_session_read(struct ldap_session *s, const char *filter, const char *const *attributes, ldap_session_taker *take,
    void *arg)
{
	const struct ldap_page_search search = {
		.base = s->settings->directory_base, .scope = LDAP_SCOPE_SUBTREE, .filter = filter, .attributes = attributes,
		.page_entries = PAGE_ENTRIES, .timeout_sec = (int)s->settings->directory_operation_timeout,
		.one_domain = s->map.schema.kind == SERVER_AD,
	};
	struct berval cookie = { 0 };
	LDAPMessage *res;
	int code, r;

	s->fault[0] = '\0';
	do {
		code = ldap_page_next(s->ld, &search, &cookie, &res);
		r = code == LDAP_SUCCESS ? take_page(s, res, take, arg) : fail_code(s, code, "search");
		(void)ldap_msgfree(res);
		if (r == 0 && atomic_load(s->stop))
			r = -ECANCELED;
	} while (r == 0 && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return r;
}

static int
put_entry(struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE], void *arg)
{
	(void)arg;
	return replica_put(s->replica, uuid, e);
}

int
ldap_session_read_all(struct ldap_session *s)
{
	const char *const *filter = server_schema_filters(s->map.schema.kind);
	int r = 0;

	replica_drop(s->replica);
	for (; r == 0 && *filter != NULL; filter++)
		r = ldap_session_read(s, *filter, (const char *const *)s->attributes, put_entry, NULL);
	return r == 0 ? refresh_done(s) : r;
}

int
ldap_session_apply(struct ldap_session *s)
{
	return apply(s);
}

int
ldap_session_pause(struct ldap_session *s)
{
	int interval_ms = (int)s->settings->directory_poll_interval * 1000;	/* a day at most */
	bool first = !s->paused;

	s->paused = true;
	return wait_for(s, -1, ldap_pause_poll_ms(interval_ms, first, ldap_pause_chance()));
}

/* Everything, again and again: a server without content synchronisation. */
static int
poll_for_ever(struct ldap_session *s)
{
	int r;

	s->full = s->polling = true;
	s->cookie.there = false;
	do {
		r = ldap_session_read_all(s);
		if (r == 0)
			r = ldap_session_pause(s);
	} while (r == 0);
	return r;
}

/* Whether nearly every entry of a directory has it. */
static bool
is_of_all(const char *name)
{
	return strcmp(name, "objectClass") == 0 || strcmp(name, "entryUUID") == 0 || strcmp(name, "entryCSN") == 0 ||
	    strcmp(name, "createTimestamp") == 0 || strcmp(name, "modifyTimestamp") == 0 || strcmp(name, "modifiersName") == 0;
}

/*
 * What is asked for, by the server's names: first what all entries have. slapd compares each attribute that it might send
 * with one name after the other, which took a fifth of its time for a million entries.
 */
static void
list_attributes(struct ldap_session *s)
{
	const char *const *more = server_schema_attributes(s->map.schema.kind);
	size_t n = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; ldap_session_attributes[i] != NULL; i++)
			if (is_of_all(ldap_session_attributes[i]) == (pass == 0))
				s->attributes[n++] = (char *)(uintptr_t)attribute_map_theirs(&s->map, ldap_session_attributes[i]);
	for (size_t i = 0; more[i] != NULL; i++)
		s->attributes[n++] = (char *)(uintptr_t)more[i];
	s->attributes[n] = NULL;
}

int
ldap_session_run(struct ldap_session *s)
{
	int r;

	if (attribute_map_of(&s->map, s->settings, s->fault, sizeof s->fault) < 0)
		return -EINVAL;
	list_attributes(s);
	s->search = s->probe = -1;
	s->probe_sent_ms = s->heard_ms = 0;
	s->refreshed = s->changed = false;
	s->ld = NULL;
	r = ldap_handle_open(s->settings, s->uri, &s->ld, s->fault, sizeof s->fault);
	if (r == 0)
		r = ldap_handle_bind_host(s->settings, s->uri, s->ld, s->fault, sizeof s->fault);
	if (r == 0 && s->map.schema.kind == SERVER_AD)
		r = ldap_changes_follow(s);
	else if (r == 0)
		r = start_sync(s);
	if (r == 0)
		r = follow(s);
	if (r == -EOPNOTSUPP)
		r = poll_for_ever(s);
	ldap_handle_close(s->ld);
	s->ld = NULL;
	return r;
}
