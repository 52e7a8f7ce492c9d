/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 30000, DESCRIPTORS = 256 };

struct sensor {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	char identity[64];
	char key[64];
	uint8_t datagram[2048];
	size_t datagram_size;
	struct coap_message message;
	bool ended;
};

struct mock_host *rig;
static unsigned listener;

void rig_setup(void)
{
	char identity[32], device[32];

	listener = 0;
	ck_assert_int_eq(mock_host_new(mock_adapter("coap"), &rig), 0);
	mock_set(rig, "listen", "coaps://127.0.0.1:0");
	for (int i = 1; i <= 3; i++) {
		snprintf(identity, sizeof(identity), "sensor-%d", i);
		snprintf(device, sizeof(device), "device-%d", i);
		mock_enroll(rig, identity, device, (struct tg_bytes){RIG_KEY, strlen(RIG_KEY)});
	}
}

void rig_teardown(void)
{
	mock_host_free(rig);
}

void rig_begin(void)
{
	ck_assert_int_eq(mock_begin(rig), 0);
}

void rig_use(unsigned index)
{
	listener = index;
}

/* The adapter's sockets are the UDP sockets of this process that are bound and not connected; a listener may have several, one
 * behind the other. */
uint16_t rig_port(unsigned index)
{
	struct sockaddr_in address, peer;
	in_port_t last = 0;

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		socklen_t length = sizeof(address), peer_length = sizeof(peer);
		int type = 0;
		socklen_t type_length = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) < 0 || type != SOCK_DGRAM)
			continue;
		if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 || address.sin_family != AF_INET)
			continue;
		if (!address.sin_port || address.sin_port == last ||
		    getpeername(fd, (struct sockaddr *)&peer, &peer_length) >= 0)
			continue;
		last = address.sin_port;
		if (index-- == 0)
			return ntohs(address.sin_port);
	}
	ck_abort_msg("the adapter has no socket");
	return 0;
}

static unsigned give_key(SSL *ssl, const char *hint, char *identity, unsigned identity_size, unsigned char *key,
			 unsigned key_size)
{
	const struct sensor *sensor = SSL_get_app_data(ssl);

	(void)hint;
	ck_assert_uint_lt(strlen(sensor->identity), identity_size);
	ck_assert_uint_le(strlen(sensor->key), key_size);
	memcpy(identity, sensor->identity, strlen(sensor->identity) + 1);
	memcpy(key, sensor->key, strlen(sensor->key));
	return (unsigned)strlen(sensor->key);
}

struct sensor *sensor_plain(void)
{
	struct sensor *sensor = calloc(1, sizeof(*sensor));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(rig_port(listener))};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_ptr_nonnull(sensor);
	sensor->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(sensor->fd, 0);
	ck_assert_int_eq(connect(sensor->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return sensor;
}

static struct sensor *sensor_new(const char *ciphers)
{
	struct sensor *sensor = sensor_plain();

	sensor->context = SSL_CTX_new(DTLS_client_method());
	ck_assert_ptr_nonnull(sensor->context);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(sensor->context, ciphers), 1);
	return sensor;
}

static void sensor_prepare(struct sensor *sensor)
{
	sensor->ssl = SSL_new(sensor->context);
	ck_assert_ptr_nonnull(sensor->ssl);
	SSL_set_app_data(sensor->ssl, sensor);
	BIO *bio = BIO_new_dgram(sensor->fd, BIO_NOCLOSE);
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	ck_assert_int_eq(getpeername(sensor->fd, (struct sockaddr *)&address, &length), 0);
	(void)BIO_ctrl_set_connected(bio, &address);
	SSL_set_bio(sensor->ssl, bio, bio);
	SSL_set_options(sensor->ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(sensor->ssl, 1400);
}

/* 1: done, 0: not yet, -1: failed. */
static int step(struct sensor *sensor)
{
	ERR_clear_error();
	int r = SSL_connect(sensor->ssl);
	if (r == 1)
		return 1;
	return SSL_get_error(sensor->ssl, r) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static struct sensor *sensor_shake_hands(struct sensor *sensor)
{
	int r = 0;

	sensor_prepare(sensor);
	ck_assert_msg(MOCK_UNTIL(rig, (r = step(sensor)) != 0, WAIT_MS), "the handshake does not end");
	mock_settle(rig);
	if (r > 0)
		return sensor;
	sensor_free(sensor);
	return NULL;
}

static struct sensor *sensor_new_psk(const char *identity, const char *key)
{
	struct sensor *sensor = sensor_new("PSK-AES128-CCM8:@SECLEVEL=0");

	snprintf(sensor->identity, sizeof(sensor->identity), "%s", identity);
	snprintf(sensor->key, sizeof(sensor->key), "%s", key);
	SSL_CTX_set_psk_client_callback(sensor->context, give_key);
	return sensor;
}

struct sensor *sensor_psk(const char *identity, const char *key)
{
	return sensor_shake_hands(sensor_new_psk(identity, key));
}

bool sensor_is_left_alone(const char *identity, const char *key)
{
	struct sensor *sensor = sensor_new_psk(identity, key);
	int r = 0;

	sensor_prepare(sensor);
	for (int i = 0; i < 10 && r == 0; i++) {
		r = step(sensor);
		mock_settle(rig);
	}
	sensor_free(sensor);
	return r == 0;
}

struct sensor *sensor_certificate(const char *folder, const char *name)
{
	struct sensor *sensor = sensor_new("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0");
	char path[256];

	SSL_CTX_set_verify(sensor->context, SSL_VERIFY_NONE, NULL);
	snprintf(path, sizeof(path), "%s/%s.crt", folder, name);
	ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(sensor->context, path), 1);
	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(sensor->context, path, SSL_FILETYPE_PEM), 1);
	return sensor_shake_hands(sensor);
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	SSL_free(sensor->ssl);
	SSL_CTX_free(sensor->context);
	close(sensor->fd);
	free(sensor);
}

void sensor_shut(struct sensor *sensor)
{
	SSL_shutdown(sensor->ssl);
	sensor_free(sensor);
}

void sensor_send(struct sensor *sensor, struct tg_bytes datagram)
{
	if (sensor->ssl)
		ck_assert_int_eq(SSL_write(sensor->ssl, datagram.data, (int)datagram.size), (int)datagram.size);
	else
		ck_assert_int_eq(send(sensor->fd, datagram.data, datagram.size, 0), (ssize_t)datagram.size);
}

static void write_path(struct message_writer *writer, const char *path)
{
	while (*path) {
		size_t size = strcspn(path, "/");
		message_write_option(writer, MESSAGE_URI_PATH, (struct tg_bytes){path, size});
		path += size + (path[size] == '/');
	}
}

static void write_head(struct message_writer *writer, enum message_type type, uint8_t code, uint16_t id,
		       const char *path)
{
	uint8_t token[2] = {(uint8_t)(id >> 8), (uint8_t)id};

	message_write_header(writer, type, code, id, (struct tg_bytes){token, sizeof(token)});
	write_path(writer, path);
}

static void send_written(struct sensor *sensor, const struct message_writer *writer)
{
	ck_assert(!writer->failed);
	sensor_send(sensor, (struct tg_bytes){writer->data, writer->size});
}

void sensor_request(struct sensor *sensor, enum message_type type, uint8_t code, uint16_t id, const char *path,
		    const char *payload)
{
	uint8_t wire[1400];
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	write_head(&writer, type, code, id, path);
	message_write_payload(&writer, (struct tg_bytes){payload, payload ? strlen(payload) : 0});
	send_written(sensor, &writer);
}

void sensor_block(struct sensor *sensor, uint16_t id, const char *path, uint32_t block1, int64_t size1,
		  struct tg_bytes payload)
{
	uint8_t wire[1400];
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	write_head(&writer, MESSAGE_CON, MESSAGE_PUT, id, path);
	message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, 42);
	message_write_option_uint(&writer, MESSAGE_BLOCK1, block1);
	if (size1 >= 0)
		message_write_option_uint(&writer, MESSAGE_SIZE1, (uint32_t)size1);
	message_write_payload(&writer, payload);
	send_written(sensor, &writer);
}

void sensor_empty(struct sensor *sensor, enum message_type type, uint16_t id)
{
	uint8_t wire[4];
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, type, MESSAGE_EMPTY, id, (struct tg_bytes){0});
	send_written(sensor, &writer);
}

/* Whether a message has come. */
static bool take(struct sensor *sensor)
{
	ERR_clear_error();
	int r = sensor->ssl ? SSL_read(sensor->ssl, sensor->datagram, sizeof(sensor->datagram))
			    : (int)recv(sensor->fd, sensor->datagram, sizeof(sensor->datagram), 0);
	if (r <= 0 && !sensor->ssl)
		return false;
	if (r <= 0) {
		sensor->ended |= SSL_get_error(sensor->ssl, r) != SSL_ERROR_WANT_READ;
		return false;
	}
	sensor->datagram_size = (size_t)r;
	ck_assert_int_eq(message_parse((struct tg_bytes){sensor->datagram, (size_t)r}, &sensor->message), 0);
	return true;
}

bool sensor_poll(struct sensor *sensor, struct tg_bytes *ret_datagram)
{
	if (!take(sensor))
		return false;
	*ret_datagram = (struct tg_bytes){sensor->datagram, sensor->datagram_size};
	return true;
}

const struct coap_message *sensor_receive(struct sensor *sensor)
{
	bool taken = false;

	ck_assert_msg(MOCK_UNTIL(rig, taken || (taken = take(sensor)), WAIT_MS), "nothing comes");
	return &sensor->message;
}

struct tg_bytes sensor_receive_raw(struct sensor *sensor)
{
	sensor_receive(sensor);
	return (struct tg_bytes){sensor->datagram, sensor->datagram_size};
}

const struct coap_message *sensor_expect(struct sensor *sensor, enum message_type type, uint8_t code, uint16_t id)
{
	const struct coap_message *message = sensor_receive(sensor);

	ck_assert_int_eq(message->type, type);
	ck_assert_uint_eq(message->code, code);
	ck_assert_uint_eq(message->id, id);
	return message;
}

void sensor_expect_nothing(struct sensor *sensor)
{
	mock_settle(rig);
	ck_assert(!take(sensor));
}

bool sensor_is_ended(struct sensor *sensor)
{
	mock_settle(rig);
	while (take(sensor))
		;
	return sensor->ended;
}

int64_t sensor_option(const struct coap_message *message, uint16_t number)
{
	struct message_walk walk;
	struct message_option option;
	uint64_t value = 0;

	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != number)
			continue;
		for (size_t i = 0; i < option.value.size; i++)
			value = value << 8 | ((const uint8_t *)option.value.data)[i];
		return (int64_t)value;
	}
	return -1;
}
