/* SPDX-License-Identifier: Apache-2.0 */
#include "hypercat_guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hypercat_rig.h"

static SSL_CTX *context;

void guests_begin(void)
{
	rig_setup();
	rig_put("dev-1", "door", 0, "open");
	context = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(SSL_CTX_use_certificate(context, rig_pki[RIG_READER].certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, rig_pki[RIG_READER].key), 1);
}

void guests_finish(void)
{
	SSL_CTX_free(context);
	rig_teardown();
}

void guest_connect(struct guest *guest)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)rig_port()),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*guest = (struct guest){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	ck_assert_int_ge(guest->fd, 0);
	ck_assert(connect(guest->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
}

bool guest_shakes_hands(struct guest *guest)
{
	return SSL_do_handshake(guest->ssl) == 1;
}

void guest_tls(struct guest *guest)
{
	guest->ssl = SSL_new(context);
	SSL_set_fd(guest->ssl, guest->fd);
	SSL_set_connect_state(guest->ssl);
}

void guest_secure(struct guest *guest)
{
	guest_connect(guest);
	guest_tls(guest);
	ck_assert(RIG_UNTIL(guest_shakes_hands(guest)));
}

bool guest_reads(struct guest *guest)
{
	size_t room = sizeof(guest->answer) - 1 - guest->size;
	ssize_t size = guest->ssl ? SSL_read(guest->ssl, guest->answer + guest->size, (int)room)
				  : read(guest->fd, guest->answer + guest->size, room);

	if (size > 0)
		guest->size += (size_t)size;
	else if (guest->ssl)
		guest->over |= SSL_get_error(guest->ssl, (int)size) != SSL_ERROR_WANT_READ;
	else
		guest->over |= size == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN);
	ERR_clear_error();
	guest->answer[guest->size] = '\0';
	return guest->over;
}

void guest_writes(struct guest *guest, const char *text, size_t size)
{
	size_t at = 0;
	int stuck = 0;

	while (at < size && stuck < 200 && !guest->over) {
		size_t piece = size - at < 16384 ? size - at : 16384;
		int r = SSL_write(guest->ssl, text + at, (int)piece);

		if (r > 0) {
			at += (size_t)r;
			stuck = 0;
			continue;
		}
		guest->over |= SSL_get_error(guest->ssl, r) != SSL_ERROR_WANT_WRITE;
		ERR_clear_error();
		stuck++;
		(void)mock_turn(rig, 1000);
	}
}

void guest_says(struct guest *guest, const char *text)
{
	guest_writes(guest, text, strlen(text));
}

bool guest_has(struct guest *guest, const char *text)
{
	(void)guest_reads(guest);
	return strstr(guest->answer, text) != NULL;
}

void guest_leave(struct guest *guest)
{
	SSL_free(guest->ssl);
	close(guest->fd);
	*guest = (struct guest){.fd = -1};
}
