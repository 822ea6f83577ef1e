/*
 * test_ldap_answers.c - answers of a server: pages and entries are whole, or they are an error (THREATS 5.5).
 *
 * libldap reads from a socket what a server would have written, broken as no real one writes it.
 */
#include <config.h>

#include "common/ldap_entry.h"
#include "common/ldap_page.h"
#include "common/ldap_range.h"

#include <errno.h>
#include <openldap.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/ber.h"
#include "tests/unit/suite.h"

static LDAP *ld;
static int server;	/* the other end of its connection */

/* The server says one message. controls: the content of [0], or NULL. */
static void
say(unsigned char id, unsigned char operation, const struct ber *content, const struct ber *controls)
{
	struct ber message = { .len = 0 }, all = { .len = 0 };

	ber_put(&message, 0x02, &id, 1);
	ber_in(&message, operation, content);
	if (controls != NULL)
		ber_in(&message, 0xa0, controls);
	ber_in(&all, 0x30, &message);
	ck_assert_int_eq(write(server, all.bytes, all.len), (ssize_t)all.len);
}

/* The end of a search: success, and what the paged results control says. */
static void
say_done(unsigned char id, const struct ber *controls)
{
	const unsigned char success = 0;
	struct ber result = { .len = 0 };

	ber_put(&result, 0x0a, &success, 1);
	ber_text(&result, "");
	ber_text(&result, "");
	say(id, 0x65, &result, controls);
}

/* A paged results control: SEQUENCE { oid, OCTET STRING value }. */
static struct ber
page_control(const char *cookie)
{
	const unsigned char count = 0;
	struct ber value = { .len = 0 }, wrapped = { .len = 0 }, control = { .len = 0 }, list = { .len = 0 };

	ber_put(&value, 0x02, &count, 1);
	ber_text(&value, cookie);
	ber_in(&wrapped, 0x30, &value);
	ber_text(&control, LDAP_CONTROL_PAGEDRESULTS);
	ber_in(&control, 0x04, &wrapped);
	ber_in(&list, 0x30, &control);
	return list;
}

static void
add_attribute(struct ber *attributes, const char *name, const char *value)
{
	struct ber values = { .len = 0 }, attribute = { .len = 0 };

	ber_text(&values, value);
	ber_text(&attribute, name);
	ber_in(&attribute, 0x31, &values);
	ber_in(attributes, 0x30, &attribute);
}

static void
say_entry(unsigned char id, const char *dn, const struct ber *attributes)
{
	struct ber content = { .len = 0 };

	ber_text(&content, dn);
	ber_in(&content, 0x30, attributes);
	say(id, 0x64, &content, NULL);
}

static void
begin(void)
{
	int ends[2], version = LDAP_VERSION3;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	server = ends[1];
	ck_assert_int_eq(ldap_init_fd(ends[0], LDAP_PROTO_IPC, "ldapi:///", &ld), LDAP_SUCCESS);
	ck_assert_int_eq(ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version), LDAP_OPT_SUCCESS);
}

static void
end(void)
{
	(void)ldap_unbind_ext(ld, NULL, NULL);
	(void)close(server);
}

static const char *const all_attributes[] = { "*", NULL };
static const struct ldap_page_search search = { .base = "dc=x", .filter = "(objectClass=*)", .scope = LDAP_SCOPE_SUBTREE,
	.attributes = all_attributes, .page_entries = 2, .timeout_sec = 5 };

/* Ask for a page, which the server has answered already. Returns what ldap_page_next() does. */
static int
next(struct berval *cookie)
{
	LDAPMessage *page = NULL;
	int code = ldap_page_next(ld, &search, cookie, &page);

	(void)ldap_msgfree(page);
	return code;
}

START_TEST(pages_to_the_end)
{
	const struct ber more = page_control("abc"), last = page_control("");
	struct berval cookie = { 0 };

	begin();
	say_done(1, &more);
	ck_assert_int_eq(next(&cookie), LDAP_SUCCESS);
	ck_assert_uint_eq(cookie.bv_len, 3);
	say_done(2, &last);
	ck_assert_int_eq(next(&cookie), LDAP_SUCCESS);
	ck_assert_uint_eq(cookie.bv_len, 0);
	ber_memfree(cookie.bv_val);
	cookie = (struct berval){ 0 };
	say_done(3, NULL);		/* a server without pages */
	ck_assert_int_eq(next(&cookie), LDAP_SUCCESS);
	ck_assert_uint_eq(cookie.bv_len, 0);
	ber_memfree(cookie.bv_val);
	end();
}
END_TEST

/* Whether another page follows cannot be told: then this is not the last one. */
START_TEST(a_broken_control_is_no_end)
{
	struct ber wrong = { .len = 0 }, value = { .len = 0 }, control = { .len = 0 };
	struct berval cookie = { 0 };

	begin();
	ber_put(&wrong, 0x30, "\x04\x7f" "1.2", 5);		/* an oid that is longer than its control */
	say_done(1, &wrong);
	ck_assert_int_eq(next(&cookie), LDAP_DECODING_ERROR);
	ck_assert_uint_eq(cookie.bv_len, 0);
	wrong.len = 0;
	ber_text(&control, LDAP_CONTROL_PAGEDRESULTS);
	ber_text(&value, "nonsense");
	ber_in(&control, 0x04, &value);
	ber_in(&wrong, 0x30, &control);
	say_done(2, &wrong);
	ck_assert_int_eq(next(&cookie), LDAP_DECODING_ERROR);
	ber_memfree(cookie.bv_val);
	end();
}
END_TEST

/* Take the one entry that the server has said. Returns what ldap_entry_take() does. */
static int
take(const char *map_text, const char *const *without, struct entry **ret)
{
	struct attribute_map map;
	LDAPMessage *page = NULL;
	struct berval cookie = { 0 };
	char fault[128];
	int r;

	ck_assert_int_eq(attribute_map_init(&map, map_text, fault, sizeof fault), 0);
	ck_assert_int_eq(ldap_page_next(ld, &search, &cookie, &page), LDAP_SUCCESS);
	ck_assert_ptr_nonnull(ldap_first_entry(ld, page));
	r = ldap_entry_take(ld, ldap_first_entry(ld, page), &map, without, ret);
	(void)ldap_msgfree(page);
	ber_memfree(cookie.bv_val);
	return r;
}

START_TEST(entries_are_taken)
{
	static const char *const secrets[] = { "userPassword", "oathSecret", NULL };
	struct ber attributes = { .len = 0 };
	struct entry *e = NULL;

	begin();
	add_attribute(&attributes, "uid", "ada");
	add_attribute(&attributes, "title", "contractor");
	add_attribute(&attributes, "employeeType", "ignored: another one is mapped to it");
	add_attribute(&attributes, "userpassword;lang-en", "hash");
	add_attribute(&attributes, "seed", "secret");
	say_entry(1, "uid=ada,dc=x", &attributes);
	say_done(1, NULL);
	ck_assert_int_eq(take("employeeType=title oathSecret=seed", secrets, &e), 0);
	ck_assert_str_eq(e->dn, "uid=ada,dc=x");
	ck_assert_uint_eq(e->count, 2);
	ck_assert_str_eq(entry_value(e, "uid"), "ada");
	ck_assert_str_eq(entry_value(e, "employeeType"), "contractor");
	entry_free(e);
	say_entry(2, "uid=ada,dc=x", &attributes);
	say_done(2, NULL);
	ck_assert_int_eq(take("oathSecret=seed", NULL, &e), 0);
	ck_assert_str_eq(entry_value(e, "oathSecret"), "secret");
	entry_free(e);
	end();
}
END_TEST

/* Options make any number of attributes of one that may be written: then the entry is refused, whoever it is. */
START_TEST(too_many_attributes)
{
	struct ber attributes = { .len = 0 };
	struct entry *e = NULL;
	char name[32];

	for (int more = 0; more < 2; more++) {
		begin();
		attributes.len = 0;
		for (int i = 0; i < (more != 0 ? 300 : ENTRY_ATTRIBUTES_MAX - 2); i++) {
			(void)snprintf(name, sizeof name, "cn;x-%d", i);
			add_attribute(&attributes, name, "x");
		}
		add_attribute(&attributes, "pwdReset", "TRUE");
		add_attribute(&attributes, "uid", "ada");
		add_attribute(&attributes, "cn;x-0", "y");
		say_entry(1, "uid=ada,dc=x", &attributes);
		say_done(1, NULL);
		ck_assert_int_eq(take("none", NULL, &e), 0);
		ck_assert_uint_eq(e->count, more != 0 ? ENTRY_ATTRIBUTES_MAX + 2 : ENTRY_ATTRIBUTES_MAX);
		ck_assert_str_eq(entry_value(e, "uid"), "ada");
		ck_assert_uint_eq(entry_attribute(e, "cn;x-0")->count, 2);
		ck_assert_int_eq(entry_value(e, "pwdReset") == NULL, more != 0);
		entry_free(e);
		end();
	}
}
END_TEST

/* The day of the last use any host may write, with as many options as it likes: that must refuse nobody. */
START_TEST(what_hosts_write_refuses_nobody)
{
	struct ber attributes = { .len = 0 };
	struct entry *e = NULL;
	char name[32];

	begin();
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof name, "seen;x-%d", i);
		add_attribute(&attributes, name, "20260101000000Z");
	}
	add_attribute(&attributes, "SEEN", "20260101000000Z");
	add_attribute(&attributes, "seenot", "x");
	add_attribute(&attributes, "pwdReset;x-1", "TRUE");
	say_entry(1, "uid=ada,dc=x", &attributes);
	say_done(1, NULL);
	ck_assert_int_eq(take("ismsLastUse=seen", NULL, &e), 0);
	ck_assert_uint_eq(e->count, 3);
	ck_assert_str_eq(entry_value(e, "ismsLastUse"), "20260101000000Z");
	ck_assert_str_eq(entry_value(e, "pwdReset;x-1"), "TRUE");
	entry_free(e);
	end();
}
END_TEST

/* What comes after a broken attribute may be a lock: an entry without it is not this entry. */
START_TEST(a_broken_attribute_is_no_end)
{
	struct ber attributes = { .len = 0 };
	struct entry *e = NULL;

	begin();
	add_attribute(&attributes, "uid", "ada");
	ber_put(&attributes, 0x30, "\x04\x7f" "pwd", 5);
	add_attribute(&attributes, "pwdAccountLockedTime", "000001010000Z");
	say_entry(1, "uid=ada,dc=x", &attributes);
	say_done(1, NULL);
	ck_assert_int_eq(take("none", NULL, &e), -EBADMSG);
	attributes.len = 0;
	add_attribute(&attributes, "uid", "ada");
	add_attribute(&attributes, "pwdAccountLockedTime", "000001010000Z");
	say_entry(2, "uid=ada,dc=x", &attributes);
	say_done(2, NULL);
	ck_assert_int_eq(take("none", NULL, &e), 0);
	ck_assert_ptr_nonnull(entry_value(e, "pwdAccountLockedTime"));
	entry_free(e);
	say_entry(3, "no dn", &attributes);
	say_done(3, NULL);
	ck_assert_int_eq(take("none", NULL, &e), -EBADMSG);
	end();
}
END_TEST

/* ---- members in parts, as Active Directory gives more than 1,500 of them ---- */

static const struct { const char *option; int wanted; uint32_t first, last; } ranges[] = {
	{ "range=0-1499", 0, 0, 1499 },
	{ "Range=1500-2999", 0, 1500, 2999 },
	{ "range=0-*", 0, 0, UINT32_MAX },
	{ "range=3000-*", 0, 3000, UINT32_MAX },
	{ "range=7-7", 0, 7, 7 },
	{ "range=", -EINVAL, 0, 0 },
	{ "range=0", -EINVAL, 0, 0 },
	{ "range=0-", -EINVAL, 0, 0 },
	{ "range=-1", -EINVAL, 0, 0 },
	{ "range=2-1", -EINVAL, 0, 0 },
	{ "range=0-**", -EINVAL, 0, 0 },
	{ "range=00-1", -EINVAL, 0, 0 },
	{ "range=0-1499;binary", -EINVAL, 0, 0 },
	{ "range=0-4294967295", -EINVAL, 0, 0 },
	{ "range=0-42949672950", -EINVAL, 0, 0 },
	{ "lang-en", -EINVAL, 0, 0 },
};

START_TEST(ranges_are_read)
{
	uint32_t first = 9, last = 9;

	ck_assert_int_eq(ldap_range_parse(ranges[_i].option, &first, &last), ranges[_i].wanted);
	ck_assert_uint_eq(first, ranges[_i].wanted == 0 ? ranges[_i].first : 9);
	ck_assert_uint_eq(last, ranges[_i].wanted == 0 ? ranges[_i].last : 9);
}
END_TEST

/* What the entry has, what the server says when it is asked for more, and how many members there are then. */
static const struct { const char *names[3], *values[3]; int wanted; size_t members; const char *asked; } parts[] = {
	{ { "member" }, { "abc" }, 0, 3, NULL },
	{ { "member;range=0-*" }, { "abc" }, 0, 3, NULL },
	{ { "member;range=0-1", "member;range=2-*" }, { "ab", "c" }, 0, 3, "member;range=2-*" },
	{ { "member;range=0-1", "member;range=2-3", "member;range=4-*" }, { "ab", "cd", "e" }, 0, 5, "member;range=4-*" },
	{ { "member;range=0-1", "member;range=2-*" }, { "ab", "" }, -EPROTO, 0, NULL },	/* some went meanwhile: all anew */
	{ { "member;range=1-*" }, { "ab" }, -EPROTO, 0, NULL },			/* not from the first on */
	{ { "member;range=0-2" }, { "ab" }, -EPROTO, 0, NULL },			/* not as many as it says */
	{ { "member;range=0-1", "member;range=0-1" }, { "ab", "ab" }, -EPROTO, 0, NULL },	/* for ever */
	{ { "member;range=0-1", "member;range=3-*" }, { "ab", "d" }, -EPROTO, 0, NULL },	/* one is missing */
	{ { "member;range=0-1", "member" }, { "ab", "c" }, -EPROTO, 0, NULL },
	{ { "member;range=0-1", "cn" }, { "ab", "c" }, -EPROTO, 0, NULL },
	{ { "member;range=0-1", NULL }, { "ab", NULL }, -ENOENT, 0, NULL },	/* the group has gone meanwhile */
};

static void
say_part(unsigned char id, const char *name, const char *letters)
{
	struct ber values = { .len = 0 }, attribute = { .len = 0 }, attributes = { .len = 0 };

	for (; *letters != '\0'; letters++)
		ber_put(&values, 0x04, letters, 1);
	ber_text(&attribute, name);
	ber_in(&attribute, 0x31, &values);
	ber_in(&attributes, 0x30, &attribute);
	say_entry(id, "cn=g,dc=x", &attributes);
}

START_TEST(members_in_parts)
{
	struct attribute_map map = { .count = 0 };
	struct entry *e = entry_new("cn=g,dc=x");
	char sent[4096];
	ssize_t n;
	int r;

	begin();
	for (const char *c = parts[_i].values[0]; *c != '\0'; c++)
		ck_assert_int_eq(entry_add_value(e, parts[_i].names[0], c, 1), 0);
	for (unsigned char id = 1; id < 3; id++) {
		if (parts[_i].names[id] != NULL)
			say_part(id, parts[_i].names[id], parts[_i].values[id]);
		say_done(id, NULL);
	}
	r = ldap_range_complete(ld, &map, 5, e);
	ck_assert_int_eq(r, parts[_i].wanted);
	if (r == 0) {
		ck_assert_uint_eq(e->count, 1);
		ck_assert_uint_eq(entry_attribute(e, "member")->count, parts[_i].members);
		for (size_t i = 0; i < parts[_i].members; i++)	/* each once, in their order */
			ck_assert_int_eq(entry_attribute(e, "member")->values[i].bytes[0], 'a' + (int)i);
	}
	n = recv(server, sent, sizeof sent, MSG_DONTWAIT);
	ck_assert(parts[_i].asked == NULL || memmem(sent, n > 0 ? (size_t)n : 0, parts[_i].asked, strlen(parts[_i].asked)) != NULL);
	entry_free(e);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ pages_to_the_end, 0 }, { a_broken_control_is_no_end, 0 }, { entries_are_taken, 0 },
		{ a_broken_attribute_is_no_end, 0 }, { too_many_attributes, 0 }, { what_hosts_write_refuses_nobody, 0 },
		{ ranges_are_read, ROWS(ranges) }, { members_in_parts, ROWS(parts) },
	};

	return suite_run("ldap answers", rows, ROWS(rows), 60);
}
