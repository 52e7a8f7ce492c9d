/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "core/store_private.h"

struct reading {
	struct store_files *files;
	struct store_load *load;
	size_t bytes;
};

static int keep(struct reading *reading, const struct store_view *view)
{
	struct store_load *load = reading->load;
	int r = store_row_copy(view, &load->rows[load->count]);

	if (r < 0)
		return r;
	load->rows[load->count].endpoint = load->endpoint;
	reading->bytes += message_size(load->rows[load->count].message);
	load->count++;
	return 0;
}

/* A row that does not add up, and what the mirror has in its place. */
static int keep_other(struct reading *reading, uint64_t seq)
{
	struct database_statement *one = reading->files->sides[1].one;
	struct store_load *load = reading->load;
	struct store_view view;
	int r = -EUCLEAN;

	if (reading->files->count > 1) {
		database_bind_number(one, 1, (int64_t)seq);
		if (database_step(one) > 0 && store_row_read(one, &view) >= 0)
			r = keep(reading, &view);
		database_reset(one);
	}
	if (r == -EUCLEAN) {
		load->bad[load->bad_count++] = seq;
		r = 0;
	}
	return r;
}

static bool is_full(const struct reading *reading)
{
	const struct store_load *load = reading->load;

	return load->count + load->bad_count >= load->limit_rows ||
	       (load->count && reading->bytes >= load->limit_bytes);
}

static int read_on(struct reading *reading, struct database_statement *rows)
{
	struct store_view view;
	int r = 0;

	while (r >= 0 && !is_full(reading) && (r = database_step(rows)) > 0) {
		if (store_row_read(rows, &view) >= 0)
			r = keep(reading, &view);
		else
			r = keep_other(reading, (uint64_t)database_column_number(rows, 0));
	}
	return r;
}

int store_read(struct store_files *files, const char *name, struct store_load *load)
{
	struct reading reading = {.files = files, .load = load};
	struct database_statement *rows = files->sides[0].load;
	int r;

	store_load_done(load);
	load->rows = calloc(load->limit_rows, sizeof(*load->rows));
	load->bad = calloc(load->limit_rows, sizeof(*load->bad));
	if (!load->rows || !load->bad) {
		store_load_done(load);
		return -ENOMEM;
	}
	database_bind_number(rows, 1, (int64_t)load->after);
	database_bind_text(rows, 2, bytes_text(name));
	r = read_on(&reading, rows);
	database_reset(rows);
	if (r == -ENOMEM && load->count)
		r = 0; /* what is there is a beginning */
	if (r < 0)
		store_load_done(load);
	return r < 0 ? r : 0;
}
