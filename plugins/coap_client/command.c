/* SPDX-License-Identifier: Apache-2.0 */

/* Requests from the core to devices. What is on its way is on one session; when that ends, the core has it back. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { COMMANDS_MAX = 1024, S_US = 1000000 };

static void command_free(struct command *command)
{
	struct command **at = &command->peer->commands;

	while (*at != command)
		at = &(*at)->next;
	*at = command->next;
	command->peer->client->n_commands--;
	free(command);
}

/* The core has a command back, and waits. As long as it does, the device is worth a session (peer_has_work). */
static void command_owe(struct peer *peer, int64_t wait_us)
{
	const struct tg_host *host = peer->client->host;

	peer->owes_awake = true;
	peer->again_us = host->now_us(host) + wait_us;
}

/* The core is to come again when the device is heard. */
static void command_later(struct peer *peer, uint64_t ticket)
{
	const struct tg_host *host = peer->client->host;

	command_owe(peer, peer->client->plan->limits.backoff_max_us);
	host->count(host, COUNT_COMMANDS_LATER, 1);
	host->delivered(host, ticket, TG_RETRY, NULL);
}

static void command_answer(const struct command *command, const struct stack_message *message)
{
	struct client *client = command->peer->client;
	const struct tg_host *host = client->host;
	const struct tg_response response = {
		.size = sizeof(response),
		.code = message->code,
		.content_format = message->format,
		.payload = message->payload,
	};

	finished_add(client->finished, command->id, &response, host->now_us(host));
	host->count(host, COUNT_ANSWERED, 1);
	host->answered(host, command->ticket, &response);
}

static void command_done(void *arg, enum request_end end, const struct stack_message *message)
{
	struct command *command = arg;
	const struct tg_host *host = command->peer->client->host;
	struct stack_message without;

	switch (end) {
	case REQUEST_ANSWERED:
		command_answer(command, message);
		break;
	case REQUEST_LARGE:
		without = *message;
		without.payload = (struct tg_bytes){.data = NULL};
		host->log(host, TG_LOG_WARNING, command->peer->texts.name,
			  "the answer of \"%s\" to a command is larger than 'body_bytes', and goes on without its "
			  "payload",
			  command->peer->texts.name);
		command_answer(command, &without);
		break;
	case REQUEST_RESET:
		host->delivered(host, command->ticket, TG_REJECTED, "the device rejected the message (reset)");
		break;
	case REQUEST_BROKEN:
		host->delivered(host, command->ticket, TG_REJECTED, "the blocks of the answer do not fit together");
		break;
	case REQUEST_SILENT:
	case REQUEST_LATE:
	case REQUEST_LOST:
		command_later(command->peer, command->ticket);
		break;
	}
	command_free(command);
}

static struct command *command_find(const struct peer *peer, const uint8_t id[TG_ID_SIZE])
{
	for (struct command *command = peer->commands; command; command = command->next)
		if (memcmp(command->id, id, TG_ID_SIZE) == 0)
			return command;
	return NULL;
}

static bool has_room(const struct peer *peer)
{
	return peer->client->n_commands < COMMANDS_MAX && requests_have_room(&peer->requests);
}

void command_awake(struct peer *peer)
{
	const struct tg_host *host = peer->client->host;

	if (!peer->owes_awake)
		return;
	peer->owes_awake = false;
	host->awake(host, (struct tg_bytes){.data = peer->texts.name, .size = strlen(peer->texts.name)});
}

int64_t command_turn(struct peer *peer, int64_t now_us)
{
	if (peer->owes_awake && peer->again_us <= now_us) {
		if (has_room(peer))
			command_awake(peer);
		else
			command_owe(peer, S_US);
	}
	return peer->owes_awake ? peer->again_us : 0;
}

static int command_send(struct peer *peer, const struct tg_delivery *delivery)
{
	struct client *client = peer->client;
	const struct tg_host *host = client->host;
	const struct request_wish wish = {.method = delivery->method,
					  .address = delivery->address,
					  .payload = delivery->payload,
					  .format = delivery->content_format,
					  .observe = -1};
	int64_t wait_us = client->plan->limits.answer_us;
	struct command *command;
	int r;

	if (!has_room(peer))
		return -EAGAIN;
	command = calloc(1, sizeof(*command));
	if (!command)
		return -EAGAIN;
	if (delivery->expiry_s > 0 && delivery->expiry_s * (int64_t)S_US < wait_us)
		wait_us = delivery->expiry_s * (int64_t)S_US;
	*command = (struct command){.next = peer->commands, .peer = peer, .ticket = delivery->ticket};
	memcpy(command->id, delivery->id, TG_ID_SIZE);
	peer->commands = command;
	client->n_commands++;
	r = requests_begin(&peer->requests, &wish, host->now_us(host) + wait_us, command_done, command,
			   &command->request);
	if (r < 0)
		command_free(command);
	return r;
}

int command_deliver(struct client *client, const struct tg_delivery *delivery)
{
	const struct tg_host *host = client->host;
	const struct tg_response *known = finished_find(client->finished, delivery->id, host->now_us(host));
	struct peer *peer = peer_find(client, delivery->device);
	struct command *command = peer ? command_find(peer, delivery->id) : NULL;
	int r;

	if (delivery->kind != TG_COMMAND || delivery->method == TG_METHOD_NONE || delivery->method > TG_METHOD_IPATCH) {
		host->delivered(host, delivery->ticket, TG_REJECTED, "not a request to a device");
	} else if (!peer) {
		host->delivered(host, delivery->ticket, TG_REJECTED,
				"the device is not among this endpoint's 'devices'");
	} else if (known) {
		host->count(host, COUNT_REMEMBERED, 1);
		host->answered(host, delivery->ticket, known);
	} else if (command) {
		host->count(host, COUNT_REMEMBERED, 1);
		command->ticket = delivery->ticket;
	} else if (peer->state != PEER_UP) {
		command_later(peer, delivery->ticket);
		peer_wake(peer);
	} else {
		r = command_send(peer, delivery);
		peer_wake(peer);
		if (r == -EAGAIN) {
			command_owe(peer, S_US);
			return r;
		}
		if (r == -EINVAL || r == -E2BIG || r == -EMSGSIZE)
			host->delivered(host, delivery->ticket, TG_REJECTED, "the address does not fit into a request");
		else if (r < 0)
			command_later(peer, delivery->ticket);
		else
			host->count(host, COUNT_COMMANDS, 1);
	}
	return 0;
}
