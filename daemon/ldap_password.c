/*
 * ldap_password.c - how a person changes his own password at a server (see ldap_password.h).
 *
 * Directory process, on a worker. It must never set a password without the old one: that would be an operator's right.
 */
#include <config.h>

#include "daemon/ldap_password.h"

#include <errno.h>
#include <string.h>

#include "common/ldap_handle.h"

#define PASSWORD_BYTES_MAX	1024

/* The next character of well-formed UTF-8. Returns its bytes, or 0. */
static size_t
next_character(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c = n == 1 ? s[0] : n == 0 ? 0 : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

/* One or two units. Returns the bytes, 0 when there is no room. */
static size_t
put_character(uint32_t c, unsigned char *to, size_t room)
{
	uint32_t units[2] = { c, 0 };
	size_t count = 1;

	if (c > 0xffff) {
		units[0] = 0xd800 + ((c - 0x10000) >> 10);
		units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
		count = 2;
	}
	if (2 * count > room)
		return 0;
	for (size_t i = 0; i < count; i++) {
		to[2 * i] = (unsigned char)units[i];
		to[2 * i + 1] = (unsigned char)(units[i] >> 8);
	}
	return 2 * count;
}

int
ldap_password_unicode(const char *text, unsigned char *ret, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = put_character('"', ret, size), n;
	uint32_t c = 0;

	while (*at != '\0') {
		n = next_character(at, &c);
		at += n;
		if (n != 0)
			n = put_character(c, ret + used, size - used);
		if (n == 0)
			return -EINVAL;
		used += n;
	}
	n = put_character('"', ret + used, size - used);
	return used > 0 && n > 0 ? (int)(used + n) : -EINVAL;
}

static int
change_unicode(LDAP *ld, const char *dn, const char *old, const char *fresh, int *ret_msgid)
{
	unsigned char before[LDAP_PASSWORD_UNICODE_SIZE(PASSWORD_BYTES_MAX)], after[sizeof before];
	int before_len = ldap_password_unicode(old, before, sizeof before);
	int after_len = ldap_password_unicode(fresh, after, sizeof after), code = LDAP_CONSTRAINT_VIOLATION;
	struct berval olds = { .bv_val = (char *)before }, news = { .bv_val = (char *)after };
	struct berval *old_values[] = { &olds, NULL }, *new_values[] = { &news, NULL };
	LDAPMod removal = { .mod_op = LDAP_MOD_DELETE | LDAP_MOD_BVALUES, .mod_type = (char *)(uintptr_t)"unicodePwd",
		.mod_bvalues = old_values };
	LDAPMod addition = { .mod_op = LDAP_MOD_ADD | LDAP_MOD_BVALUES, .mod_type = (char *)(uintptr_t)"unicodePwd",
		.mod_bvalues = new_values };
	LDAPMod *mods[] = { &removal, &addition, NULL };

	if (before_len > 0 && after_len > 0) {
		olds.bv_len = (ber_len_t)before_len;
		news.bv_len = (ber_len_t)after_len;
		code = ldap_modify_ext(ld, dn, mods, NULL, NULL, ret_msgid);
	}
	explicit_bzero(before, sizeof before);
	explicit_bzero(after, sizeof after);
	return code;
}

int
ldap_password_modify(LDAP *ld, enum server_kind kind, const char *dn, const char *old, const char *fresh, int timeout_sec)
{
	struct berval user = { .bv_val = (char *)(uintptr_t)dn, .bv_len = strlen(dn) };
	struct berval olds = { .bv_val = (char *)(uintptr_t)old, .bv_len = strlen(old) };
	struct berval news = { .bv_val = (char *)(uintptr_t)fresh, .bv_len = strlen(fresh) };
	int code, msgid = 0;

	if (kind == SERVER_AD)
		code = change_unicode(ld, dn, old, fresh, &msgid);
	else
		code = ldap_passwd(ld, &user, &olds, &news, NULL, NULL, &msgid);
	return code == LDAP_SUCCESS ? ldap_handle_wait(ld, msgid, timeout_sec) : code;
}
