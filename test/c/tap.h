/* tap - one line of TAP a check, in C. */
#ifndef DEEPID_TEST_TAP_H
#define DEEPID_TEST_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

static inline bool tap_ok(bool ok, const char *name)
{
	tap_failed += !ok;
	printf("%sok %d - %s\n", ok ? "" : "not ", ++tap_count, name);
	fflush(stdout);
	return ok;
}

/* The exit status of main. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
