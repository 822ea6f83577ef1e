/*
 * exemption_rows.c - exemptions of the directory as JSON rows (see exemption_rows.h).
 *
 * Runs in isms-userctl only. Must never leave one out: rows are of entries, whether a host would honour them or not.
 */
#include <config.h>

#include "tools/exemption_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_place.h"
#include "common/exemption.h"
#include "tools/account_care.h"
#include "tools/output.h"

static void
describe_bounds(const struct exemption *x, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s%s%s%s%s%s", x->key, x->key[0] != '\0' && x->service[0] != '\0' ? " " : "", x->service,
	    (x->key[0] != '\0' || x->service[0] != '\0') && x->sources[0] != '\0' ? " " : "", x->sources,
	    x->key[0] == '\0' && x->service[0] == '\0' && x->sources[0] == '\0' ? "nothing" : "");
}

/* Whether hosts honour it, in a word, by what census_care.c looks at. */
static const char *
state_of(const struct account *account, const struct entry *e, const struct exemption *x, int64_t now_utc_sec)
{
	const struct identity *member = account_find_dn(account, entry_value(e, "ismsMember"));
	const struct identity *approver = account_find_dn(account, entry_value(e, "ismsApprover"));

	if (now_utc_sec >= x->until_utc_sec)
		return "ended";
	if (member == NULL)
		return "nobody's";
	if (approver != NULL ? strcmp(account_state(approver, now_utc_sec), "active") != 0 : !exemption_by_operator(e, account->base))
		return "void: approver";
	return now_utc_sec < x->from_utc_sec ? "not yet" : "active";
}

json_t *
exemption_row(const struct account *account, const struct entry *e, int64_t now_utc_sec)
{
	const struct identity *member = account_find_dn(account, entry_value(e, "ismsMember"));
	const struct identity *approver = account_find_dn(account, entry_value(e, "ismsApprover"));
	char fault[IDENTITY_FAULT_SIZE] = "", bound[400] = "";
	struct exemption x;
	json_t *row = json_object();
	bool whole = exemption_read(e, NULL, &x, fault, sizeof fault) == 0;

	if (!entry_counts(e, ENTRY_EXEMPTION, account->base)) {
		(void)snprintf(fault, sizeof fault, "it counts directly below ou=exemptions of the base alone");
		whole = false;
	}
	if (whole && account_care_is_former(account, e)) {
		(void)snprintf(fault, sizeof fault, "it is older than the entry of its member or approver, and was another one's");
		whole = false;
	}
	if (whole)
		describe_bounds(&x, bound, sizeof bound);
	(void)json_object_set_new(row, "name", output_string(entry_value(e, "cn")));
	(void)json_object_set_new(row, "dn", output_string(e->dn));
	(void)json_object_set_new(row, "user", output_string(member != NULL ? member->name : entry_value(e, "ismsMember")));
	(void)json_object_set_new(row, "control", output_string(entry_value(e, "ismsControl")));
	(void)json_object_set_new(row, "state", output_string(whole ? state_of(account, e, &x, now_utc_sec) : "void"));
	(void)json_object_set_new(row, "from", output_time(whole ? x.from_utc_sec : 0));
	(void)json_object_set_new(row, "until", output_time(whole ? x.until_utc_sec : 0));
	(void)json_object_set_new(row, "bound", output_string(whole ? bound : NULL));
	(void)json_object_set_new(row, "approver", output_string(approver != NULL ? approver->name : entry_value(e, "ismsApprover")));
	(void)json_object_set_new(row, "reason", output_string(entry_value(e, "ismsReason")));
	(void)json_object_set_new(row, "ticket", output_string(entry_value(e, "ismsTicket")));
	(void)json_object_set_new(row, "fault", output_string(whole ? NULL : fault));
	return row;
}

json_t *
exemption_rows(const struct account *account, const char *user, int64_t now_utc_sec)
{
	const struct entries *all = directory_entries(account->directory);
	json_t *rows = json_array();

	for (size_t i = 0; i < all->count; i++)
		if (entry_has_class(all->list[i], "ismsExemption") &&
		    (user == NULL || entry_has_value(all->list[i], "ismsMember", user)))
			(void)json_array_append_new(rows, exemption_row(account, all->list[i], now_utc_sec));
	return rows;
}
