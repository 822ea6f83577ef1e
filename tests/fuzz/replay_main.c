/*
 * replay_main.c - main() of the fuzz targets where libFuzzer is not linked (plain `make check`).
 *
 * Feeds every file of argv, or every file of a folder in argv, to LLVMFuzzerTestOneInput; without
 * arguments the target's own corpus, tests/fuzz/corpus/NAME for fuzz_NAME. No input at all is a
 * failure, so that a lost corpus is noticed. Test code only.
 */
#include <config.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void
replay_file(const char *path, size_t size)
{
	uint8_t *data;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		err(EXIT_FAILURE, "%s", path);
	if (size > INPUT_MAX)
		errx(EXIT_FAILURE, "%s: too large", path);
	data = malloc(size > 0 ? size : 1);	/* exactly as large as the input, so that ASan sees every overrun */
	if (data == NULL)
		err(EXIT_FAILURE, "%s", path);
	if (fread(data, 1, size, f) != size)
		errx(EXIT_FAILURE, "%s: cannot be read whole", path);
	(void)LLVMFuzzerTestOneInput(data, size);
	replayed++;
	free(data);
	(void)fclose(f);
}

static int
visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
replay(const char *path)
{
	struct dirent **names;
	struct stat st;
	char *sub;
	int n;

	if (stat(path, &st) < 0)
		err(EXIT_FAILURE, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return;
	}
	n = scandir(path, &names, visible, alphasort);
	if (n < 0)
		err(EXIT_FAILURE, "%s", path);
	for (int i = 0; i < n; i++) {
		if (asprintf(&sub, "%s/%s", path, names[i]->d_name) < 0)
			err(EXIT_FAILURE, "%s", path);
		replay(sub);
		free(sub);
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	const char *name = program_invocation_short_name;
	char corpus[4096];

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		if (strncmp(name, "lt-", 3) == 0)	/* libtool's name for a program that is not installed yet */
			name += 3;
		if (strncmp(name, "fuzz_", 5) != 0)
			errx(EXIT_FAILURE, "not named fuzz_NAME, and no input given");
		(void)snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", TEST_SRCDIR, name + 5);
		replay(corpus);
	}
	if (replayed == 0)
		errx(EXIT_FAILURE, "no input");
	return EXIT_SUCCESS;
}
