/*
 * ldap_jobs.c - requests to the LDAP servers: password checks by bind, changes, tokens with their seeds, marks of codes,
 * recovery codes.
 *
 * Directory process, on the workers; each job has a connection of its own, thrown away after it. A password goes to one
 * server only, after its certificate was verified, never empty, and never a second time (THREATS 5.4). Seeds are read
 * at the login that needs them and wiped with the job.
 */
#include <config.h>

#include "daemon/ldap_source.h"

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/attribute_map.h"
#include "common/ldap_entry.h"
#include "common/ldap_handle.h"
#include "common/recovery_code.h"
#include "daemon/ldap_job.h"
#include "daemon/ldap_password.h"
#include "daemon/loop.h"
#include "daemon/password.h"
#include "daemon/report.h"
#include "daemon/source_job.h"

static const char *const link_names[2] = { "oathTOTPToken", "oathHOTPToken" };

static void
job_wipe(struct source_job *base)
{
	struct job *j = (struct job *)base;

	free(j->dn);
	free(j->user);
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; j->links[i] != NULL && j->links[i][k] != NULL; k++)
			free(j->links[i][k]);
		free(j->links[i]);
	}
}

/* ---- on a worker: connections ---- */

static int
timeout_of(const struct job *j)
{
	int64_t left = (j->deadline_ms - loop_now_ms()) / 1000;

	if (left < 1)
		return 0;
	return left < (int64_t)j->settings.directory_operation_timeout ? (int)left : (int)j->settings.directory_operation_timeout;
}

/* Connect to the server that is followed, else to another one of the list. Nothing was said yet: trying on is safe. */
static int
connect_any(struct job *j, LDAP **ret, char uri[static LDAP_HANDLE_URI_MAX + 1])
{
	int r = -EHOSTUNREACH;

	if (j->server[0] != '\0') {
		memcpy(uri, j->server, sizeof j->server);
		r = ldap_handle_open(&j->settings, uri, ret, j->fault, sizeof j->fault);
	}
	for (unsigned n = 0; r < 0 && timeout_of(j) > 0 && ldap_handle_uri(j->uris, n, uri); n++) {
		if (strcmp(uri, j->server) != 0)
			r = ldap_handle_open(&j->settings, uri, ret, j->fault, sizeof j->fault);
	}
	return r;
}

int
ldap_job_connect(struct job *j, LDAP **ret)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];
	int r;

	r = connect_any(j, ret, uri);
	if (r < 0)
		return r;
	r = ldap_handle_bind_host(&j->settings, uri, *ret, j->fault, sizeof j->fault);
	if (r < 0) {
		ldap_handle_close(*ret);
		*ret = NULL;
	}
	return r;
}

/* ---- passwords ---- */

static enum reason
reason_of_bind(int r, enum ldap_policy_word word)
{
	if (r == 0)		/* the result alone lets in; must it be changed first? */
		return word == LDAP_POLICY_SILENT ? REASON_OK : REASON_PASSWORD_CHANGE_REQUIRED;
	if (r == -EACCES && word == LDAP_POLICY_EXPIRED)
		return REASON_PASSWORD_EXPIRED;
	if (r == -EACCES && word == LDAP_POLICY_LOCKED)
		return REASON_LOCKED;
	return r == -EACCES || r == -EINVAL ? REASON_PASSWORD_FAILED : REASON_DIRECTORY_UNAVAILABLE;
}

/*
 * What a check costs the server, for nobody: a connection, TLS and one question with nothing to find, since not even a
 * hint of what was typed may go to where there is no entry for it. How it ends does not matter.
 */
static void
ask_for_nobody(struct job *j, LDAP *ld)
{
	char *nothing[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL };
	int msgid = 0;

	if (ldap_search_ext(ld, "", LDAP_SCOPE_BASE, "(!(objectClass=*))", nothing, 1, NULL, NULL, NULL, 1, &msgid) ==
	    LDAP_SUCCESS)
		(void)ldap_handle_wait(ld, msgid, timeout_of(j));
}

static void
check(struct source_job *base)
{
	enum ldap_policy_word word = LDAP_POLICY_SILENT;
	struct job *j = (struct job *)base;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	LDAP *ld = NULL;
	int r;

	base->reason = REASON_PASSWORD_FAILED;
	if (j->password[0] == '\0')	/* no bind, which would be an anonymous one (LD01a) */
		return;
	r = connect_any(j, &ld, uri);
	if (j->dn != NULL) {
		if (r == 0)
			r = ldap_handle_bind(ld, j->dn, j->password, timeout_of(j), &word);
		base->reason = reason_of_bind(r, word);
	} else if (r == 0)
		ask_for_nobody(j, ld);	/* it takes as long for a name that nobody has (PA02a, THREATS I2) */
	ldap_handle_close(ld);
}

static void
change(struct source_job *base)
{
	enum ldap_policy_word word = LDAP_POLICY_SILENT;
	struct job *j = (struct job *)base;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	LDAP *ld = NULL;
	int r;

	if (j->old[0] == '\0') {
		base->reason = REASON_PASSWORD_FAILED;
		base->text = "The directory asks for the current password.";
		return;
	}
	base->text = password_judge(j->user, j->old, j->password);
	if (base->text != NULL) {
		base->reason = REASON_PASSWORD_CHANGE_REQUIRED;
		return;
	}
	r = connect_any(j, &ld, uri);
	if (r == 0)
		r = ldap_handle_bind(ld, j->dn, j->old, timeout_of(j), &word);
	base->reason = reason_of_bind(r, word);
	if (r == 0) {
		switch (ldap_password_modify(ld, j->map.schema.kind, j->dn, j->old, j->password, timeout_of(j))) {
		case LDAP_SUCCESS:
			base->reason = REASON_OK;
			break;
		case LDAP_CONSTRAINT_VIOLATION:
		case LDAP_UNWILLING_TO_PERFORM:
			base->reason = REASON_PASSWORD_CHANGE_REQUIRED;
			base->text = "The directory's password policy refuses it.";
			break;
		case LDAP_INSUFFICIENT_ACCESS:
			base->reason = REASON_PASSWORD_CHANGE_REQUIRED;
			base->text = "The directory does not let you change it yourself.";
			break;
		default:
			base->reason = REASON_DIRECTORY_UNAVAILABLE;
			break;
		}
	}
	ldap_handle_close(ld);
}

/* ---- tokens ---- */

static const char *const token_attributes[] = { "objectClass", "entryUUID", "oathSecret", "oathTokenSerialNumber",
	"oathTOTPParams", "oathHOTPParams", "oathOTPLength", "oathHMACAlgorithm", "oathTOTPTimeStepPeriod",
	"oathTOTPLastTimeStep", "oathHOTPCounter", NULL };
static const char *const recovery_attributes[] = { "entryUUID", RECOVERY_ATTRIBUTE, NULL };

#define ATTRIBUTES_MAX (sizeof token_attributes / sizeof token_attributes[0])	/* NULL included */

int
ldap_job_read(struct job *j, LDAP *ld, const char *dn, const char *const *attributes, struct entries *to)
{
	struct timeval timeout = { .tv_sec = timeout_of(j) };
	char *theirs[ATTRIBUTES_MAX] = { NULL };
	LDAPMessage *res = NULL, *msg;
	struct entry *e = NULL;
	int code, r;

	for (size_t i = 0; attributes[i] != NULL; i++)
		theirs[i] = (char *)(uintptr_t)attribute_map_theirs(&j->map, attributes[i]);
	code = ldap_search_ext_s(ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", theirs, 0, NULL, NULL, &timeout, 2, &res);
	r = code == LDAP_SUCCESS ? 0 : ldap_handle_error(code);
	msg = r == 0 ? ldap_first_entry(ld, res) : NULL;
	if (r == 0 && msg == NULL)
		r = -ENOENT;
	if (r == 0)
		r = ldap_entry_take(ld, msg, &j->map, NULL, &e);
	(void)ldap_msgfree(res);
	if (r == 0)
		r = entries_add(to, e);
	if (r < 0)
		entry_free(e);
	return r == -EEXIST ? 0 : r;
}

/* A token and, where they stand elsewhere, its parameters. A token that is not there is a fault of its own. */
static int
read_token(struct job *j, LDAP *ld, const char *dn, struct entries *to)
{
	const struct entry *e;
	const char *params;
	int r;

	r = ldap_job_read(j, ld, dn, token_attributes, to);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	e = entries_find(to, dn);
	if (e == NULL)
		return 0;
	for (int i = 0; i < 2; i++) {
		params = entry_value(e, i == 0 ? "oathTOTPParams" : "oathHOTPParams");
		r = params != NULL ? ldap_job_read(j, ld, params, token_attributes, to) : 0;
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* An entry that has the user's links and nothing else, for identity_tokens(). */
static struct entry *
links_entry(const struct job *j)
{
	struct entry *e = entry_new(j->dn);
	int r = e != NULL ? 0 : -ENOMEM;

	for (int i = 0; i < 2; i++)
		for (size_t k = 0; r == 0 && j->links[i] != NULL && j->links[i][k] != NULL; k++)
			r = entry_add_value(e, link_names[i], j->links[i][k], strlen(j->links[i][k]));
	if (r < 0) {
		entry_free(e);
		return NULL;
	}
	return e;
}

static void
fetch_tokens(struct source_job *base)
{
	struct job *j = (struct job *)base;
	struct entries entries = { 0 };
	struct entry *user = links_entry(j);
	LDAP *ld = NULL;
	int r;

	r = user != NULL ? ldap_job_connect(j, &ld) : -ENOMEM;
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; r == 0 && j->links[i] != NULL && j->links[i][k] != NULL; k++)
			r = read_token(j, ld, j->links[i][k], &entries);
	if (r == 0) {
		source_job_tokens(base, &entries, user);
		for (size_t i = 0; i < base->token_count; i++)
			base->tokens[i].mark_in_directory = 1;
	}
	ldap_handle_close(ld);
	entries_done(&entries);
	entry_free(user);
}

/* ---- marks ---- */

int
ldap_job_swap(struct job *j, LDAP *ld, const char *dn, const char *ours, const char *old, const char *next)
{
	const char *name = attribute_map_theirs(&j->map, ours);
	char *old_values[] = { (char *)(uintptr_t)old, NULL }, *next_values[] = { (char *)(uintptr_t)next, NULL };
	LDAPMod removal = { .mod_op = LDAP_MOD_DELETE, .mod_type = (char *)(uintptr_t)name, .mod_values = old_values };
	LDAPMod addition = { .mod_op = LDAP_MOD_ADD, .mod_type = (char *)(uintptr_t)name, .mod_values = next_values };
	LDAPMod *both[] = { &removal, &addition, NULL }, *first[] = { &addition, NULL };
	int code, msgid = 0;

	code = ldap_modify_ext(ld, dn, old != NULL ? both : first, NULL, NULL, &msgid);
	return code == LDAP_SUCCESS ? ldap_handle_wait(ld, msgid, timeout_of(j)) : code;
}

static int
move_mark(struct job *j, LDAP *ld, const char *dn)
{
	char old[24], next[24];

	(void)snprintf(old, sizeof old, "%llu", (unsigned long long)j->mark.last);
	(void)snprintf(next, sizeof next, "%llu", (unsigned long long)j->mark.next);
	return ldap_job_swap(j, ld, dn, j->mark.type == TOKEN_TOTP ? "oathTOTPLastTimeStep" : "oathHOTPCounter",
	    j->mark.has_last != 0 ? old : NULL, next);
}

enum reason
ldap_job_reason(int code)
{
	switch (code) {
	case LDAP_SUCCESS:
		return REASON_OK;
	case LDAP_NO_SUCH_ATTRIBUTE:		/* another host was faster */
	case LDAP_TYPE_OR_VALUE_EXISTS:
	case LDAP_CONSTRAINT_VIOLATION:
		return REASON_MFA_REPLAYED;
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_REFERRAL:
	case LDAP_UNDEFINED_TYPE:
	case LDAP_OBJECT_CLASS_VIOLATION:
		return REASON_STATE_UNWRITABLE;
	default:
		return REASON_DIRECTORY_UNAVAILABLE;
	}
}

/* Whether the entry at dn is the token that the code was of. */
static int
is_token(struct job *j, LDAP *ld, const char *dn, bool *ret)
{
	struct entries entries = { 0 };
	const struct entry *e;
	const char *id;
	int r;

	*ret = false;
	r = ldap_job_read(j, ld, dn, token_attributes, &entries);
	e = r == 0 ? entries_find(&entries, dn) : NULL;
	id = e != NULL ? entry_value(e, "entryUUID") : NULL;
	if (id != NULL)
		*ret = strcmp(id, j->mark.id) == 0;
	entries_done(&entries);
	return r == -ENOENT ? 0 : r;
}

static void
mark(struct source_job *base)
{
	struct job *j = (struct job *)base;
	char **links = j->links[j->mark.type == TOKEN_TOTP ? 0 : 1];
	bool found = false;
	LDAP *ld = NULL;
	int r;

	r = ldap_job_connect(j, &ld);
	if (r < 0)
		return;
	for (size_t k = 0; r == 0 && !found && links != NULL && links[k] != NULL; k++) {
		r = is_token(j, ld, links[k], &found);
		if (r == 0 && found)
			base->reason = ldap_job_reason(move_mark(j, ld, links[k]));
	}
	ldap_handle_close(ld);
}

/* ---- recovery codes ---- */

/* The exact value goes, by the one modify of all hosts that finds it. Returns a result code of LDAP. */
static int
delete_code(struct job *j, LDAP *ld, const char *hash)
{
	struct berval value = { .bv_val = (char *)(uintptr_t)hash, .bv_len = strlen(hash) };
	struct berval *values[] = { &value, NULL };
	LDAPMod removal = { .mod_op = LDAP_MOD_DELETE | LDAP_MOD_BVALUES,
		.mod_type = (char *)(uintptr_t)attribute_map_theirs(&j->map, RECOVERY_ATTRIBUTE), .mod_bvalues = values };
	LDAPMod *mods[] = { &removal, NULL };
	int code, msgid = 0;

	code = ldap_modify_ext(ld, j->dn, mods, NULL, NULL, &msgid);
	return code == LDAP_SUCCESS ? ldap_handle_wait(ld, msgid, timeout_of(j)) : code;
}

static void
use_code(struct source_job *base)
{
	struct job *j = (struct job *)base;
	struct recovery_judgement judgement;
	struct entries entries = { 0 };
	const struct entry *e;
	const char *id;
	LDAP *ld = NULL;
	int r;

	r = ldap_job_connect(j, &ld);
	if (r == 0)
		r = ldap_job_read(j, ld, j->dn, recovery_attributes, &entries);
	if (r == 0 || r == -ENOENT) {
		e = entries_find(&entries, j->dn);
		id = e != NULL ? entry_value(e, "entryUUID") : NULL;
		if (id == NULL || strcasecmp(id, j->entry_id) != 0)	/* his DN was given to somebody else meanwhile */
			e = NULL;
		recovery_code_judge(e, j->code, &judgement);
		base->reason = source_job_recovery(base, &judgement);
		if (base->reason == REASON_OK)
			base->reason = ldap_job_reason(delete_code(j, ld, judgement.value));
	}
	ldap_handle_close(ld);
	entries_done(&entries);
}

/* ---- on the loop ---- */

static char **
copy_links(const struct entry *e, const char *name)
{
	const struct attribute *a = entry_attribute(e, name);
	size_t count = a != NULL ? a->count : 0;
	char **list;

	if (count > SOURCE_TOKENS_MAX)
		count = SOURCE_TOKENS_MAX;
	list = calloc(count + 1, sizeof *list);
	for (size_t i = 0; list != NULL && i < count; i++) {
		list[i] = strdup(a->values[i].bytes);
		if (list[i] == NULL) {
			while (i > 0)
				free(list[--i]);
			free(list);
			return NULL;
		}
	}
	return list;
}

struct job *
ldap_job_new(struct source *base, void (*run)(struct source_job *), const struct identity *user, void *arg)
{
	const struct ldap_source *s = (struct ldap_source *)base;
	struct job *j = (struct job *)source_job_new(base, sizeof *j, arg);
	bool whole = true;

	if (j == NULL)
		return NULL;
	j->base.run = run;
	j->base.wipe = job_wipe;
	j->settings = *base->settings;
	whole = attribute_map_of(&j->map, &j->settings, j->fault, sizeof j->fault) == 0;
	j->deadline_ms = loop_now_ms() + JOB_MS;
	(void)snprintf(j->server, sizeof j->server, "%s", s->state.connected ? s->state.server : "");
	(void)snprintf(j->uris, sizeof j->uris, "%s", ldap_servers_by_dns(base->settings) ? s->state.servers.uris :
	    base->settings->directory_uri);
	if (user != NULL) {
		j->dn = strdup(user->entry->dn);
		j->user = strdup(user->name);
		memcpy(j->entry_id, user->entry_id, sizeof j->entry_id);
		whole = whole && j->dn != NULL && j->user != NULL;
		for (int i = 0; i < 2; i++)
			whole = whole && (j->links[i] = copy_links(user->entry, link_names[i])) != NULL;
	}
	if (!whole) {
		source_job_drop(&j->base);
		return NULL;
	}
	return j;
}

int
ldap_password_check(struct source *base, const struct identity *user, const char *password, source_result *done,
    void *arg)
{
	/* Whoever has the DN of one who is gone is somebody else, and his password opens nothing of the other's. */
	struct job *j = ldap_job_new(base, check, user != NULL && user->entry->gone ? NULL : user, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	(void)source_job_copy(j->password, sizeof j->password, password);	/* one that does not fit stays empty: wrong */
	return source_job_start(&j->base);
}

int
ldap_password_change(struct source *base, const struct identity *user, const char *old, const char *new_password,
    source_result *done, void *arg)
{
	struct job *j;

	if (user->entry->gone)
		return -ENOENT;
	j = ldap_job_new(base, change, user, arg);
	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	if (!source_job_copy(j->old, sizeof j->old, old) || !source_job_copy(j->password, sizeof j->password, new_password)) {
		source_job_drop(&j->base);
		return -EINVAL;
	}
	return source_job_start(&j->base);
}

int
ldap_tokens(struct source *base, const struct identity *user, source_tokens *done, void *arg)
{
	struct job *j = ldap_job_new(base, fetch_tokens, user, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.tokens_done = done;
	if (source_job_need_tokens(&j->base) < 0) {
		source_job_drop(&j->base);
		return -ENOMEM;
	}
	return source_job_start(&j->base);
}

int
ldap_token_mark(struct source *base, const struct identity *user, const struct msg_token_mark *m, source_result *done,
    void *arg)
{
	struct job *j = ldap_job_new(base, mark, user, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	j->mark = *m;
	return source_job_start(&j->base);
}

int
ldap_recovery_use(struct source *base, const struct identity *user, const char *code, source_recovery *done, void *arg)
{
	struct job *j = ldap_job_new(base, use_code, user, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.recovery_done = done;
	(void)snprintf(j->code, sizeof j->code, "%s", code);
	return source_job_start(&j->base);
}
