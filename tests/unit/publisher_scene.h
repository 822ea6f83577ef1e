/*
 * publisher_scene.h - a publisher below a folder of its own, and a directory process that talks to it.
 */
#ifndef ISMS_TESTS_PUBLISHER_SCENE_H
#define ISMS_TESTS_PUBLISHER_SCENE_H

#include <check.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/paths.h"
#include "common/proto.h"
#include "common/snapshot.h"
#include "daemon/roster.h"

#define OWNER	300125u		/* a uid that this machine does not use */
#define WAIT_MS	60000

extern char root[64];
extern struct paths paths;
extern pid_t daemon_pid;
extern uint64_t serial;		/* of the state that was sent last */

/* Make the folder with passwd, group, isms.conf and policy.conf, and start `ismsd publisher --root` there; end removes it. */
void begin(void);
void end(void);
void start_daemon(void);
/* The same with what systemd kept of one before it. */
struct kept {
	const char *name;
	int fd;
};
void start_daemon_with(const struct kept *kept, unsigned count);
void stop_daemon(void);

/* Replace a file below etc. */
void write_etc(const char *name, const char *text);

/* Whether the log has a text, within ms. */
bool has_logged(const char *text, int ms);

/* Connect as the directory process. Returns the socket, which the caller closes. */
int connect_to(void);

/* Send a roster as it is told; memfd is closed. */
struct msg_roster_result send_message(const struct msg_roster *m, int memfd);
/* A whole one of the next serial. */
struct msg_roster_result send_roster(int memfd);
/* A change of what was sent last, of the next serial. */
struct msg_roster_result send_change(int memfd);
struct msg_roster_result vouch(uint64_t for_serial);

/* key=value lines; static. */
const char *get_status(void);
/* Have a user's sessions ended. Returns the error of DONE. */
uint32_t end_sessions(const char *user, uint32_t uid);

/* What is published, checked whole. */
void open_snapshot(struct snapshot *ret);
/* Wait until what is published has a generation; returns with it open. */
void await_generation(uint64_t generation, struct snapshot *ret);
void await_users(uint64_t generation, uint32_t users);

/* A process of a uid; its parent reaps it. */
pid_t start_process(uint32_t uid);
/* Whether it has ended within ms. */
bool is_gone(pid_t pid, int ms);
double now_sec(void);

/* Groups 3000 web, 900 low, 3001 sudo; a user who is in all of them, and in local groups. */
extern const struct roster_group groups[3];
extern const uint32_t all_groups[3];
struct roster_user make_ada(void);

#endif
