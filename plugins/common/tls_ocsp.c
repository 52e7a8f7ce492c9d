/* SPDX-License-Identifier: Apache-2.0 */

/* What a broker says of its own certificate's status, signed by its authority (RFC 6960, stapled by RFC 6066 section 8). */

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls_internal.h"

/* SKEW: clocks differ. AGE: how old a response without an end may be. */
enum { OCSP_SKEW_S = 300, OCSP_AGE_S = 7 * 86400, OCSP_STATUS_REQUEST = 5 };

/* What SSL_CTX_set_tlsext_status_cb wants. */
enum { OCSP_GOES_ON = 1, OCSP_REFUSED = 0 };

static int ocsp_refuse(struct tls_handshake *handshake, const char *why)
{
	snprintf(handshake->cause, sizeof(handshake->cause), "certificate verify failed: %s", why);
	return OCSP_REFUSED;
}

static OCSP_RESPONSE *ocsp_response(const SSL *ssl)
{
	unsigned char *bytes = NULL;
	/* The SSL is const by the callback's types alone. */
	long size = SSL_get_tlsext_status_ocsp_resp((SSL *)(uintptr_t)ssl, &bytes);
	const unsigned char *at = bytes;

	return bytes && size > 0 ? d2i_OCSP_RESPONSE(NULL, &at, size) : NULL;
}

/* Whether the certificate says that a response must be there (RFC 7633). */
static bool ocsp_is_promised(const X509 *certificate)
{
	TLS_FEATURE *features = X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
	bool promised = false;

	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		promised |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == OCSP_STATUS_REQUEST;
	sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
	return promised;
}

/* Whether a single response is about this certificate, by the hash that the response has chosen. */
static bool ocsp_is_about(OCSP_SINGLERESP *single, const X509 *certificate, const X509 *issuer)
{
	const OCSP_CERTID *theirs = OCSP_SINGLERESP_get0_id(single);
	ASN1_OBJECT *algorithm = NULL;
	OCSP_CERTID *ours;
	bool same;

	if (OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, (OCSP_CERTID *)(uintptr_t)theirs) != 1)
		return false;
	const EVP_MD *hash = EVP_get_digestbyobj(algorithm);
	ours = hash ? OCSP_cert_to_id(hash, certificate, issuer) : NULL;
	same = ours && OCSP_id_cmp(ours, theirs) == 0;
	OCSP_CERTID_free(ours);
	return same;
}

/* Returns NULL where the response is in force. OpenSSL's own check asks the machine's clock, not the host's. */
static const char *ocsp_when(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *until, int64_t now_s)
{
	if (!from || ASN1_TIME_cmp_time_t(from, (time_t)(now_s + OCSP_SKEW_S)) > 0)
		return "the stapled OCSP response is not yet valid";
	if (until ? ASN1_TIME_cmp_time_t(until, (time_t)(now_s - OCSP_SKEW_S)) < 0
		  : ASN1_TIME_cmp_time_t(from, (time_t)(now_s - OCSP_AGE_S)) < 0)
		return "the stapled OCSP response has expired";
	return NULL;
}

/* Returns NULL where the response says that the certificate is good. Revoked counts also when it was said a while ago. */
static const char *ocsp_status(OCSP_BASICRESP *basic, const X509 *certificate, const X509 *issuer, int64_t now_s)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
		int status;

		if (!ocsp_is_about(single, certificate, issuer))
			continue;
		status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
		if (status == V_OCSP_CERTSTATUS_REVOKED)
			return "certificate is revoked, says the stapled OCSP response";
		if (status != V_OCSP_CERTSTATUS_GOOD)
			return "the stapled OCSP response does not know the certificate";
		return ocsp_when(from, until, now_s);
	}
	return "the stapled OCSP response is about another certificate";
}

/* Signed by the issuer, or by a responder that it has named (RFC 6960 section 4.2.2.2). */
static bool ocsp_is_signed(OCSP_BASICRESP *basic, const struct tls_handshake *handshake, STACK_OF(X509) * chain)
{
	X509_STORE *store = tls_verify_store(handshake->tls, handshake->wall_s);
	bool good = store && OCSP_basic_verify(basic, chain, store, 0) == 1;

	X509_STORE_free(store);
	return good;
}

static int ocsp_check(OCSP_RESPONSE *response, struct tls_handshake *handshake, STACK_OF(X509) * chain)
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	const char *why = "the stapled OCSP response cannot be read";

	if (basic && sk_X509_num(chain) > 1)
		why = ocsp_is_signed(basic, handshake, chain)
			      ? ocsp_status(basic, sk_X509_value(chain, 0), sk_X509_value(chain, 1), handshake->wall_s)
			      : "the stapled OCSP response is not signed by the certificate's authority";
	OCSP_BASICRESP_free(basic);
	return why ? ocsp_refuse(handshake, why) : OCSP_GOES_ON;
}

/* An error of the responder's, such as tryLater, which some servers staple as well, says nothing. */
static int ocsp_on_status(SSL *ssl, void *arg)
{
	struct tls_handshake *handshake = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const X509 *certificate = SSL_get0_peer_certificate(ssl);
	OCSP_RESPONSE *response = ocsp_response(ssl);
	int result = OCSP_GOES_ON;

	(void)arg;
	if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		result = ocsp_check(response, handshake, SSL_get0_verified_chain(ssl));
	else if (handshake->tls->ocsp == TLS_OCSP_REQUIRE)
		result = ocsp_refuse(handshake, "the broker has stapled no OCSP response, and ocsp = \"require\"");
	else if (certificate && ocsp_is_promised(certificate))
		result = ocsp_refuse(handshake,
				     "the broker has stapled no OCSP response, though its certificate promises one");
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return result;
}

void tls_ocsp_set(SSL_CTX *context, const struct tls *tls)
{
	if (tls->ocsp == TLS_OCSP_OFF || !tls->anchors)
		return;
	SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(context, ocsp_on_status);
}
