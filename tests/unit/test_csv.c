/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/csv.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "suite.h"

/* All lines as text: fields with '|' between them, "!" for a bad one, each with its number. */
static void read_all(const char *data, size_t size, char *ret_text, size_t room)
{
	FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
	const char *problem = NULL;
	struct csv csv;
	size_t at = 0;
	int r;

	ck_assert_ptr_nonnull(file);
	csv_init(&csv, file);
	*ret_text = '\0';
	while ((r = csv_next(&csv, &problem)) != 0) {
		ck_assert(r == 1 || r == -EINVAL);
		at += (size_t)snprintf(ret_text + at, room - at, "%u:", csv.line);
		for (unsigned i = 0; r == 1 && i < csv.count; i++)
			at += (size_t)snprintf(ret_text + at, room - at, "%s%s", i ? "|" : "", csv.fields[i]);
		at += (size_t)snprintf(ret_text + at, room - at, "%s\n", r < 0 ? "!" : "");
		ck_assert_uint_lt(at, room);
	}
	fclose(file);
}

static void assert_reads(const char *data, size_t size, const char *wanted)
{
	char got[8192];

	read_all(data, size, got, sizeof(got));
	ck_assert_str_eq(got, wanted);
}

#define ASSERT_READS(data, wanted) assert_reads(data, sizeof(data) - 1, wanted)

START_TEST(plain_lines)
{
	ASSERT_READS("a,b\n1,2\n", "1:a|b\n2:1|2\n");
	ASSERT_READS("a,b\r\n\r\n\n1,2", "1:a|b\n4:1|2\n");
	ASSERT_READS("\xef\xbb\xbf"
		     "a\n\xef\xbb\xbf"
		     "b\n",
		     "1:a\n2:\xef\xbb\xbf"
		     "b\n");
	ASSERT_READS(",,\n", "1:||\n");
	ASSERT_READS("a, b \n", "1:a| b \n");
	ASSERT_READS("\n", "");
}
END_TEST

START_TEST(quotes)
{
	ASSERT_READS("\"a,b\",c\n", "1:a,b|c\n");
	ASSERT_READS("\"say \"\"x\"\"\",\"\"\n", "1:say \"x\"|\n");
	ASSERT_READS("\"\"\"\"\n", "1:\"\n");
	ASSERT_READS("a\"b,c\n", "1:a\"b|c\n");
	ASSERT_READS("\"a\"b,c\nd\n", "1:!\n2:d\n");
	ASSERT_READS("\"a,b\nc\n", "1:!\n2:c\n");
	ASSERT_READS("\"a\"\"\n", "1:!\n");
}
END_TEST

START_TEST(junk_is_one_bad_line)
{
	ASSERT_READS("a\0b,c\nd\n", "1:!\n2:d\n");
	ASSERT_READS("\xff\xfe\nd\n", "1:!\n2:d\n");
	ASSERT_READS("a\tb\nd\n", "1:!\n2:d\n");
	ASSERT_READS("a\x1b[2J\nd\n", "1:!\n2:d\n");
	ASSERT_READS(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\nd\n", "1:!\n2:d\n");
}
END_TEST

START_TEST(lengths)
{
	static char data[3 * CSV_LINE_MAX], got[3 * CSV_LINE_MAX];

	for (size_t size = CSV_LINE_MAX - 2; size <= CSV_LINE_MAX + 2; size++) {
		memset(data, 'x', size);
		memcpy(data + size, "\nend\n", 5);
		read_all(data, size + 5, got, sizeof(got));
		ck_assert_str_eq(strchr(got, '\n'), "\n2:end\n");
		ck_assert_int_eq(got[2] == '!', size > CSV_LINE_MAX);
	}
	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = '\n';
	read_all(data, sizeof(data), got, sizeof(got));
	ck_assert_str_eq(got, "1:!\n");
}
END_TEST

START_TEST(what_is_written_can_be_read)
{
	static const char *const fields[] = {"plain", "", "a,b", "say \"x\"", " led", "\"", "kÜche"};
	char *text = NULL, got[256];
	size_t size = 0, n = sizeof(fields) / sizeof(fields[0]);
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < n; i++) {
		if (i)
			putc(',', out);
		csv_write(out, fields[i]);
	}
	fclose(out);
	read_all(text, size, got, sizeof(got));
	ck_assert_str_eq(got, "1:plain||a,b|say \"x\"| led|\"|kÜche\n");
	free(text);
}
END_TEST

SUITE_MAIN("csv", plain_lines, quotes, junk_is_one_bad_line, lengths, what_is_written_can_be_read)
