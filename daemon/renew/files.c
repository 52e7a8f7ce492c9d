/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

int files_read(int fd, struct buffer *ret_text)
{
	struct buffer text;
	ssize_t n = 1;
	int r = 0;

	buffer_init(&text, FILES_MAX);
	text.secret = true;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while (n > 0 && r >= 0) {
		uint8_t *room = buffer_reserve(&text, 4096);

		n = room ? read(fd, room, 4096) : 0;
		if (!room)
			r = buffer_size(&text) + 4096 > FILES_MAX ? -EFBIG : -ENOMEM;
		else if (n < 0)
			r = -errno;
		else
			buffer_commit(&text, (size_t)n);
	}
	if (r < 0) {
		buffer_done(&text);
		return r;
	}
	*ret_text = text;
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int files_write(int fd, struct stack_st_X509 *chain, struct evp_pkey_st *key, struct X509_req_st *request)
{
	BIO *text = BIO_new(BIO_s_secmem());
	bool good = text != NULL;
	char *data = NULL;
	long size = 0;
	int r = -EIO;

	for (int i = 0; chain && i < sk_X509_num(chain) && good; i++)
		good = PEM_write_bio_X509(text, sk_X509_value(chain, i)) == 1;
	if (good && key)
		good = PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (good && request)
		good = PEM_write_bio_X509_REQ(text, request) == 1;
	if (good)
		size = BIO_get_mem_data(text, &data);
	if (good && lseek(fd, 0, SEEK_SET) == 0)
		r = write_all(fd, data, (size_t)size);
	BIO_free(text);
	ERR_clear_error();
	return r;
}
