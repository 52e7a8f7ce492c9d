/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
enum { FILE_MAX = 256 * 1024 };

/* Behind the last block of a PEM file stands whatever one likes (RFC 7468 section 2). */
static const char replaces[] = "\nreplaces: ";

int renewal_pair_open(const char *path)
{
	struct stat st;
	int fd;

	if (!path || !*path)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* The whole file, in memory that is wiped when it is freed; NULL where it cannot be read. */
static BIO *read_file(int fd)
{
	BIO *file = fd >= 0 ? BIO_new(BIO_s_secmem()) : NULL;
	uint8_t part[4096];
	off_t at = 0;
	ssize_t n = 1;

	while (file && n > 0 && at < FILE_MAX) {
		n = pread(fd, part, sizeof(part), at);
		if (n > 0 && BIO_write(file, part, (int)n) == n)
			at += n;
	}
	OPENSSL_cleanse(part, sizeof(part));
	if (n == 0)
		return file;
	BIO_free(file);
	return NULL;
}

/* Instead of asking at the terminal. */
static int no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? clock_seconds(&tm) : 0;
}

static int compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, RENEWAL_PAIR_HASH);
}

/* Of each name one hash, sorted: their order in the certificate means nothing. */
static bool hash_alternatives(const X509 *certificate, uint8_t ret_hash[RENEWAL_PAIR_HASH])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	CLEANUP_FREE uint8_t *hashes = calloc((size_t)count + 1, RENEWAL_PAIR_HASH);
	bool good = hashes != NULL;

	for (int i = 0; i < count && good; i++) {
		uint8_t *der = NULL;
		int size = i2d_GENERAL_NAME(sk_GENERAL_NAME_value(names, i), &der);

		good = size > 0;
		if (good)
			SHA256(der, (size_t)size, hashes + i * RENEWAL_PAIR_HASH);
		OPENSSL_free(der);
	}
	GENERAL_NAMES_free(names);
	if (!good)
		return false;
	qsort(hashes, (size_t)count, RENEWAL_PAIR_HASH, compare_hashes);
	SHA256(hashes, (size_t)count * RENEWAL_PAIR_HASH, ret_hash);
	return true;
}

static bool hash_names(X509 *certificate, uint8_t ret_hash[RENEWAL_PAIR_HASH])
{
	uint8_t both[2 * RENEWAL_PAIR_HASH];
	unsigned size = 0;

	if (X509_NAME_digest(X509_get_subject_name(certificate), EVP_sha256(), both, &size) != 1 ||
	    !hash_alternatives(certificate, both + RENEWAL_PAIR_HASH))
		return false;
	SHA256(both, sizeof(both), ret_hash);
	return true;
}

void renewal_pair_line(const struct renewal_pair *replaced, char ret_line[RENEWAL_PAIR_LINE])
{
	size_t used = (size_t)snprintf(ret_line, RENEWAL_PAIR_LINE, "%s", replaces);

	for (unsigned i = 0; i < RENEWAL_PAIR_HASH; i++)
		used += (size_t)snprintf(ret_line + used, RENEWAL_PAIR_LINE - used, "%02x", replaced->digest[i]);
	snprintf(ret_line + used, RENEWAL_PAIR_LINE - used, "\n");
}

static bool read_line(BIO *file, uint8_t ret_digest[RENEWAL_PAIR_HASH])
{
	char hex[2 * RENEWAL_PAIR_HASH + 1], *data = NULL;
	long size = BIO_get_mem_data(file, &data);
	const char *line = size > 0 ? memmem(data, (size_t)size, replaces, strlen(replaces)) : NULL;
	size_t got = 0;

	if (!line || (size_t)(data + size - line) < strlen(replaces) + sizeof(hex) - 1)
		return false;
	memcpy(hex, line + strlen(replaces), sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = 0;
	if (OPENSSL_hexstr2buf_ex(ret_digest, RENEWAL_PAIR_HASH, &got, hex, 0) == 1 && got == RENEWAL_PAIR_HASH)
		return true;
	ERR_clear_error();
	return false;
}

void renewal_pair_read(int certificate_fd, int key_fd, struct renewal_pair *ret_pair)
{
	struct renewal_pair pair = {.usable = false};
	BIO *certificates = read_file(certificate_fd), *keys = read_file(key_fd);
	bool has_replaced = certificates && read_line(certificates, pair.replaced);
	X509 *certificate = certificates ? PEM_read_bio_X509(certificates, NULL, no_password, NULL) : NULL;
	EVP_PKEY *key = keys ? PEM_read_bio_PrivateKey(keys, NULL, no_password, NULL) : NULL;
	unsigned size = 0;

	if (certificate && key && X509_check_private_key(certificate, key) == 1 &&
	    X509_digest(certificate, EVP_sha256(), pair.digest, &size) == 1 && hash_names(certificate, pair.names)) {
		pair.usable = true;
		pair.has_replaced = has_replaced;
		pair.begin_s = seconds_of(X509_get0_notBefore(certificate));
		pair.end_s = seconds_of(X509_get0_notAfter(certificate));
		memcpy(&pair.seed, pair.digest, sizeof(pair.seed));
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(certificates);
	BIO_free(keys);
	ERR_clear_error();
	*ret_pair = pair;
}

bool renewal_pair_same_names(const struct renewal_pair *a, const struct renewal_pair *b)
{
	return memcmp(a->names, b->names, sizeof(a->names)) == 0;
}

int renewal_pair_choose(const struct renewal_pair *configured, const struct renewal_pair *slot, int64_t now_s)
{
	if (!configured->usable || !slot->usable)
		return configured->usable ? 0 : slot->usable ? 1 : -1;
	if ((now_s < configured->end_s) != (now_s < slot->end_s))
		return now_s < slot->end_s;
	if (slot->has_replaced && memcmp(slot->replaced, configured->digest, sizeof(slot->replaced)) == 0)
		return 1;
	if (!renewal_pair_same_names(configured, slot))
		return 0;
	return configured->begin_s <= slot->begin_s;
}
