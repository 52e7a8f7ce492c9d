/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates under the gateway's own authority for devices. */

#include "ctl/device_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl/out.h"

enum { REQUEST_MAX = 32 * 1024 };

/* The whole file as text; NULL, having said why. Ownership: the caller's. */
static char *read_request(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = malloc(REQUEST_MAX + 1);
	size_t size = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (text && n > 0 && size < REQUEST_MAX) {
		n = read(fd, text + size, REQUEST_MAX - size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (!text || n < 0) {
		fprintf(stderr, "tidegatectl: cannot read \"%s\" (%s)\n", path, strerror(errno));
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/* What the device needs: its key where it was made here, its certificate, and the authority's. */
static void write_all(FILE *file, const json_t *result)
{
	fputs(ctl_text(result, "private_key"), file);
	fputs(ctl_text(result, "certificate"), file);
	fputs(ctl_text(result, "authority"), file);
}

static void show(struct ctl *ctl, json_t *result, const char *path, bool key_made)
{
	if (path && key_made)
		json_object_del(result, "private_key");
	if (ctl_print_json(ctl, result))
		return;
	if (!path) {
		write_all(stdout, result);
	} else {
		printf("device    %s\ngood until  %s\n\nIts %scertificate and that of the authority are in \"%s\"%s.\n",
		       ctl_text(result, "device"), ctl_text(result, "until"), key_made ? "key, its " : "", path,
		       key_made ? ", the key is nowhere else: put it into the device now" : "");
	}
	if (json_is_true(json_object_get(result, "trusted")))
		return;
	fprintf(stderr, "Endpoint \"%s\" does not trust the gateway's own authority yet. ",
		ctl_text(result, "endpoint"));
	if (*ctl_text(result, "trust"))
		fprintf(stderr, "Add it: tidegatectl device ca >> %s\n", ctl_text(result, "trust"));
	else
		fputs("Write it to a file, with tidegatectl device ca, that its setting \"trust\" names.\n", stderr);
}

int ctl_certificate_ask(struct ctl *ctl, const struct certificate_wish *wish)
{
	char *text = wish->request ? read_request(wish->request) : NULL;
	struct out out;
	json_t *request, *result;
	int r;

	if (wish->request && !text)
		return CTL_FAILED;
	request =
		json_pack("{s:s,s:s,s:b,s:s*,s:s*,s:s*}", "command", "device-certificate", "device", wish->device,
			  "again", wish->again, "endpoint", wish->endpoint, "profile", wish->profile, "request", text);
	free(text);
	if (!request) {
		fprintf(stderr, "tidegatectl: \"%s\" is no certificate request in PEM form\n", wish->request);
		return CTL_FAILED;
	}
	if (!out_open(&out, wish->out)) {
		json_decref(request);
		return CTL_FAILED;
	}
	r = ctl_ask(ctl, request, &result);
	if (r != CTL_GOOD) {
		out_drop(&out);
		return r;
	}
	if (out.file)
		write_all(out.file, result);
	if (out_keep(&out))
		show(ctl, result, wish->out, !wish->request);
	else
		r = CTL_FAILED;
	if (r == CTL_FAILED)
		fputs("The device is enrolled, and this certificate is lost: get another one with tidegatectl device "
		      "certificate.\n",
		      stderr);
	json_decref(result);
	return r;
}

int ctl_device_certificate(struct ctl *ctl)
{
	bool bad = false;
	struct certificate_wish wish = {.again = true};

	wish.request = ctl_option(ctl, "--csr", &bad);
	wish.out = ctl_option(ctl, "--out", &bad);
	if (bad || ctl->argc != 1 || (!wish.request && !wish.out))
		return ctl_bad_usage(ctl,
				     "device certificate wants one name, and --out FILE for a new key or --csr FILE");
	wish.device = ctl->argv[0];
	return ctl_certificate_ask(ctl, &wish);
}

int ctl_device_ca(struct ctl *ctl)
{
	json_t *result;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "device ca takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "device-ca"), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		fputs(ctl_text(result, "text"), stdout);
	json_decref(result);
	return CTL_GOOD;
}
