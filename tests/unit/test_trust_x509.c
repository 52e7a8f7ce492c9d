/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_x509.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "suite.h"

/* Made with openssl for this test alone; the keys open nothing. */
static const char ca_pem[] = "-----BEGIN CERTIFICATE-----\n"
			     "MIIBeDCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAkMRAwDgYDVQQDDAd0ZXN0LWNh\n"
			     "MRAwDgYDVQQKDAdFeGFtcGxlMB4XDTIwMDEwMTAwMDAwMFoXDTQwMDEwMTAwMDAw\n"
			     "MFowJDEQMA4GA1UEAwwHdGVzdC1jYTEQMA4GA1UECgwHRXhhbXBsZTBZMBMGByqG\n"
			     "SM49AgEGCCqGSM49AwEHA0IABDQPS3upXVlrj5b8PZbusuGyR2XliNwHaOvUhQ0R\n"
			     "TPVylpM5S2QX/WXjz9HdXjDKqFimStEKO3RUnuwmC2KfZeCjQjBAMA8GA1UdEwEB\n"
			     "/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBTV9DYX+3jD5Xyz8mZG\n"
			     "zofLHywRNzAKBggqhkjOPQQDAgNHADBEAiBPAiYDfRGtmJ4YL+b7qwJnpw8LhDSf\n"
			     "EljI4cfCVivz8QIgOQ22BsVpeGBSTQEC5SA6p/C44x0TocNZ8wrEJ44Xe8A=\n"
			     "-----END CERTIFICATE-----\n";
static const char leaf_pem[] = "-----BEGIN CERTIFICATE-----\n"
			       "MIIBsjCCAVigAwIBAgIBAjAKBggqhkjOPQQDAjAkMRAwDgYDVQQDDAd0ZXN0LWNh\n"
			       "MRAwDgYDVQQKDAdFeGFtcGxlMB4XDTI2MDEwMTAwMDAwMFoXDTI2MDQwMTAwMDAw\n"
			       "MFowIzEPMA0GA1UEAwwGaGFsbC0zMRAwDgYDVQQKDAdFeGFtcGxlMFkwEwYHKoZI\n"
			       "zj0CAQYIKoZIzj0DAQcDQgAEqd2H2m3sCZPKKsqUoSQ8CaHlk9kavQ0ky9obwecb\n"
			       "QlfNs1uvKCmPsOq7IL1w/hKLabUNAFvagwGdrj4m6eNVQ6N8MHowDAYDVR0TAQH/\n"
			       "BAIwADAqBgNVHREEIzAhgg5oYWxsLTMuZXhhbXBsZYcEfwAAAYYJdXJuOmRldjo3\n"
			       "MB0GA1UdDgQWBBShQJ/JIYJOvr8bprz1Mf0hBg4mRDAfBgNVHSMEGDAWgBTV9DYX\n"
			       "+3jD5Xyz8mZGzofLHywRNzAKBggqhkjOPQQDAgNIADBFAiEAxxTukOmjwmZXe9U6\n"
			       "jAuDuLAFxD1xREMpOWYQQtWZgz8CICL1paaBpt5R6OlbPEkoa9Gl80v9lkTI999j\n"
			       "dGac+e/R\n"
			       "-----END CERTIFICATE-----\n";
static const char list_pem[] = "-----BEGIN X509 CRL-----\n"
			       "MIG8MGMCAQEwCgYIKoZIzj0EAwIwJDEQMA4GA1UEAwwHdGVzdC1jYTEQMA4GA1UE\n"
			       "CgwHRXhhbXBsZRcNMjYwMTAxMDAwMDAwWhcNMjYwMTA4MDAwMDAwWqAOMAwwCgYD\n"
			       "VR0UBAMCAQEwCgYIKoZIzj0EAwIDSQAwRgIhAL6UP6DvkUNa/wTmDbfcb/IRDBnS\n"
			       "WyBjfque4Zx8IzWpAiEA1F2rZgh2v2OTci7PvjsDrMdEC8bfbRL6ucrCNBYwuZE=\n"
			       "-----END X509 CRL-----\n";
static const char key_pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
			      "MHcCAQEEIELqmO2NIuaMX4Bu+RVgFarLVZ5WlhnI0NsV4GRclWhJoAoGCCqGSM49\n"
			      "AwEHoUQDQgAEqd2H2m3sCZPKKsqUoSQ8CaHlk9kavQ0ky9obwecbQlfNs1uvKCmP\n"
			      "sOq7IL1w/hKLabUNAFvagwGdrj4m6eNVQw==\n"
			      "-----END EC PRIVATE KEY-----\n";
static const char other_key_pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
				    "MHcCAQEEIHWuk5yPNrePl1fRYor+IjjoD8bJsoxVpL1k1z+lLgnooAoGCCqGSM49\n"
				    "AwEHoUQDQgAENA9Le6ldWWuPlvw9lu6y4bJHZeWI3Ado69SFDRFM9XKWkzlLZBf9\n"
				    "ZePP0d1eMMqoWKZK0Qo7dFSe7CYLYp9l4A==\n"
				    "-----END EC PRIVATE KEY-----\n";

#define S CLOCK_S_US

struct seen {
	int count;
	struct trust_x509 facts[4];
};

static void see(void *arg, const struct trust_x509 *facts)
{
	struct seen *seen = arg;

	ck_assert_int_lt(seen->count, 4);
	seen->facts[seen->count++] = *facts;
}

static int read_text(const char *a, const char *b, const char *c, struct seen *seen)
{
	char *text = NULL;
	int r;

	ck_assert_int_ge(asprintf(&text, "%s%s%s", a, b, c), 0);
	*seen = (struct seen){.count = 0};
	r = trust_x509_read_pem(bytes_text(text), see, seen);
	free(text);
	return r;
}

START_TEST(a_certificate)
{
	struct seen seen;
	const struct trust_x509 *facts = &seen.facts[0];

	ck_assert_int_eq(read_text("a line before it\n", leaf_pem, "", &seen), 1);
	ck_assert_str_eq(facts->subject, "O=Example,CN=hall-3");
	ck_assert_str_eq(facts->issuer, "O=Example,CN=test-ca");
	ck_assert_str_eq(facts->serial, "02");
	ck_assert_str_eq(facts->names, "DNS:hall-3.example, IP Address:127.0.0.1, URI:urn:dev:7");
	ck_assert_str_eq(facts->key, "EC");
	ck_assert_uint_eq(facts->bits, 256);
	ck_assert_str_eq(facts->signature, "ecdsa-with-SHA256");
	ck_assert_str_eq(facts->fingerprint, "2c477fd08e3745c2f98ba74980fb92941d47131396754d1b87a468bcd6cffaa8");
	ck_assert(!facts->authority && !facts->list);
	ck_assert_int_eq(facts->from_wall_us, INT64_C(1767225600) * S);
	ck_assert_int_eq(facts->until_wall_us, INT64_C(1775001600) * S);
}
END_TEST

START_TEST(several_in_one_file)
{
	struct seen seen;

	ck_assert_int_eq(read_text(leaf_pem, key_pem, ca_pem, &seen), 2);
	ck_assert(seen.facts[1].authority);
	ck_assert_int_eq(read_text(ca_pem, list_pem, "", &seen), 2);
	ck_assert(seen.facts[1].list);
	ck_assert_str_eq(seen.facts[1].issuer, "O=Example,CN=test-ca");
	ck_assert_int_eq(seen.facts[1].from_wall_us, INT64_C(1767225600) * S);
	ck_assert_int_eq(seen.facts[1].until_wall_us, INT64_C(1767830400) * S);
}
END_TEST

START_TEST(none_or_broken)
{
	struct seen seen;
	char broken[sizeof(leaf_pem)];

	ck_assert_int_eq(read_text("", "", "", &seen), 0);
	ck_assert_int_eq(read_text("nothing of that kind", "", "", &seen), 0);
	ck_assert_int_eq(read_text(key_pem, "", "", &seen), 0);
	ck_assert_int_eq(seen.count, 0);
	memcpy(broken, leaf_pem, sizeof(broken));
	memcpy(strchr(broken, '\n') + 1, "AAAA", 4);
	ck_assert_int_eq(read_text(ca_pem, broken, "", &seen), -EINVAL);
	ck_assert_int_eq(seen.count, 1);
	for (size_t size = 30; size < sizeof(leaf_pem) - 30; size += 7) { /* cut off */
		int r = trust_x509_read_pem(bytes_of(leaf_pem, size), see, &(struct seen){.count = 0});

		ck_assert_int_eq(r, -EINVAL);
	}
	ck_assert_int_eq(trust_x509_read_der(bytes_of("\x30\x03\x02\x01\x01", 5), &seen.facts[0]), -EINVAL);
	ck_assert_int_eq(trust_x509_read_der(bytes_of("", 0), &seen.facts[0]), -EINVAL);
}
END_TEST

START_TEST(whose_key)
{
	ck_assert_int_eq(trust_x509_check_key(bytes_text(leaf_pem), bytes_text(key_pem)), 0);
	ck_assert_int_eq(trust_x509_check_key(bytes_text(leaf_pem), bytes_text(other_key_pem)), -EKEYREJECTED);
	ck_assert_int_eq(trust_x509_check_key(bytes_text(leaf_pem), bytes_text(leaf_pem)), -ENOENT);
	ck_assert_int_eq(trust_x509_check_key(bytes_text(leaf_pem), bytes_text("")), -ENOENT);
	ck_assert_int_eq(trust_x509_check_key(bytes_text(key_pem), bytes_text(key_pem)), -EINVAL);
}
END_TEST

SUITE_MAIN("trust_x509", a_certificate, several_in_one_file, none_or_broken, whose_key)
