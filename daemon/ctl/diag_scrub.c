/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/diag_scrub.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECRET_MIN = 8, HEX_MIN = 32, SECRETS_MAX = 4096 };

#define REMOVED "[removed]"

void scrub_init(struct scrub *scrub)
{
	*scrub = (struct scrub){.secrets = NULL};
}

void scrub_done(struct scrub *scrub)
{
	for (size_t i = 0; i < scrub->count; i++) {
		explicit_bzero(scrub->secrets[i], strlen(scrub->secrets[i]));
		free(scrub->secrets[i]);
	}
	free(scrub->secrets);
	scrub_init(scrub);
}

static void add_secret(struct scrub *scrub, const char *text, size_t size)
{
	char **more;
	char *copy;

	if (size < SECRET_MIN || scrub->count == SECRETS_MAX || strncmp(text, "-----", 5) == 0)
		return;
	more = realloc(scrub->secrets, (scrub->count + 1) * sizeof(*more));
	if (!more)
		abort(); /* nothing may leave with a secret that was not remembered */
	scrub->secrets = more;
	copy = strndup(text, size);
	if (!copy)
		abort();
	scrub->secrets[scrub->count++] = copy;
}

void scrub_add(struct scrub *scrub, const char *text)
{
	while (*text) {
		size_t size = strcspn(text, "\r\n");

		add_secret(scrub, text, size);
		text += size;
		text += strspn(text, "\r\n");
	}
}

/* Each of these: how many bytes at `p` are to go, 0: none. `begin` is that of the text. */

static size_t known_secret(const struct scrub *scrub, const char *p)
{
	size_t longest = 0;

	for (size_t i = 0; i < scrub->count; i++) {
		size_t size = strlen(scrub->secrets[i]);

		if (size > longest && strncmp(p, scrub->secrets[i], size) == 0)
			longest = size;
	}
	return longest;
}

static size_t private_key(const char *p)
{
	const char *line_end, *kind, *end;

	if (strncmp(p, "-----BEGIN ", 11) != 0)
		return 0;
	line_end = p + strcspn(p, "\r\n");
	kind = strstr(p, "PRIVATE KEY-----");
	if (!kind || kind > line_end)
		return 0;
	end = strstr(kind, "-----END ");
	return end ? (size_t)(end - p) + strcspn(end, "\r\n") : strlen(p);
}

static size_t hexadecimal(const char *begin, const char *p)
{
	size_t size = strspn(p, "0123456789abcdefABCDEF");

	if (size < HEX_MIN || (p > begin && isalnum((unsigned char)p[-1])))
		return 0;
	return size;
}

/* A user and a password between "://" and '@'. */
static size_t user_of_url(const char *begin, const char *p)
{
	size_t size;

	if (p - begin < 3 || strncmp(p - 3, "://", 3) != 0)
		return 0;
	size = strcspn(p, "@/ \t\r\n\"'");
	return p[size] == '@' ? size : 0;
}

static size_t secret_word(const char *begin, const char *p)
{
	static const char *const words[] = {"password", "passwd", "passphrase", "secret", "token", "psk"};

	if (p > begin && isalnum((unsigned char)p[-1]))
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncasecmp(p, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	return 0;
}

static bool is_option(const char *begin, const char *p)
{
	return p - begin >= 2 && p[-1] == '-' && p[-2] == '-';
}

/* A word that names a secret, and what stands between it and the secret. A path to a secret is none. */
static size_t before_value(const char *begin, const char *p)
{
	size_t size = secret_word(begin, p), space;

	if (!size)
		return 0;
	size += strspn(p + size, "\"'");
	space = strspn(p + size, " \t");
	if (p[size + space] == '=' || p[size + space] == ':')
		size += space + 1 + strspn(p + size + space + 1, " \t");
	else if (is_option(begin, p) && space)
		size += space;
	else
		return 0;
	size += strspn(p + size, "\"'");
	return strchr("/[\r\n", p[size]) ? 0 : size;
}

static size_t to_remove(const struct scrub *scrub, const char *begin, const char *p)
{
	size_t size = known_secret(scrub, p);

	if (!size)
		size = private_key(p);
	if (!size)
		size = hexadecimal(begin, p);
	if (!size)
		size = user_of_url(begin, p);
	return size;
}

char *scrub_text(struct scrub *scrub, const char *text)
{
	char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	for (const char *p = text; *p;) {
		size_t gone = to_remove(scrub, text, p), kept = gone ? 0 : before_value(text, p);

		if (kept) {
			fwrite(p, 1, kept, out);
			p += kept;
			gone = strcspn(p, "\"' \t\r\n,;&");
		}
		if (gone) {
			fputs(REMOVED, out);
			scrub->removed++;
			p += gone;
		} else if (!kept) {
			fputc(*p++, out);
		}
	}
	if (fclose(out) == 0)
		return result;
	free(result);
	return NULL;
}
