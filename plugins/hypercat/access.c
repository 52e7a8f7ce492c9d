/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who asks. A client with a certificate is the device that it names; without one it brings a token with each request. The core is asked for
 * either of them once a connection, and says later when that has changed. A name that nobody has takes the same way as one with a wrong
 * key. A device whose key is being rotated has two, and the core gives the other one the next time: so each token gets two tries.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hypercat.h"

enum { TRIES = 2, BUSY_S = 5 };

static void end_session(struct hypercat *hypercat, struct client *client, struct visitor *visitor)
{
	if (!visitor->name[0])
		return;
	hypercat->host->session_ended(hypercat->host, server_number(client));
	hypercat->host->count(hypercat->host, COUNT_SESSIONS, -1);
	visitor->name[0] = '\0';
	token_wipe(&visitor->token);
}

static void refuse(struct task *task, int code, const char *words)
{
	task->hypercat->host->count(task->hypercat->host, COUNT_REFUSED, 1);
	if (code == 401 && task->hypercat->settings.tokens) {
		server_set(task->client, "WWW-Authenticate", "Bearer realm=\"tidegate\"");
		server_set(task->client, "WWW-Authenticate", "Basic realm=\"tidegate\", charset=\"UTF-8\"");
	}
	server_set(task->client, "Connection", "close");
	task_reply(task, code, words);
}

static void ask(struct task *task, enum tg_proof proof, struct tg_bytes identity)
{
	const struct tg_host *host = task->hypercat->host;
	int r;

	task->state = TASK_IDENTITY;
	task->tries++;
	r = host->lookup(host, proof, identity, server_ticket(task->client));
	if (r == -EMSGSIZE)
		refuse(task, 401, "not known");
	else if (r < 0)
		task_later(task, 503, BUSY_S, "the gateway cannot tell at the moment who you are");
}

static void check_token(struct task *task, const char *authorization)
{
	const struct visitor *visitor = task->visitor;

	if (!task->hypercat->settings.tokens || !token_read(authorization, &task->token)) {
		refuse(task, 401, "that is no token");
		return;
	}
	if (visitor->name[0] && visitor->proof == TG_PROOF_PSK &&
	    tls_is_equal(&visitor->token, &task->token, sizeof(task->token)))
		task_run(task);
	else
		ask(task, TG_PROOF_PSK, (struct tg_bytes){.data = task->token.name, .size = task->token.name_size});
}

void access_check(struct task *task)
{
	const char *authorization = server_header(task->client, "Authorization");
	char name[TG_DEVICE_MAX + 1];
	int r = tls_name(server_ssl(task->client), name);

	if (r == -EINVAL)
		refuse(task, 403, "the certificate names no device");
	else if (r >= 0 && task->visitor->name[0])
		task_run(task);
	else if (r >= 0)
		ask(task, TG_PROOF_CERTIFICATE, (struct tg_bytes){.data = name, .size = strlen(name)});
	else if (authorization)
		check_token(task, authorization);
	else
		refuse(task, 401, "a certificate or a token is wanted");
}

static bool is_key(const struct token *token, const struct tg_identity *identity)
{
	bool equal =
		identity->key.size == token->key_size && tls_is_equal(identity->key.data, token->key, token->key_size);

	return equal && identity->known;
}

static void again(struct task *task, bool by_token)
{
	if (!by_token)
		refuse(task, 403, "not enrolled here");
	else if (task->tries >= TRIES)
		refuse(task, 401, "not known");
	else
		ask(task, TG_PROOF_PSK, (struct tg_bytes){.data = task->token.name, .size = task->token.name_size});
}

void access_identity(struct task *task, const struct tg_identity *identity)
{
	bool by_token = task->token.name_size > 0;
	struct visitor *visitor = task->visitor;

	if (identity->device.size == 0 || identity->device.size > TG_DEVICE_MAX ||
	    (by_token ? !is_key(&task->token, identity) : !identity->known)) {
		again(task, by_token);
		return;
	}
	end_session(task->hypercat, task->client, visitor);
	memcpy(visitor->name, identity->device.data, identity->device.size);
	visitor->name[identity->device.size] = '\0';
	visitor->proof = by_token ? TG_PROOF_PSK : TG_PROOF_CERTIFICATE;
	visitor->generation = identity->generation;
	visitor->token = task->token;
	task->hypercat->host->count(task->hypercat->host, COUNT_SESSIONS, 1);
	access_tell(task->hypercat, task->client);
	task_run(task);
}

void access_tell(struct hypercat *hypercat, struct client *client)
{
	const struct visitor *visitor = *server_state(client);
	struct tls_description description;
	struct tg_session session = {.size = sizeof(session)};

	if (!visitor || !visitor->name[0])
		return;
	tls_describe(server_ssl(client), &description);
	session.proof = visitor->proof;
	session.device = (struct tg_bytes){.data = visitor->name, .size = strlen(visitor->name)};
	session.peer = server_peer(client);
	session.version = description.version;
	session.cipher = description.cipher;
	session.group = description.group;
	session.certificate = (struct tg_bytes){.data = description.certificate, .size = description.certificate_size};
	session.generation = visitor->generation;
	hypercat->host->session_begun(hypercat->host, server_number(client), &session);
}

void access_closed(struct hypercat *hypercat, struct client *client)
{
	struct visitor *visitor = *server_state(client);

	if (visitor)
		end_session(hypercat, client, visitor);
	free(visitor);
	*server_state(client) = NULL;
}

static void cut_changed(void *arg, struct client *client)
{
	const struct tg_bytes *device = arg;
	const struct visitor *visitor = *server_state(client);

	if (visitor && strlen(visitor->name) == device->size && memcmp(visitor->name, device->data, device->size) == 0)
		server_cut(client);
}

void access_device_changed(struct hypercat *hypercat, struct tg_bytes device)
{
	if (device.size)
		server_each(hypercat->server, cut_changed, &device);
}

static void cut_objected(void *arg, struct client *client)
{
	const struct hypercat *hypercat = arg;
	const struct visitor *visitor = *server_state(client);
	bool lost_token = visitor && visitor->proof == TG_PROOF_PSK && !hypercat->settings.tokens;

	if (lost_token || tls_objects(hypercat->tls, server_ssl(client)))
		server_cut(client);
}

void access_judge(struct hypercat *hypercat)
{
	server_each(hypercat->server, cut_objected, hypercat);
}
