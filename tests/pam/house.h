/*
 * house.h - the three real processes of ismsd below a folder, with a directory of a few people.
 *
 * Password of everybody: HOUSE_PASSWORD. ada: contractor with a token, ends in 90 days. eve: the same, without any past.
 * unenrolled, expired, disabled, locked, endless (contractor without an end), mustchange: ada but for that one thing.
 * bob and root stand in the directory and in the local passwd file.
 */
#ifndef ISMS_TESTS_HOUSE_H
#define ISMS_TESTS_HOUSE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/pam/scene.h"

#define HOUSE_PASSWORD	"correct horse battery"
#define HOUSE_CONTACT	"helpdesk@example.org"

enum house_process { HOUSE_DIRECTORY, HOUSE_PUBLISHER, HOUSE_FRONT, HOUSE_PROCESSES };

struct house {
	char root[64];
	pid_t pid[HOUSE_PROCESSES];
};

/* Build, start, wait until ada can be resolved and the front answers. Makes the scene's module look here. */
void house_open(struct house *house);
/* Stop everything; fails the test when a process does not end in good order. */
void house_close(struct house *house);

/* Start one of them. */
void house_start(struct house *house, enum house_process which);
/* End one of them by a signal. */
void house_kill(struct house *house, enum house_process which, int signal);

/* Change an attribute (NULL: remove) as isms-userctl does, and wait until the directory process says so itself. */
void house_edit(const struct house *house, const char *user, const char *attribute, const char *value);

/* The code of a person's token some steps before or after now; ret of 9 bytes. */
const char *house_code(int steps, char ret[static 9]);

/* How many events of the processes have all of a text in one line, up to now. */
unsigned house_events(const struct house *house, const char *text);

#endif
