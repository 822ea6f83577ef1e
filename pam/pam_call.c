/*
 * pam_call.c - gathers what a stage needs: options, PAM items, the person, pages for secrets.
 *
 * Runs inside every PAM application. Each stage reads PAM_USER anew (THREATS 5.1). It must never prompt for
 * a name but in auth, believe SSH_AUTH_INFO_0 of anybody but a privileged sshd, or cut what rules judge.
 */
#include <config.h>

#include "pam/pam_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pam/pam_secret.h"

/* Copy text that must be whole. Returns 0 or -ENAMETOOLONG. */
static int
copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size);

	if (n == size)
		return -ENAMETOOLONG;
	memcpy(to, from, n + 1);
	return 0;
}

/* Copy text that only stands in events; an overlong one is cut. */
static void
copy_cut(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static void
read_options(struct call *call, int argc, const char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "debug") == 0)
			call->debug = true;
		else if (strcmp(argv[i], "use_first_pass") == 0)
			call->use_first_pass = true;
		else if (strcmp(argv[i], "identify") == 0 &&
		    (call->stage == PAM_STAGE_OPEN || call->stage == PAM_STAGE_CLOSE))
			call->identify = true;
		else if (call->bad_option == NULL)
			call->bad_option = argv[i];
	}
}

/* PAM_USER; asked for only in auth, where login(1) relies on it after a first failure. */
static const char *
read_user(const struct call *call)
{
	const char *user = call_item(call, PAM_USER);

	if (*user == '\0' && call->stage == PAM_STAGE_AUTH && !call->talk.silent &&
	    pam_get_user(call->pamh, &user, NULL) != PAM_SUCCESS)
		return "";
	return user == NULL ? "" : user;
}

void
call_init(struct call *call, pam_handle_t *pamh, enum pam_stage stage, int flags, int argc, const char **argv)
{
	*call = (struct call){
		.pamh = pamh,
		.paths = pam_paths(),
		.stage = stage,
		.flags = (unsigned)flags,
		.talk = { .pamh = pamh, .silent = ((unsigned)flags & PAM_SILENT) != 0 },
		.relay = { .fd = -1 },
	};
	call->privileged = geteuid() == call->paths->privileged;
	read_options(call, argc, argv);
	copy_cut(call->user, sizeof call->user, read_user(call));
	who_find(call->paths, call->user, &call->person);
	if (!call_is_ours(call))
		return;
	proof_find_txn(pamh, call->txn);
	call->pages = secret_new(sizeof *call->pages);
	call->relay = (struct relay){
		.paths = call->paths,
		.talk = &call->talk,
		.pages = call->pages,
		.prompts_max = stage == PAM_STAGE_AUTH ? RELAY_PROMPTS_AUTH :
		    stage == PAM_STAGE_PASSWORD ? RELAY_PROMPTS_CHANGE : 0,
		.fd = -1,
	};
}

void
call_done(struct call *call)
{
	relay_done(&call->relay);
	secret_free(call->pages, sizeof *call->pages);
	call->pages = NULL;
	who_done(&call->person);
}

bool
call_is_ours(const struct call *call)
{
	enum who who = call->person.who;

	return who == WHO_MANAGED || who == WHO_GUARDED || who == WHO_NOBODY || who == WHO_UNSURE;
}

const char *
call_item(const struct call *call, int item)
{
	const void *text = NULL;

	if (pam_get_item(call->pamh, item, &text) != PAM_SUCCESS || text == NULL)
		return "";
	return text;
}

static uint32_t
request_flags(const struct call *call)
{
	uint32_t flags = REQUEST_DISALLOW_NULL;

	if (call->talk.silent)
		flags |= REQUEST_SILENT;
	if (call->stage == PAM_STAGE_AUTH && call->use_first_pass)
		flags |= REQUEST_USE_FIRST_PASS;
	if (call->stage == PAM_STAGE_ACCOUNT && proof_get(call->pamh) != NULL)
		flags |= REQUEST_AUTH_CALLED;
	if (call->stage == PAM_STAGE_PASSWORD && (call->flags & PAM_PRELIM_CHECK) != 0)
		flags |= REQUEST_CHANGE_PRELIM;
	if (call->person.who == WHO_GUARDED)
		flags |= REQUEST_LOCAL;
	return flags;
}

/* What sshd completed before this call. Anybody can set a PAM environment; sshd as root sets this one itself. */
static const char *
auth_info(const struct call *call)
{
	const char *info = NULL;

	if (call->privileged && strcmp(call_item(call, PAM_SERVICE), "sshd") == 0)
		info = pam_getenv(call->pamh, "SSH_AUTH_INFO_0");
	/* One that does not fit counts as none: nothing proven. */
	return info == NULL || strlen(info) > sizeof ((struct msg_account *)0)->auth_info - 1 ? "" : info;
}

bool
call_proves_key(const struct call *call)
{
	return strncmp(auth_info(call), "publickey ", 10) == 0;
}

/* What AUTH_BEGIN, ACCOUNT, SESSION_OPEN and CHANGE_BEGIN have in common, of the sizes that ACCOUNT has. */
struct common {
	char *user, *service, *rhost, *tty, *ruser;
	uint32_t *ruid, *flags;
};
#define COMMON(m) { (m)->user, (m)->service, (m)->rhost, (m)->tty, (m)->ruser, &(m)->ruid, &(m)->flags }
#define SIZE(type, field) sizeof ((struct type *)0)->field
#define SAME_SIZES(type) \
	_Static_assert(SIZE(type, user) == SIZE(msg_account, user) && SIZE(type, service) == SIZE(msg_account, service) && \
	    SIZE(type, rhost) == SIZE(msg_account, rhost) && SIZE(type, tty) == SIZE(msg_account, tty) && \
	    SIZE(type, ruser) == SIZE(msg_account, ruser), #type)
SAME_SIZES(msg_auth_begin);
SAME_SIZES(msg_session_open);
SAME_SIZES(msg_change_begin);

static int
fill(const struct call *call, const struct common *to)
{
	*to->ruid = (uint32_t)getuid();
	*to->flags = request_flags(call);
	copy_cut(to->tty, SIZE(msg_account, tty), call_item(call, PAM_TTY));
	if (copy(to->user, SIZE(msg_account, user), call->user) < 0 ||
	    copy(to->service, SIZE(msg_account, service), call_item(call, PAM_SERVICE)) < 0 ||
	    copy(to->rhost, SIZE(msg_account, rhost), call_item(call, PAM_RHOST)) < 0 ||
	    copy(to->ruser, SIZE(msg_account, ruser), call_item(call, PAM_RUSER)) < 0)
		return -ENAMETOOLONG;
	return 0;
}

/* use_first_pass: an earlier module's password is the first answer; missing or overlong, it stands for none. */
static void
take_first_pass(struct call *call)
{
	const char *password = call_item(call, PAM_AUTHTOK);

	call->relay.password_given = true;
	if (*password == '\0' || copy(call->pages->password, sizeof call->pages->password, password) < 0)
		call->relay.failed = true;
}

static int
request_auth(struct call *call, enum message *ret_number)
{
	struct msg_auth_begin *m = &call->pages->request.auth;
	struct msg_auth_self *self = &call->pages->request.self;
	const struct common common = COMMON(m);

	if (call->use_first_pass)
		take_first_pass(call);
	if (!call->privileged) {
		self->flags = request_flags(call) & ~(uint32_t)REQUEST_USE_FIRST_PASS;	/* given when asked for */
		copy_cut(self->tty, sizeof self->tty, call_item(call, PAM_TTY));
		*ret_number = MSG_AUTH_SELF;
		return copy(self->user, sizeof self->user, call->user);
	}
	copy_cut(m->auth_info, sizeof m->auth_info, auth_info(call));
	memcpy(m->first_pass, call->pages->password, sizeof m->first_pass);
	*ret_number = MSG_AUTH_BEGIN;
	return fill(call, &common);
}

static int
request_account(struct call *call, enum message *ret_number)
{
	struct msg_account *m = &call->pages->request.account;
	const struct common common = COMMON(m);
	struct proof *p = proof_get(call->pamh);

	copy_cut(m->auth_info, sizeof m->auth_info, auth_info(call));
	copy_cut(m->txn, sizeof m->txn, call->txn);
	if (p != NULL) {	/* single use, and for nobody else than whom it was given for */
		if (strcmp(p->user, call->user) == 0)
			copy_cut(m->proof, sizeof m->proof, p->id);
		explicit_bzero(p->id, sizeof p->id);
	}
	*ret_number = MSG_ACCOUNT;
	return fill(call, &common);
}

static int
request_open(struct call *call, enum message *ret_number)
{
	struct msg_session_open *m = &call->pages->request.open;
	const struct common common = COMMON(m);

	copy_cut(m->auth_info, sizeof m->auth_info, auth_info(call));
	copy_cut(m->txn, sizeof m->txn, call->txn);
	copy_cut(m->dropped, sizeof m->dropped, call->groups.text);
	m->strip_failed = call->groups.failed;
	*ret_number = MSG_SESSION_OPEN;
	return fill(call, &common);
}

static int
request_change(struct call *call, enum message *ret_number)
{
	struct msg_change_begin *m = &call->pages->request.change;
	const struct common common = COMMON(m);

	copy_cut(m->txn, sizeof m->txn, call->txn);
	*ret_number = MSG_CHANGE_BEGIN;
	return fill(call, &common);
}

int
call_request(struct call *call, enum message *ret_number)
{
	explicit_bzero(&call->pages->request, sizeof call->pages->request);
	switch (call->stage) {
	case PAM_STAGE_AUTH:
		return request_auth(call, ret_number);
	case PAM_STAGE_ACCOUNT:
		return request_account(call, ret_number);
	case PAM_STAGE_OPEN:
		return request_open(call, ret_number);
	case PAM_STAGE_PASSWORD:
		return request_change(call, ret_number);
	case PAM_STAGE_CRED:
	case PAM_STAGE_CLOSE:
	case PAM_STAGE_COUNT:
		break;		/* these report, and ask nothing */
	}
	return -EINVAL;
}
