/*
 * ismsd.c - `ismsd PROCESS`: parses the command line and runs the process that it names.
 *
 * Runs as whoever systemd starts it as; takes no privilege and drops none: each process's unit is its sandbox. Nothing
 * of the environment is read here, what would reach libldap is taken out of it, and no core of any process is ever written.
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/ldap_handle.h"
#include "common/paths.h"
#include "daemon/process.h"

#define EXIT_USAGE 2

static const struct {
	const char *name, *help;
	int (*run)(const struct paths *paths);
} processes[] = {
	{ "front", "decide logins, keep what prevents replay", front_main },
	{ "directory", "read the directory, check passwords, name who exists", directory_main },
	{ "publisher", "check and publish users and groups, end sessions", publisher_main },
};

#define PROCESS_COUNT (sizeof processes / sizeof processes[0])

static int
usage(FILE *to, int status)
{
	(void)fputs("Usage: ismsd PROCESS [--root DIR] [--foreground]\n\n", to);
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		(void)fprintf(to, "  %-10s  %s\n", processes[i].name, processes[i].help);
	(void)fputs("\n"
	    "  --root DIR    find every file and socket below DIR; events go to standard error\n"
	    "  --foreground  accepted for clarity: a process never leaves the foreground\n"
	    "  --help        show this\n"
	    "  --version     show the version\n\n"
	    "systemd starts the processes; see ismsd(8).\n", to);
	return status;
}

/* Settings of the process that no code path may come before: passwords pass through some of them. */
static int
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int
run(const char *process, const char *root)
{
	static struct paths paths;
	int r;

	r = paths_init(root, &paths);
	if (r < 0) {
		(void)fprintf(stderr, "ismsd: --root %s: %s\n", root,
		    r == -EINVAL ? "must be absolute, without a slash at its end" : strerror(-r));
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		if (strcmp(processes[i].name, process) == 0)
			return processes[i].run(&paths) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "ismsd: no process is called %s; see ismsd --help\n", process);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *root = "";
	int c, r;

	ldap_handle_prepare();
	r = harden();
	if (r < 0) {
		(void)fprintf(stderr, "ismsd: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			root = optarg;
			break;
		case 'f':
			break;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		case 'V':
			(void)printf("ismsd %s\n", ISMS_VERSION);
			return EXIT_SUCCESS;
		default:
			(void)fputs("Try ismsd --help.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc - 1)
		return usage(stderr, EXIT_USAGE);
	return run(argv[optind], root);
}
