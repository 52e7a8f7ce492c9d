/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/csv.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

void csv_init(struct csv *csv, FILE *file)
{
	*csv = (struct csv){.file = file};
}

/* One line without its end, cut where it is too long. Returns its whole length, or -1 at the end of the file. */
static long read_line(struct csv *csv)
{
	long length = 0;
	int c;

	while ((c = getc_unlocked(csv->file)) != EOF && c != '\n') {
		if (length < CSV_LINE_MAX)
			csv->data[length] = (char)c;
		length++;
	}
	if (c == EOF && length == 0)
		return -1;
	if (length > 0 && length <= CSV_LINE_MAX && csv->data[length - 1] == '\r')
		length--;
	csv->data[length < CSV_LINE_MAX ? length : CSV_LINE_MAX] = '\0';
	return length;
}

/* Takes the field that begins at `from`, and returns where the next one begins, or what ends the line. */
static const char *take_field(char *from, char **ret_next)
{
	char *to = from;
	bool quoted = *from == '"';

	from += quoted;
	while (*from && (quoted || *from != ',')) {
		if (quoted && *from == '"' && from[1] != '"') {
			quoted = false;
			from++;
			if (*from && *from != ',')
				return "there is something between a closing quote and the next comma";
			break;
		}
		from += quoted && *from == '"';
		*to++ = *from++;
	}
	if (quoted)
		return "a quote is not closed";
	*ret_next = *from ? from + 1 : NULL;
	*to = '\0';
	return NULL;
}

static const char *split(struct csv *csv, long length)
{
	static const char controls[] =
		"\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35"
		"\36\37\177";
	char *at = csv->data;

	if (length > CSV_LINE_MAX)
		return "the line is too long";
	if (strlen(csv->data) != (size_t)length)
		return "there is a NUL in it";
	if (!bytes_is_utf8(bytes_text(csv->data)))
		return "it is not UTF-8";
	if (strpbrk(csv->data, controls))
		return "there is a control character in it";
	if (csv->line == 1 && strncmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (csv->count = 0; at; csv->count++) {
		const char *problem;

		if (csv->count == CSV_FIELDS_MAX)
			return "there are too many fields";
		csv->fields[csv->count] = at;
		problem = take_field(at, &at);
		if (problem)
			return problem;
	}
	return NULL;
}

int csv_next(struct csv *csv, const char **ret_problem)
{
	const char *problem;
	long length;

	do {
		length = read_line(csv);
		if (length < 0)
			return ferror(csv->file) ? -(errno ? errno : EIO) : 0;
		csv->line++;
	} while (length == 0);
	problem = split(csv, length);
	if (!problem)
		return 1;
	*ret_problem = problem;
	return -EINVAL;
}

void csv_write(FILE *file, const char *field)
{
	bool plain = !strpbrk(field, ",\"") && *field != ' ';

	if (!plain)
		putc('"', file);
	for (; *field; field++) {
		if (*field == '"')
			putc('"', file);
		putc(*field, file);
	}
	if (!plain)
		putc('"', file);
}
