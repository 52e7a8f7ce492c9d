/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap/links.h"

/* Like the examples of RFC 6690 section 5. */
static const struct link links[] = {
	{"/sensors", {{.name = "ct", .value = "40", .number = true}, {.name = "title", .value = "Sensor Index"}}},
	{"/sensors/temp", {{.name = "rt", .value = "temperature-c example.t"}, {.name = "if", .value = "sensor"}}},
	{"/sensors/light",
	 {{.name = "rt", .value = "light-lux"}, {.name = "if", .value = "sensor other"}, {.name = "obs"}}},
	{"/t", {{.name = "anchor", .value = "/sensors/temp"}, {.name = "rel", .value = "alternate"}}},
};

#define INDEX "</sensors>;ct=40;title=\"Sensor Index\""
#define TEMP  "</sensors/temp>;rt=\"temperature-c example.t\";if=\"sensor\""
#define LIGHT "</sensors/light>;rt=\"light-lux\";if=\"sensor other\";obs"
#define OTHER "</t>;anchor=\"/sensors/temp\";rel=\"alternate\""

static int write_links(const char *const *queries, char *memory, size_t room)
{
	uint8_t wire[512];
	struct message_writer writer;
	struct coap_message message;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, 1, (struct tg_bytes){0});
	for (; *queries; queries++)
		message_write_option(&writer, MESSAGE_URI_QUERY, (struct tg_bytes){*queries, strlen(*queries)});
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, writer.size}, &message), 0);
	return links_write(links, sizeof(links) / sizeof(links[0]), &message, memory, room);
}

static const struct {
	const char *queries[3];
	const char *expected;
} filters[] = {
	{{NULL}, INDEX "," TEMP "," LIGHT "," OTHER},
	{{"rt=light-lux"}, LIGHT},
	{{"rt=light"}, ""},
	{{"obs"}, LIGHT},
	{{"obs="}, ""},
	{{"obs=*"}, ""},
	{{"rt=light*"}, LIGHT},
	{{"rt=example.t"}, TEMP},
	{{"rt=temperature-c"}, TEMP},
	{{"rt=temperature-c example.t"}, ""}, /* no word has a space */
	{{"rt=ex*"}, TEMP},
	{{"rt=*"}, TEMP "," LIGHT},
	{{"rt="}, ""},
	{{"if=sensor"}, TEMP "," LIGHT},
	{{"if=other"}, LIGHT},
	{{"if=sensor", "rt=light*"}, LIGHT},
	{{"if=sensor", "rt=nothing"}, ""},
	{{"href=/sensors"}, INDEX},
	{{"href=/sensors/"}, ""},
	{{"href=/sensors/*"}, TEMP "," LIGHT},
	{{"href=*"}, INDEX "," TEMP "," LIGHT "," OTHER},
	{{"href"}, INDEX "," TEMP "," LIGHT "," OTHER},
	{{"title=Sensor Index"}, INDEX},
	{{"title=Sensor"}, ""},
	{{"title=Sensor*"}, INDEX},
	{{"title=S*x"}, ""}, /* a star counts at the end alone */
	{{"ct=40"}, INDEX},
	{{"anchor=/sensors*"}, OTHER},
	{{"rel=alternate"}, OTHER},
	{{"ct"}, INDEX},
	{{"RT=light-lux"}, ""},
	{{"nothing=*"}, ""},
	{{""}, ""},
	{{"="}, ""},
};

START_TEST(what_matches_is_listed)
{
	char memory[512];
	int size = write_links(filters[_i].queries, memory, sizeof(memory));

	ck_assert_int_ge(size, 0);
	ck_assert_msg((size_t)size == strlen(filters[_i].expected) &&
			      memcmp(memory, filters[_i].expected, (size_t)size) == 0,
		      "'%s' gives '%.*s'", filters[_i].queries[0] ? filters[_i].queries[0] : "", size, memory);
}
END_TEST

START_TEST(the_room_is_not_left)
{
	static const char *const none[] = {NULL};
	char memory[512];
	int whole = write_links(none, memory, sizeof(memory));

	for (size_t room = 0; room < (size_t)whole; room++) {
		char *exact = malloc(room ? room : 1); /* a sanitizer sees a byte too much */
		ck_assert_ptr_nonnull(exact);
		ck_assert_int_eq(write_links(none, exact, room), -ENOSPC);
		free(exact);
	}
	ck_assert_int_eq(write_links(none, memory, (size_t)whole), whole);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_links");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, what_matches_is_listed, 0, sizeof(filters) / sizeof(filters[0]));
	tcase_add_test(tcase, the_room_is_not_left);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
