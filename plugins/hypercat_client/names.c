/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_STACK = 256 * 1024 };

struct names_question {
	const struct tg_host *host;
	char *name;
	names_done_fn *done;
	void *arg;
	/* The thread's, until it has posted. */
	char addresses[NAMES_TEXT];
	int result;
	/* The main thread's. */
	bool forgotten;
};

static void names_free(struct names_question *question)
{
	free(question->name);
	free(question);
}

static void names_arrived(void *arg)
{
	struct names_question *question = arg;
	const char *problem = question->result != 0 ? gai_strerror(question->result) : NULL;

	if (!question->forgotten)
		question->done(question->arg, problem ? NULL : question->addresses, problem);
	names_free(question);
}

static void names_write(struct names_question *question, const struct addrinfo *list)
{
	char address[INET6_ADDRSTRLEN];
	size_t used = 0;
	unsigned n = 0;

	for (; list && n < NAMES_MOST; list = list->ai_next) {
		bool v6 = list->ai_family == AF_INET6;

		if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) !=
			    0 ||
		    strchr(address, '%'))
			continue;
		used += (size_t)snprintf(question->addresses + used, sizeof(question->addresses) - used, "%s%s%s%s",
					 n ? "," : "", v6 ? "[" : "", address, v6 ? "]" : "");
		n++;
	}
	if (n == 0)
		question->result = EAI_NONAME;
}

static void *names_thread(void *arg)
{
	struct names_question *question = arg;
	const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	question->result = getaddrinfo(question->name, NULL, &hints, &found);
	if (question->result == 0) {
		names_write(question, found);
		freeaddrinfo(found);
	}
	/* Without memory the answer is lost, and the one who waits gives up by its own deadline. */
	(void)question->host->post(question->host, names_arrived, question);
	return NULL;
}

static int names_start(struct names_question *question)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, NAMES_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attributes, names_thread, question);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int names_ask(const struct tg_host *host, const char *name, names_done_fn *done, void *arg,
	      struct names_question **ret_question)
{
	struct names_question *question = calloc(1, sizeof(*question));
	int r;

	if (!question)
		return -ENOMEM;
	*question = (struct names_question){.host = host, .name = strdup(name), .done = done, .arg = arg};
	r = question->name ? names_start(question) : -ENOMEM;
	if (r < 0) {
		names_free(question);
		return r;
	}
	*ret_question = question;
	return 0;
}

void names_forget(struct names_question *question)
{
	if (question)
		question->forgotten = true;
}
