/*
 * greeting - what a greeting shows that is all that is known of a server.
 *
 *   line of a list   220 mx1.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000     \r \n \t \\ \xHH stand for bytes
 *   reply            the same as bytes, with CRLF behind unless a line ends there
 *   domain           mx1.example.org
 *   greeting         220 mx1.example.org ESMTP Exim 4.96 <date>
 *   template         220 <host> ESMTP Exim 4.96 <date>
 *   notice           554 5.7.1 <client> is refused                                           where the client is turned away
 *
 * `deepid.digest` says the same in Lua of whole sessions; the tests hold one against the other.
 */
#ifndef DEEPID_GREETING_H
#define DEEPID_GREETING_H

#include <stdbool.h>
#include <stddef.h>

#include "survey.h"

#include "mask.h"

#define GREETING_TEXT_MAX 16384 /* bytes of a line that count */
#define GREETING_REPLY_MAX (GREETING_TEXT_MAX + 2)
#define GREETING_MASKED 2048 /* bytes of a reply that are masked */
#define GREETING_KEY_MAX 240 /* bytes of a key */
#define GREETING_SLACK SURVEY_SLACK /* bytes behind a text that may be read or written, since it is copied sixteen bytes at a time */

enum greeting_kind { GREETING_DOMAIN, GREETING_WHOLE, GREETING_TEMPLATE, GREETING_NOTICE, GREETING_KINDS };

struct greeting_key {
	size_t length; /* 0: it shows none */
	char bytes[GREETING_KEY_MAX + GREETING_SLACK];
};

/* What is asked of greetings. */
struct greeting_form {
	uint8_t kinds[GREETING_KINDS]; /* the number of each kind in the survey; 0: not asked for */
	const char *codes;             /* of refusals: three digits each, with a blank between */
};

struct greeting {
	size_t length;
	char reply[GREETING_REPLY_MAX + GREETING_SLACK];
	struct greeting_key keys[GREETING_KINDS]; /* those that were asked for */
};

/*
 * greeting_read - the reply that a line stands for, and its keys.
 *
 * address  of the server, which is masked as the client's own: neither is the server's word
 *
 * False: a key is too long to be one; what else it shows is not known then.
 */
bool greeting_read(struct greeting *greeting, const char *text, size_t length, const struct mask_name *address, const struct greeting_form *form);

/* greeting_add - adds the keys of a host's greeting to the survey, each with itself as its text; returns as survey_add_soon. */
enum deepid_err greeting_add(const struct greeting *greeting, struct survey *survey, const struct address *address, const struct greeting_form *form);

/* --- Its parts --- */

/* greeting_reply - the bytes that a line of a list stands for, at most GREETING_REPLY_MAX; what is no right escape stands for itself. */
size_t greeting_reply(char *reply, const char *text, size_t length);

/*
 * greeting_domain - the domain that a reply with a code 2xx begins with (RFC 5321 4.2), in lower case.
 *
 * Behind the reply GREETING_SLACK bytes more can be read.  False: it is too long for a key.
 */
bool greeting_domain(struct greeting_key *key, const char *reply, size_t length);

/*
 * greeting_masked - the reply with what is volatile masked, and as a template, in one pass, NULL for one alone; tokens are words (mask_words).
 *
 * Behind the reply GREETING_SLACK bytes more can be read.
 */
void greeting_masked(struct greeting_key *whole, struct greeting_key *template, const char *reply, size_t length, const struct mask_name *address);

/* greeting_notice - the text of a reply whose code is one of `codes`, masked; host names in it stay. */
void greeting_notice(struct greeting_key *key, const char *reply, size_t length, const struct mask_name *address, const char *codes);

#endif
