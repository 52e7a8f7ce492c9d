/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/dtls_verify_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server server;
struct pki root, next_root;
static struct pki own;

void verify_setup(void)
{
	struct dtls_credentials credentials = {.crl_fd = -1};

	pki_make(&(struct pki_request){.name = "devices", .authority = true}, &root);
	pki_make(&(struct pki_request){.name = "devices 2", .authority = true}, &next_root);
	pki_make(&(struct pki_request){.name = "gateway", .issuer = &root}, &own);
	credentials.certificate_fd = pki_certificate_fd(&own, NULL);
	credentials.key_fd = pki_key_fd(&own);
	credentials.trust_fd = pki_certificate_fd(&root, NULL);
	server_start(NULL, &credentials, &server);
	close(credentials.certificate_fd);
	close(credentials.key_fd);
	close(credentials.trust_fd);
}

void verify_teardown(void)
{
	server_stop(&server);
	pki_done(&root);
	pki_done(&next_root);
	pki_done(&own);
}

/* What the settings say from now on. Ownership: takes the descriptors. */
int verify_take_over(int trust_fd, int crl_fd, bool expired_crl, const char **ret_problem)
{
	struct dtls_credentials credentials = {.certificate_fd = pki_certificate_fd(&own, NULL),
					       .key_fd = pki_key_fd(&own),
					       .trust_fd = trust_fd,
					       .crl_fd = crl_fd,
					       .expired_crl = expired_crl};
	int r = dtls_set_credentials(server.dtls, &credentials, ret_problem);

	close(credentials.certificate_fd);
	close(credentials.key_fd);
	if (trust_fd >= 0)
		close(trust_fd);
	if (crl_fd >= 0)
		close(crl_fd);
	return r;
}

void verify_trust(const struct pki *first, const struct pki *second)
{
	const char *problem = "";

	ck_assert_msg(verify_take_over(pki_certificate_fd(first, second), -1, true, &problem) == 0, "%s", problem);
}

void verify_lists(const struct pki_list *list, unsigned count, bool expired_crl)
{
	const char *problem = "";

	ck_assert_msg(verify_take_over(pki_certificate_fd(&root, NULL), pki_lists_fd(list, count), expired_crl,
				       &problem) == 0,
		      "%s", problem);
}

struct client *verify_device(const struct pki *pki, const struct pki *issuer)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .certificate = pki, .certificate_issuer = issuer};
	struct client *client;

	client_new(&options, &client);
	return client;
}

void verify_expect_in(const struct pki *pki, const struct pki *issuer)
{
	struct client *client = verify_device(pki, issuer);
	unsigned before = server.established;

	ck_assert_msg(server_connect(&server, client), "%s", server.detail);
	SERVER_UNTIL(&server, client, server.established == before + 1);
	server_echo(&server, client, "21.5");
	client_free(client);
}

/* The operator reads why, and which certificate; the peer gets an alert and no more. */
void verify_expect_out(const struct pki *pki, const struct pki *issuer, const char *why)
{
	struct client *client = verify_device(pki, issuer);
	unsigned before = server.failed[DTLS_END_BAD_CERTIFICATE], established = server.established;

	ck_assert(!server_connect(&server, client));
	ck_assert_uint_ne(client->alert, 0);
	ck_assert_uint_eq(server.failed[DTLS_END_BAD_CERTIFICATE], before + 1);
	ck_assert_msg(strncmp(server.detail, why, strlen(why)) == 0, "wanted \"%s\", told \"%s\"", why, server.detail);
	ck_assert_ptr_nonnull(strstr(server.detail, "serial "));
	ck_assert_uint_eq(server.established, established);
	client_free(client);
}
