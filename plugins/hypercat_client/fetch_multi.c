/* SPDX-License-Identifier: Apache-2.0 */

/* libcurl's multi interface on the host's loop: it says which sockets to watch and when to call again. */

#include <errno.h>
#include <stdlib.h>

#include "crypto.h"
#include "fetch_internal.h"

static void collect(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	crypto_forget_errors();
	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct fetch *fetch = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch) != CURLE_OK || !fetch)
			continue;
		fetch_end(fetch, code);
	}
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	struct fetch_socket *watched = arg;
	struct fetcher *fetcher = watched->fetcher;
	int running, events = 0;

	if (ready & TG_READABLE)
		events |= CURL_CSELECT_IN;
	if (ready & TG_WRITABLE)
		events |= CURL_CSELECT_OUT;
	if (ready & TG_BROKEN)
		events |= CURL_CSELECT_ERR;
	curl_multi_socket_action(fetcher->multi, fd, events, &running);
	collect(fetcher);
}

static void on_timer(void *arg)
{
	struct fetcher *fetcher = arg;
	int running;

	curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(fetcher);
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
	struct fetcher *fetcher = arg;
	int64_t now_us = fetcher->host->now_us(fetcher->host);

	(void)multi;
	/* The time of this turn may be a little old. */
	fetcher->host->timer_set(fetcher->timer, timeout_ms < 0 ? 0 : now_us + (timeout_ms + (timeout_ms > 0)) * 1000);
	return 0;
}

static void unwatch(struct fetcher *fetcher, struct fetch_socket *watched)
{
	struct fetch_socket **at = &fetcher->sockets;

	while (*at && *at != watched)
		at = &(*at)->next;
	if (*at)
		*at = watched->next;
	fetcher->host->unwatch(watched->watch);
	free(watched);
}

static int watch(struct fetcher *fetcher, int fd, uint32_t events)
{
	struct fetch_socket *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return -1;
	watched->fetcher = fetcher;
	if (fetcher->host->watch(fetcher->host, fd, events, on_ready, watched, &watched->watch) < 0) {
		free(watched);
		return -1;
	}
	watched->next = fetcher->sockets;
	fetcher->sockets = watched;
	curl_multi_assign(fetcher->multi, fd, watched);
	return 0;
}

static int on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct fetch_socket *watched = socket_arg;
	struct fetcher *fetcher = arg;
	uint32_t events = 0;

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			unwatch(fetcher, watched);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= TG_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= TG_WRITABLE;
	if (watched)
		return fetcher->host->watch_set(watched->watch, events) < 0 ? -1 : 0;
	return watch(fetcher, fd, events);
}

int fetch_multi_new(struct fetcher *fetcher)
{
	int r = fetcher->host->timer_new(fetcher->host, on_timer, fetcher, &fetcher->timer);

	if (r < 0)
		return r;
	fetcher->multi = curl_multi_init();
	if (!fetcher->multi || curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
	    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher) != CURLM_OK ||
	    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timeout) != CURLM_OK ||
	    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher) != CURLM_OK ||
	    curl_multi_setopt(fetcher->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK ||
	    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)fetcher->plan->limits.concurrency) !=
		    CURLM_OK)
		return -ENOMEM;
	return 0;
}

void fetch_multi_free(struct fetcher *fetcher)
{
	if (fetcher->multi)
		curl_multi_cleanup(fetcher->multi);
	while (fetcher->sockets)
		unwatch(fetcher, fetcher->sockets);
	fetcher->host->timer_free(fetcher->timer);
	crypto_forget_errors();
}
