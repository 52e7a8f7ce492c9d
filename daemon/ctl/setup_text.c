/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup_text.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64, TEXT_MAX_BYTES = 255 };

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

const char *setup_bad_name(const char *text)
{
	size_t size = strlen(text);

	if (size == 0)
		return "it needs a name";
	if (size > NAME_MAX_BYTES || strspn(text, name_characters) != size)
		return "a name has up to 64 letters, digits, '.', '_' or '-'";
	return NULL;
}

const char *setup_bad_site(const char *text)
{
	return *text ? setup_bad_name(text) : NULL;
}

const char *setup_bad_text(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return "there is a control character in it";
	return strlen(text) > TEXT_MAX_BYTES ? "it is too long" : NULL;
}

/* Something behind `scheme`, in one word. */
static const char *bad_uri(const char *text, const char *scheme, const char *why)
{
	size_t size = strlen(scheme);

	if (strncmp(text, scheme, size) != 0 || !text[size] || strpbrk(text + size, " \"\\@"))
		return why;
	return setup_bad_text(text);
}

const char *setup_bad_broker(const char *text)
{
	if (strncmp(text, "mqtt://", 7) == 0)
		return "mqtt:// is without TLS: anybody on the way could read along; ask for the broker's mqtts:// "
		       "address";
	return bad_uri(text, "mqtts://", "it is written like this: mqtts://broker.example.com:8883");
}

const char *setup_bad_listen(const char *text)
{
	return bad_uri(text, "coaps://", "it is written like this: coaps://[::]:5684");
}

const char *setup_bad_est(const char *text)
{
	return *text ? bad_uri(text, "https://", "it is written like this: https://est.example.com") : NULL;
}

const char *setup_bad_path(const char *text)
{
	if (*text && *text != '/')
		return "write the whole path, from the first '/' on";
	return setup_bad_text(text);
}

/* As a string of libconfig. */
static void write_string(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void write_setting(const char *indent, const char *name, const char *value, FILE *out)
{
	if (!*value)
		return;
	fprintf(out, "%s%s = ", indent, name);
	write_string(value, out);
	fputs(";\n", out);
}

static void write_field(char *const *answers, FILE *out)
{
	static const struct {
		const char *setting;
		const char *file;
	} files[] = {{"certificate", "gateway.crt"}, {"key", "gateway.key"}, {"trust", "devices-ca.crt"}};

	fputs("\t{\n\t\tname = \"field\"; adapter = \"coap\";\n\t\tlisten = [ ", out);
	write_string(answers[SETUP_LISTEN], out);
	fputs(" ];\n", out);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", answers[SETUP_IDENTITY], files[i].file);
		write_setting("\t\t", files[i].setting, path, out);
	}
	fputs("\t},\n", out);
}

static void write_cloud(char *const *answers, FILE *out)
{
	fputs("\t{\n\t\tname = \"cloud\"; adapter = \"mqtt\";\n\t\tbroker = [ ", out);
	write_string(answers[SETUP_BROKER], out);
	fputs(" ];\n", out);
	write_setting("\t\t", "trust", answers[SETUP_TRUST], out);
	write_setting("\t\t", "certificate", answers[SETUP_CERTIFICATE], out);
	write_setting("\t\t", "key", answers[SETUP_KEY], out);
	write_setting("\t\t", "est", answers[SETUP_EST], out);
	write_setting("\t\t", "est_username", answers[SETUP_EST_USERNAME], out);
	write_setting("\t\t", "est_password", answers[SETUP_EST_PASSWORD], out);
	write_setting("\t\t", "username", answers[SETUP_USERNAME], out);
	write_setting("\t\t", "password_file", answers[SETUP_PASSWORD_FILE], out);
	fputs("\t}\n", out);
}

void setup_write(char *const *answers, FILE *out)
{
	fputs("# Written by tidegatectl setup. Everything else that can be set stands in tidegate.conf(5).\n\ngateway: "
	      "{\n",
	      out);
	write_setting("\t", "name", answers[SETUP_GATEWAY], out);
	write_setting("\t", "site", answers[SETUP_SITE], out);
	fputs("};\n\nendpoints: (\n", out);
	write_field(answers, out);
	write_cloud(answers, out);
	fprintf(out,
		");\n\n"
		"# Readings go to %s{gateway}/{device}/{path}, commands come at …/{device}/command/{path}.\n"
		"routes: (\n"
		"\t{\n"
		"\t\tname = \"telemetry\"; from = \"field\"; match = \"/{path}\";\n"
		"\t\tto = \"cloud\"; address = \"%s{gateway}/{device}/{path}\";\n"
		"\t},\n"
		"\t{\n"
		"\t\tname = \"commands\"; from = \"cloud\"; match = \"%s{gateway}/{device}/command/{path}\";\n"
		"\t\tto = \"field\"; address = \"/{path}\";\n"
		"\t}\n"
		");\n",
		*answers[SETUP_SITE] ? "{site}/" : "", *answers[SETUP_SITE] ? "{site}/" : "",
		*answers[SETUP_SITE] ? "{site}/" : "");
}
