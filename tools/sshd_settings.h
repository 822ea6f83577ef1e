/*
 * sshd_settings.h - the few settings of sshd that decide whether PAM and a second factor can work.
 */
#ifndef ISMS_SSHD_SETTINGS_H
#define ISMS_SSHD_SETTINGS_H

#include <stdbool.h>

/* The value of a keyword that counts, and where it stands. */
struct sshd_value {
	char text[256];			/* its first word; "" without */
	char file[512];			/* below root */
};

struct sshd_settings {
	bool found;			/* there is an sshd_config */
	bool use_pam;			/* UsePAM; sshd's own default is no */
	bool kbd_interactive;		/* KbdInteractiveAuthentication; default yes */
	bool match_mfa;			/* a block "Match Group isms-mfa" is there */
	bool match_mfa_methods;		/* ... that sets AuthenticationMethods */
	bool match_mfa_kbd;		/* ... that sets KbdInteractiveAuthentication yes */
	struct sshd_value keys_command;	/* AuthorizedKeysCommand: a program, or "none" */
	struct sshd_value keys_user;	/* AuthorizedKeysCommandUser */
	char key_files[1024];		/* AuthorizedKeysFile of all blocks, separated by blanks; "none" left out */
};

/*
 * Read ROOT/etc/ssh/sshd_config with its Include files the way sshd does: the first value of a keyword
 * counts, a Match block lasts to the next one or to the end of its file. Values of command lines and of
 * other Match blocks are not seen.
 *
 *  root  "" or a folder
 *
 * Returns 0, or -ENOENT without a file.
 */
int sshd_settings_read(const char *root, struct sshd_settings *ret);

#endif
