/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mock_internal.h"

int mock_deliver(struct mock_host *mock, const struct tg_delivery *delivery, uint64_t *ret_ticket)
{
	struct tg_delivery d = *delivery;
	int r;

	mock->tickets = mock_grow(mock->tickets, mock->n_tickets, sizeof(*mock->tickets));
	mock->tickets[mock->n_tickets++] = (struct mock_ticket){.result = -1};
	d.size = sizeof(d);
	d.ticket = mock->n_tickets;
	d.kind = d.kind ? d.kind : TG_TELEMETRY;
	d.time_wall_us = d.time_wall_us ? d.time_wall_us : INT64_C(1770000000000000);
	if (d.id[0] == 0) { /* the test gives none */
		for (unsigned i = 0; i < 8; i++)
			d.id[TG_ID_SIZE - 1 - i] = (uint8_t)(d.ticket >> 8 * i);
		d.id[6] = 0x70;
		d.id[8] = 0x80;
	}
	r = mock->adapter->deliver(mock->state, &d);
	if (r >= 0 && ret_ticket)
		*ret_ticket = d.ticket;
	return r;
}

int mock_deliver_text(struct mock_host *mock, const char *address, const char *payload, uint64_t *ret_ticket)
{
	return mock_deliver(mock,
			    &(struct tg_delivery){
				    .device = bytes_text("dev-1"),
				    .path = bytes_text(address),
				    .address = bytes_text(address),
				    .content_format = 0,
				    .payload = bytes_text(payload),
				    .qos = 1,
			    },
			    ret_ticket);
}

int mock_result(const struct mock_host *mock, uint64_t ticket)
{
	if (ticket == 0 || ticket > mock->n_tickets)
		mock_die("the test asks for a ticket that it never got");
	return mock->tickets[ticket - 1].result;
}

void mock_answer(struct mock_host *mock, uint64_t token, const struct tg_answer *answer)
{
	struct tg_answer a = *answer;

	for (size_t i = 0; i < mock->n_submissions; i++) {
		if (mock->submissions[i].token != token || mock->submissions[i].answered)
			continue;
		mock->submissions[i].answered = true;
		a.size = sizeof(a);
		mock->adapter->verdict(mock->state, token, &a);
		return;
	}
	mock_die("no submission with token %llu waits", (unsigned long long)token);
}

void mock_accept(struct mock_host *mock, uint64_t token)
{
	mock_answer(mock, token, &(struct tg_answer){.verdict = TG_ACCEPTED});
}

void mock_refuse(struct mock_host *mock, uint64_t token, enum tg_verdict verdict)
{
	mock_answer(mock, token,
		    &(struct tg_answer){.verdict = verdict, .max_age_s = 5, .reason = bytes_text("refused")});
}

void mock_enroll(struct mock_host *mock, const char *identity, const char *device, struct tg_bytes key)
{
	struct mock_identity *i = calloc(1, sizeof(*i));

	if (!i || key.size > sizeof(i->key))
		mock_die("cannot enroll '%s'", identity);
	i->identity = strdup(identity);
	i->device = strdup(device);
	if (key.size)
		memcpy(i->key, key.data, key.size);
	i->key_size = key.size;
	i->next = mock->identities;
	mock->identities = i;
}

void mock_forget(struct mock_host *mock, const char *identity)
{
	for (struct mock_identity **p = &mock->identities; *p; p = &(*p)->next) {
		struct mock_identity *i = *p;

		if (strcmp(i->identity, identity) != 0)
			continue;
		*p = i->next;
		if (mock->state && mock->adapter->device_changed)
			mock->adapter->device_changed(mock->state, bytes_text(i->device));
		free(i->identity);
		free(i->device);
		free(i);
		return;
	}
	mock_die("nobody is called '%s'", identity);
}

void mock_identify(struct mock_host *mock, uint64_t token, const char *device, struct tg_bytes key)
{
	struct tg_identity identity = {
		.size = sizeof(identity),
		.known = device != NULL,
		.device = bytes_text(device),
		.key = key,
		.generation = mock->generation,
	};

	for (size_t i = 0; i < mock->n_lookups; i++) {
		if (mock->lookups[i].token != token || mock->lookups[i].answered)
			continue;
		mock->lookups[i].answered = true;
		mock->adapter->identity(mock->state, token, &identity);
		return;
	}
	mock_die("no look-up with token %llu waits", (unsigned long long)token);
}

unsigned mock_logged(const struct mock_host *mock, const char *text)
{
	unsigned n = 0;

	for (size_t i = 0; i < mock->n_lines; i++)
		n += !text || strstr(mock->lines[i].text, text);
	return n;
}

int64_t mock_counter(const struct mock_host *mock, const char *name)
{
	for (unsigned i = 0; mock->adapter->counters && mock->adapter->counters[i]; i++) {
		if (strcmp(mock->adapter->counters[i], name) == 0)
			return mock->counters[i];
	}
	mock_die("no counter '%s'", name);
}

void mock_add_route(struct mock_host *mock, const char *pattern)
{
	mock->routes = mock_grow(mock->routes, mock->n_routes, sizeof(*mock->routes));
	mock->routes[mock->n_routes++] = strdup(pattern);
}

void mock_clear_routes(struct mock_host *mock)
{
	for (size_t i = 0; i < mock->n_routes; i++)
		free(mock->routes[i]);
	free(mock->routes);
	mock->routes = NULL;
	mock->n_routes = 0;
}

void mock_reading(struct mock_host *mock, size_t place, const struct tg_reading *reading)
{
	struct tg_reading r = *reading;

	if (place >= mock->n_reads || mock->reads[place].ended)
		mock_die("no read waits at place %zu", place);
	mock->reads[place].ended = r.last;
	r.size = sizeof(r);
	mock->adapter->reading(mock->state, mock->reads[place].token, &r);
}

void mock_listed(struct mock_host *mock, size_t place, const struct tg_listed *listed)
{
	struct tg_listed l = *listed;

	if (place >= mock->n_lists || mock->lists[place].ended)
		mock_die("no list waits at place %zu", place);
	mock->lists[place].ended = l.end;
	l.size = sizeof(l);
	mock->adapter->listed(mock->state, mock->lists[place].token, &l);
}

int mock_read(const struct tg_host *host, struct tg_bytes reader, struct tg_bytes device, struct tg_bytes path,
	      bool observe, uint64_t token, uint64_t *ret_number)
{
	struct mock_host *mock = (struct mock_host *)(uintptr_t)host;

	if (mock->read_error)
		return mock->read_error;
	mock->reads = mock_grow(mock->reads, mock->n_reads, sizeof(*mock->reads));
	mock->reads[mock->n_reads++] = (struct mock_read){.token = token,
							  .reader = mock_copy(reader),
							  .device = mock_copy(device),
							  .path = mock_copy(path),
							  .observe = observe};
	*ret_number = mock->n_reads;
	return 0;
}

void mock_read_end(const struct tg_host *host, uint64_t number)
{
	struct mock_host *mock = (struct mock_host *)(uintptr_t)host;

	if (number == 0 || number > mock->n_reads)
		mock_die("read %llu was never begun", (unsigned long long)number);
	mock->reads[number - 1].ended = true;
}

int mock_list(const struct tg_host *host, struct tg_bytes reader, enum tg_list what, uint64_t after,
	      struct tg_bytes behind, uint64_t token)
{
	struct mock_host *mock = (struct mock_host *)(uintptr_t)host;

	if (mock->read_error)
		return mock->read_error;
	mock->lists = mock_grow(mock->lists, mock->n_lists, sizeof(*mock->lists));
	mock->lists[mock->n_lists++] = (struct mock_list){
		.token = token, .reader = mock_copy(reader), .what = what, .after = after, .behind = mock_copy(behind)};
	return 0;
}
