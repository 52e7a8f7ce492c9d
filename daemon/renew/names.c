/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/names.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static bool has(const GENERAL_NAMES *names, const GENERAL_NAME *name)
{
	/* GENERAL_NAME_cmp does not write to them; its prototype is older than const. */
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), (GENERAL_NAME *)(uintptr_t)name) == 0)
			return true;
	}
	return false;
}

static bool has_all(const GENERAL_NAMES *names, const GENERAL_NAMES *wanted)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(wanted); i++) {
		if (!has(names, sk_GENERAL_NAME_value(wanted, i)))
			return false;
	}
	return true;
}

static void describe(const X509 *certificate, char *ret_text, size_t size)
{
	X509_NAME_oneline(X509_get_subject_name(certificate), ret_text, (int)size);
	for (char *p = ret_text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

bool names_same(const struct x509_st *new, const struct x509_st *old, char *ret_detail, size_t size)
{
	GENERAL_NAMES *now = X509_get_ext_d2i(new, NID_subject_alt_name, NULL, NULL);
	GENERAL_NAMES *before = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
	bool same = has_all(now, before) && has_all(before, now);
	char text[64];

	GENERAL_NAMES_free(now);
	GENERAL_NAMES_free(before);
	ERR_clear_error();
	if (X509_NAME_cmp(X509_get_subject_name(new), X509_get_subject_name(old)) != 0) {
		describe(new, text, sizeof(text));
		snprintf(ret_detail, size, "its subject is \"%s\"", text);
		return false;
	}
	if (!same)
		snprintf(ret_detail, size, "its subjectAltName differs");
	return same;
}

bool names_is(const struct x509_st *certificate, const char *common_name, char *ret_detail, size_t size)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	int length = place >= 0
			     ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)))
			     : -1;
	bool same = length >= 0 && (size_t)length == strlen(common_name) &&
		    memcmp(utf8, common_name, (size_t)length) == 0 &&
		    X509_NAME_get_index_by_NID(subject, NID_commonName, place) < 0;
	char text[64];

	OPENSSL_free(utf8);
	ERR_clear_error();
	if (!same) {
		describe(certificate, text, sizeof(text));
		snprintf(ret_detail, size, "its subject is \"%s\"", text);
	}
	return same;
}
