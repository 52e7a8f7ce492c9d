/* SPDX-License-Identifier: Apache-2.0 */
#include "hypercat_client_fake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hypercat_client/fetch.h"
#include "hypercat_client/names.h"

struct fetch {
	struct fetch *next;
	struct fetcher *fetcher;
	struct page *page;
	bool not_modified;
	fetch_done_fn *done;
	void *arg;
	struct tg_timer *timer;
};

struct fetcher {
	const struct tg_host *host;
	struct fetch *fetches;
};

struct page fake_pages[FAKE_PAGES];
int64_t fake_takes_us;
unsigned fake_most_running, fake_names;
const char *fake_names_problem;
static unsigned running;

int fetcher_new(const struct plan *plan, unsigned sessions, uint64_t *numbers, struct fetcher **ret_fetcher)
{
	(void)sessions;
	(void)numbers;
	*ret_fetcher = calloc(1, sizeof(**ret_fetcher));
	(*ret_fetcher)->host = plan->host;
	return 0;
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	while (fetcher->fetches)
		fetch_forget(fetcher->fetches);
	free(fetcher);
}

void fetcher_joined(const struct fetcher *fetcher)
{
	(void)fetcher;
}

void fetch_forget(struct fetch *fetch)
{
	struct fetch **at = &fetch->fetcher->fetches;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	fetch->fetcher->host->timer_free(fetch->timer);
	free(fetch);
	running--;
}

static void answer(void *arg)
{
	struct fetch *fetch = arg;
	const struct page *page = fetch->page;
	struct fetch_answer told = {.end = FETCH_ANSWERED, .status = 404, .content_type = "text/plain", .cause = ""};
	fetch_done_fn *done = fetch->done;
	void *with = fetch->arg;

	if (page && !page->text) {
		told.end = FETCH_FAILED;
		told.cause = "nobody is there";
	} else if (page) {
		told.status = fetch->not_modified ? 304 : page->status;
		told.etag = page->etag;
		told.retry_after_s = page->retry_after_s;
		told.body = (struct tg_bytes){page->text, strlen(page->text)};
	}
	fetch_forget(fetch);
	done(with, &told);
}

int fetch_begin(struct fetcher *fetcher, const struct fetch_wish *wish, fetch_done_fn *done, void *arg,
		struct fetch **ret_fetch)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	const struct tg_host *host = fetcher->host;

	*fetch = (struct fetch){.next = fetcher->fetches, .fetcher = fetcher, .done = done, .arg = arg};
	for (size_t i = 0; i < FAKE_PAGES && fake_pages[i].url; i++)
		if (strcmp(fake_pages[i].url, wish->href->text) == 0) {
			fetch->page = &fake_pages[i];
			fetch->page->asked++;
			fetch->page->with_token = wish->with_token;
			fetch->page->last_us = host->now_us(host);
		}
	fetch->not_modified =
		fetch->page && fetch->page->etag && wish->etag && strcmp(fetch->page->etag, wish->etag) == 0;
	fetcher->fetches = fetch;
	ck_assert_int_eq(host->timer_new(host, answer, fetch, &fetch->timer), 0);
	host->timer_set(fetch->timer, host->now_us(host) + fake_takes_us);
	fake_most_running = ++running > fake_most_running ? running : fake_most_running;
	*ret_fetch = fetch;
	return 0;
}

struct names_question {
	names_done_fn *done;
	void *arg;
};

static void named(void *arg)
{
	struct names_question *question = arg;

	if (question->done)
		question->done(question->arg, fake_names_problem ? NULL : "192.0.2.1", fake_names_problem);
	free(question);
}

int names_ask(const struct tg_host *host, const char *name, names_done_fn *done, void *arg,
	      struct names_question **ret_question)
{
	struct names_question *question = calloc(1, sizeof(*question));

	(void)name;
	fake_names++;
	*question = (struct names_question){done, arg};
	*ret_question = question;
	return host->post(host, named, question);
}

void names_forget(struct names_question *question)
{
	if (question)
		question->done = NULL;
}

struct page *page(const char *url, const char *text)
{
	size_t i = 0;

	while (fake_pages[i].url && strcmp(fake_pages[i].url, url) != 0)
		i++;
	ck_assert_uint_lt(i, FAKE_PAGES);
	fake_pages[i].url = url;
	fake_pages[i].text = text;
	fake_pages[i].status = 200;
	return &fake_pages[i];
}
