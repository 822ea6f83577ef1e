/*
 * sync_message.c - BER of RFC 4533 (see sync_message.h).
 *
 * Directory process and the fuzzer. What does not have exactly the form of the RFC is refused: a message that is
 * understood by half could remove somebody, or keep him.
 */
#include <config.h>

#include "daemon/sync_message.h"

#include <errno.h>
#include <lber.h>
#include <stdlib.h>
#include <string.h>

#define MODE_REFRESH_AND_PERSIST 3
#define ID_SET_MAX 100000	/* uuids of one message; servers send some hundred */

int
sync_request_encode(const struct sync_cookie *cookie, struct berval **ret)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval *value = NULL;
	int r;

	if (ber == NULL)
		return -ENOMEM;
	if (cookie->there) {
		struct berval bv = { .bv_val = (char *)(uintptr_t)cookie->bytes, .bv_len = cookie->len };

		r = ber_printf(ber, "{eOb}", (ber_int_t)MODE_REFRESH_AND_PERSIST, &bv, (ber_int_t)0);
	} else {
		r = ber_printf(ber, "{eb}", (ber_int_t)MODE_REFRESH_AND_PERSIST, (ber_int_t)0);
	}
	if (r < 0 || ber_flatten(ber, &value) < 0) {
		ber_free(ber, 1);
		return -ENOMEM;
	}
	ber_free(ber, 1);
	*ret = value;
	return 0;
}

/* A cookie, if one comes next. Returns 0 or -EBADMSG. */
static int
take_cookie(BerElement *ber, struct sync_cookie *ret)
{
	struct berval bv;
	ber_len_t len;

	ret->there = false;
	if (ber_peek_tag(ber, &len) != LBER_OCTETSTRING)
		return 0;
	if (ber_scanf(ber, "m", &bv) == LBER_ERROR)
		return -EBADMSG;
	if (bv.bv_len == 0 || bv.bv_len > sizeof ret->bytes)
		return 0;	/* nothing that we could resume from: the next time begins anew */
	memcpy(ret->bytes, bv.bv_val, bv.bv_len);
	ret->len = bv.bv_len;
	ret->there = true;
	return 0;
}

/* BOOLEAN DEFAULT: as given, else as it stands. Returns 0 or -EBADMSG. */
static int
take_bool(BerElement *ber, bool *value)
{
	ber_int_t given;
	ber_len_t len;

	if (ber_peek_tag(ber, &len) != LBER_BOOLEAN)
		return 0;
	if (ber_scanf(ber, "b", &given) == LBER_ERROR)
		return -EBADMSG;
	*value = given != 0;
	return 0;
}

/* NULL without memory, and for no bytes at all, on which liblber crashes. */
static BerElement *
begin(const struct berval *value)
{
	return value->bv_val != NULL && value->bv_len > 0 ? ber_init((struct berval *)(uintptr_t)value) : NULL;
}

/* Nothing may follow the end. */
static bool
at_end(BerElement *ber)
{
	ber_len_t left = 0;

	return ber_get_option(ber, LBER_OPT_BER_REMAINING_BYTES, &left) == LBER_OPT_SUCCESS && left == 0;
}

int
sync_state_decode(const struct berval *value, enum sync_state *ret_state, uint8_t ret_uuid[SYNC_UUID_SIZE],
    struct sync_cookie *ret_cookie)
{
	BerElement *ber = begin(value);
	struct berval uuid;
	ber_int_t state;
	int r = -EBADMSG;

	if (ber == NULL)
		return -EBADMSG;
	if (ber_scanf(ber, "{em", &state, &uuid) != LBER_ERROR && state >= SYNC_PRESENT && state <= SYNC_DELETE &&
	    uuid.bv_len == SYNC_UUID_SIZE && take_cookie(ber, ret_cookie) == 0 && ber_scanf(ber, "}") != LBER_ERROR &&
	    at_end(ber)) {
		memcpy(ret_uuid, uuid.bv_val, SYNC_UUID_SIZE);
		*ret_state = (enum sync_state)state;
		r = 0;
	}
	ber_free(ber, 1);
	return r;
}

static int
take_uuids(BerElement *ber, struct sync_info *ret)
{
	BerVarray list = NULL;
	size_t count = 0;
	int r = 0;

	if (ber_scanf(ber, "[W]", &list) == LBER_ERROR)
		return -EBADMSG;
	while (list != NULL && list[count].bv_val != NULL)
		count++;
	if (count > ID_SET_MAX)
		r = -EBADMSG;
	ret->uuids = r == 0 ? calloc(count > 0 ? count : 1, sizeof *ret->uuids) : NULL;
	if (r == 0 && ret->uuids == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (list[i].bv_len == SYNC_UUID_SIZE)
			memcpy(ret->uuids[i], list[i].bv_val, SYNC_UUID_SIZE);
		else
			r = -EBADMSG;
	}
	ret->count = r == 0 ? count : 0;
	ber_bvarray_free(list);
	return r;
}

static int
decode_info(BerElement *ber, struct sync_info *ret)
{
	struct berval cookie;
	ber_tag_t tag;
	ber_len_t len;
	int r;

	tag = ber_peek_tag(ber, &len);
	switch (tag) {
	case LDAP_TAG_SYNC_NEW_COOKIE:
		ret->kind = SYNC_NEW_COOKIE;
		if (ber_scanf(ber, "tm", &tag, &cookie) == LBER_ERROR)
			return -EBADMSG;
		if (cookie.bv_len > 0 && cookie.bv_len <= sizeof ret->cookie.bytes) {
			memcpy(ret->cookie.bytes, cookie.bv_val, cookie.bv_len);
			ret->cookie.len = cookie.bv_len;
			ret->cookie.there = true;
		}
		return 0;
	case LDAP_TAG_SYNC_REFRESH_DELETE:
	case LDAP_TAG_SYNC_REFRESH_PRESENT:
		ret->kind = tag == LDAP_TAG_SYNC_REFRESH_DELETE ? SYNC_REFRESH_DELETE : SYNC_REFRESH_PRESENT;
		ret->refresh_done = true;
		if (ber_scanf(ber, "t{", &tag) == LBER_ERROR || take_cookie(ber, &ret->cookie) < 0 ||
		    take_bool(ber, &ret->refresh_done) < 0 || ber_scanf(ber, "}") == LBER_ERROR)
			return -EBADMSG;
		return 0;
	case LDAP_TAG_SYNC_ID_SET:
		ret->kind = SYNC_ID_SET;
		if (ber_scanf(ber, "t{", &tag) == LBER_ERROR || take_cookie(ber, &ret->cookie) < 0 ||
		    take_bool(ber, &ret->refresh_deletes) < 0)
			return -EBADMSG;
		r = take_uuids(ber, ret);
		if (r == 0 && ber_scanf(ber, "}") == LBER_ERROR)
			r = -EBADMSG;
		return r;
	default:
		return -EBADMSG;
	}
}

int
sync_info_decode(const struct berval *value, struct sync_info *ret)
{
	BerElement *ber = begin(value);
	int r;

	*ret = (struct sync_info){ 0 };
	if (ber == NULL)
		return -EBADMSG;
	r = decode_info(ber, ret);
	if (r == 0 && !at_end(ber))
		r = -EBADMSG;
	ber_free(ber, 1);
	if (r < 0)
		sync_info_done(ret);
	return r;
}

void
sync_info_done(struct sync_info *info)
{
	free(info->uuids);
	info->uuids = NULL;
	info->count = 0;
}
