/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_STACK = 256 * 1024 };

struct names_question {
	const struct tg_host *host;
	char *name;
	char service[8];
	unsigned turn;
	names_done_fn *done;
	void *arg;
	/* The thread's, until it has posted. */
	struct sockaddr_storage address;
	int result;
	/* The main thread's. */
	bool forgotten;
};

static const struct addrinfo *choose(const struct addrinfo *found, unsigned turn)
{
	const struct addrinfo *chosen = found;
	unsigned count = 0;

	for (const struct addrinfo *one = found; one; one = one->ai_next)
		count++;
	for (turn %= count; turn > 0; turn--)
		chosen = chosen->ai_next;
	return chosen;
}

static int look_up(const char *name, const char *service, int flags, unsigned turn,
		   struct sockaddr_storage *ret_address)
{
	const struct addrinfo hints = {
		.ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	int r = getaddrinfo(name, service, &hints, &found);

	if (r != 0)
		return r;
	const struct addrinfo *chosen = choose(found, turn);
	memcpy(ret_address, chosen->ai_addr, chosen->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

bool names_digits(const char *host, uint16_t port, struct sockaddr_storage *ret_address)
{
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	return look_up(host, service, AI_NUMERICHOST, 0, ret_address) == 0;
}

static void names_free(struct names_question *question)
{
	free(question->name);
	free(question);
}

static void names_arrived(void *arg)
{
	struct names_question *question = arg;

	if (!question->forgotten)
		question->done(question->arg,
			       question->result == 0 ? (const struct sockaddr *)&question->address : NULL,
			       question->result == 0 ? NULL : gai_strerror(question->result));
	names_free(question);
}

static void *names_thread(void *arg)
{
	struct names_question *question = arg;

	question->result =
		look_up(question->name, question->service, AI_ADDRCONFIG, question->turn, &question->address);
	/* Without memory the answer is lost, and the one who waits gives up by its own deadline. */
	(void)question->host->post(question->host, names_arrived, question);
	return NULL;
}

int names_ask(const struct tg_host *host, const char *name, uint16_t port, unsigned turn, names_done_fn *done,
	      void *arg, struct names_question **ret_question)
{
	struct names_question *question = calloc(1, sizeof(*question));
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	if (!question)
		return -ENOMEM;
	*question = (struct names_question){.host = host, .name = strdup(name), .turn = turn, .done = done, .arg = arg};
	snprintf(question->service, sizeof(question->service), "%u", port);
	if (!question->name) {
		names_free(question);
		return -ENOMEM;
	}
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, NAMES_STACK);
	r = pthread_create(&thread, &attributes, names_thread, question);
	pthread_attr_destroy(&attributes);
	if (r != 0) {
		names_free(question);
		return -r;
	}
	*ret_question = question;
	return 0;
}

void names_forget(struct names_question *question)
{
	if (question)
		question->forgotten = true;
}
