/* SPDX-License-Identifier: Apache-2.0 */

/* The session tickets of many clients, also from one run to the next. */

#include <inttypes.h>

#include "client.h"

void client_tickets_keep(struct client_tickets *tickets, size_t place, struct client *client)
{
	if (place >= tickets->count)
		return;
	struct client_ticket *ticket = client_state(client) == CLIENT_OPEN ? client_ticket(client) : NULL;
	/* A resumed session mostly gets no new one. */
	if (!ticket && client_state(client) == CLIENT_OPEN && client_is_resumed(client))
		return;
	client_ticket_free(tickets->list[place]);
	tickets->list[place] = ticket;
}

const struct client_ticket *client_tickets_get(const struct client_tickets *tickets, size_t place)
{
	return place < tickets->count ? tickets->list[place] : NULL;
}

void client_tickets_load(struct client_tickets *tickets, const char *file)
{
	FILE *in = fopen(file, "re");
	char line[32];
	size_t place;

	if (!in)
		return;
	while (fgets(line, sizeof(line), in) && sscanf(line, "@%zu", &place) == 1) {
		struct client_ticket *ticket = client_ticket_read(in);

		if (place >= tickets->count || !ticket) {
			client_ticket_free(ticket);
			continue;
		}
		client_ticket_free(tickets->list[place]);
		tickets->list[place] = ticket;
	}
	fclose(in);
}

bool client_tickets_save(const struct client_tickets *tickets, const char *file)
{
	FILE *out = fopen(file, "we");
	bool good = out;

	for (size_t place = 0; good && place < tickets->count; place++) {
		if (tickets->list[place])
			good = fprintf(out, "@%zu\n", place) > 0 && client_ticket_write(tickets->list[place], out);
	}
	return (!out || fclose(out) == 0) && good;
}

void client_tickets_done(struct client_tickets *tickets)
{
	for (size_t place = 0; place < tickets->count; place++)
		client_ticket_free(tickets->list[place]);
}
