/*
 * isms-authorized-keys.c - sshd's AuthorizedKeysCommand: the keys that the directory has for a user.
 *
 * Runs as root, started by sshd for whoever knocks. It must never print a key of a local account, wait past its
 * deadline, take a line from anybody but ismsd, or print one that says more than one line may. Whatever fails prints
 * nothing, and sshd goes on without.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "pam/pam_paths.h"
#include "pam/pam_who.h"
#include "pam/ssh_client.h"

#define TOTAL_MS	6000
#define LINES_MAX	64
#define FINGERPRINT	"SHA256:"

static int
complain(const char *what, int error)
{
	(void)fprintf(stderr, "isms-authorized-keys: %s%s%s\n", what, error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return EXIT_FAILURE;
}

/* One line, with its end, of printable bytes. */
static bool
is_line(const char *line)
{
	size_t len = strlen(line);

	if (len < 2 || line[len - 1] != '\n')
		return false;
	for (size_t i = 0; i + 1 < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return false;
	return true;
}

/* Take lines up to the end of the answer. Returns 0 or -errno; nothing is printed before all of it was good. */
static int
receive(int fd, int64_t deadline_ms, char **ret_text, size_t *ret_len)
{
	static uint8_t frame[PROTO_FRAME_MAX];
	static struct msg_key_line line;
	const struct message_info *info;
	struct msg_done done;
	size_t size;
	FILE *text = open_memstream(ret_text, ret_len);
	int r = text == NULL ? -ENOMEM : 0;

	for (unsigned i = 0; r == 0; i++) {
		r = channel_recv(fd, frame, sizeof frame, deadline_ms, &info, &size);
		if (r == 0 && info->number == MSG_DONE) {
			r = proto_decode(info, frame, size, &done);
			if (r == 0 && done.error != 0)
				r = done.error == EAGAIN || done.error == ENOMEM ? -(int)done.error : -EPROTO;
			break;
		}
		if (r == 0)
			r = info->number == MSG_KEY_LINE && i < LINES_MAX ? proto_decode(info, frame, size, &line) : -EBADMSG;
		if (r == 0)
			r = is_line(line.line) && fputs(line.line, text) >= 0 ? 0 : -EBADMSG;
	}
	if (text != NULL && fclose(text) != 0 && r == 0)
		r = -ENOMEM;
	return r;
}

static int
ask(const struct pam_paths *paths, const struct msg_keys_ask *msg)
{
	int64_t deadline_ms = channel_now_ms() + TOTAL_MS;
	uid_t owners[2] = { paths->owner };
	size_t owner_count = 1, len = 0;
	char *text = NULL;
	int fd = -1, r;

	if (who_local_uid(paths, paths->server_user, &owners[1]) == 1)
		owner_count = 2;
	r = channel_connect(paths->socket, owners, owner_count, deadline_ms, &fd);
	if (r == 0)
		r = channel_send(fd, MSG_KEYS_ASK, msg, deadline_ms);
	if (r == 0)
		r = receive(fd, deadline_ms, &text, &len);
	if (fd >= 0)
		(void)close(fd);
	if (r == 0 && (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0))
		r = -EIO;
	free(text);
	return r < 0 ? complain("no keys", -r) : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const struct pam_paths *paths = pam_paths();
	struct msg_keys_ask msg = { .user = "" };
	struct person person;
	enum who who;

	if (argc < 2 || argc > 3 || strlen(argv[1]) >= sizeof msg.user || argv[1][0] == '\0')
		return complain("usage: isms-authorized-keys USER [FINGERPRINT]; sshd gives them: %u %f", 0);
	if (argc == 3 && (strlen(argv[2]) >= sizeof msg.fingerprint ||
	    strncmp(argv[2], FINGERPRINT, sizeof FINGERPRINT - 1) != 0))
		return complain("a fingerprint is SHA256:...", 0);
	who_find(paths, argv[1], &person);
	who = person.who;
	who_done(&person);
	if (who != WHO_MANAGED)		/* of local accounts ismsd is never asked (THREATS I2) */
		return who == WHO_UNSURE ? complain("no keys: nobody can tell whose the name is", 0) : EXIT_SUCCESS;
	memcpy(msg.user, argv[1], strlen(argv[1]));
	if (argc == 3)
		memcpy(msg.fingerprint, argv[2], strlen(argv[2]));
	ssh_client_address(getppid(), msg.rhost, sizeof msg.rhost);
	return ask(paths, &msg);
}
