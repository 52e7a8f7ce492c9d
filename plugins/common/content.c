/* SPDX-License-Identifier: Apache-2.0 */
#include "content.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONTENT_MAX = 4 * 1024 * 1024, PASSWORD_MAX = 65535 };

void content_done(struct content *content)
{
	if (content->data)
		OPENSSL_cleanse(content->data, content->size);
	free(content->data);
	*content = (struct content){0};
}

static int content_read_all(int fd, struct content *ret_content)
{
	struct content content = {.data = malloc(CONTENT_MAX + 1)}; /* not touched beyond what is read */
	ssize_t n = 1;

	if (!content.data)
		return -ENOMEM;
	while (n > 0 && content.size <= CONTENT_MAX) {
		n = read(fd, content.data + content.size, CONTENT_MAX + 1 - content.size);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			content.size += (size_t)n;
	}
	if (n < 0 || content.size > CONTENT_MAX) {
		int error = n < 0 ? -errno : -EFBIG;

		content_done(&content);
		return error;
	}
	*ret_content = content;
	return 0;
}

int content_read(const struct tg_host *host, const char *setting, struct content *ret_content)
{
	int fd = host->setting_file(host, setting);
	int r = fd;

	if (fd == -ENOENT && *host->setting_text(host, setting) == '\0')
		return 0;
	if (fd >= 0) {
		r = content_read_all(fd, ret_content);
		close(fd);
	}
	return r;
}

struct tg_bytes content_bytes(const struct content *content)
{
	return (struct tg_bytes){.data = content->data, .size = content->size};
}

int content_password(const struct content *content, char **ret_password)
{
	size_t size = content->size;
	char *password;

	while (size > 0 && (content->data[size - 1] == '\n' || content->data[size - 1] == '\r'))
		size--;
	if (size == 0 || size > PASSWORD_MAX || memchr(content->data, 0, size))
		return -EINVAL;
	password = strndup((const char *)content->data, size);
	if (!password)
		return -ENOMEM;
	*ret_password = password;
	return 0;
}

static bool content_digest_text(EVP_MD_CTX *digest, const char *text)
{
	return EVP_DigestUpdate(digest, text, strlen(text) + 1) == 1;
}

bool content_digest(EVP_MD_CTX *digest, const struct content *content)
{
	return EVP_DigestUpdate(digest, &content->size, sizeof(content->size)) == 1 &&
	       EVP_DigestUpdate(digest, content->data, content->size) == 1;
}

bool content_digest_row(EVP_MD_CTX *digest, const struct tg_setting *row, const struct tg_host *host)
{
	const char *text;
	bool good = content_digest_text(digest, row->name);
	int64_t number = 0;

	if (row->type == TG_BOOL)
		number = host->setting_bool(host, row->name);
	else if (row->type == TG_INT)
		number = host->setting_int(host, row->name);
	else if (row->type != TG_LIST)
		return good && content_digest_text(digest, host->setting_text(host, row->name));
	for (size_t i = 0; row->type == TG_LIST && (text = host->setting_item(host, row->name, i)) != NULL; i++)
		good = good && content_digest_text(digest, text);
	return good && EVP_DigestUpdate(digest, &number, sizeof(number)) == 1;
}
