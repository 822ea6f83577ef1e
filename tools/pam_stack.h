/*
 * pam_stack.h - the modules that a PAM service runs in one stage, in order, as libpam reads them.
 */
#ifndef ISMS_PAM_STACK_H
#define ISMS_PAM_STACK_H

#include <stdbool.h>

/* Called for each line; options: the rest of it, "" for none. Return false to stop. */
typedef bool pam_stack_each(const char *module, const char *control, const char *options, void *arg);

/*
 * Walk a service's file with include, substack and @include.
 *
 *  root     "" or a folder
 *  service  a file of /etc/pam.d, else of /usr/lib/pam.d
 *  type     "account", "session", "auth" or "password"
 *
 * Returns 0; -ENOENT when the service has no file; -ELOOP or -ENOENT for an include that cannot be followed.
 */
int pam_stack_walk(const char *root, const char *service, const char *type, pam_stack_each *each, void *arg);

/* Whether the service has a file. */
bool pam_stack_exists(const char *root, const char *service);

#endif
