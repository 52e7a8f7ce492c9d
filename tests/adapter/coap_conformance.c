/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"
#include "coap_lists.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/multicast.h"
#include "coap_pattern.h"
#include "coap_rig.h"

enum { MS = 1000, STEP_MAX = 512, PEERS = 3 };

static struct sensor *peers[PEERS];
static struct sensor *peer;
static size_t n_answered;
static uint8_t group_answer[MULTICAST_DATAGRAM_MAX];
static size_t group_answer_size;

static void prepare_directory(void)
{
	mock_set(rig, "directory", "true");
}

static void prepare_plain(void)
{
	mock_set(rig, "listen", "coap://127.0.0.1:0");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
}

static const struct table {
	const struct requirement *rows;
	const size_t *count;
	void (*prepare)(void); /* NULL: the settings are the usual ones */
} tables[] = {
	{requirements, &n_requirements, NULL},
	{reader_requirements, &n_reader_requirements, NULL},
	{catalogue_requirements, &n_catalogue_requirements, NULL},
	{directory_requirements, &n_directory_requirements, prepare_directory},
	{group_requirements, &n_group_requirements, NULL},
	{plain_requirements, &n_plain_requirements, prepare_plain},
};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "body_bytes", "4096");
	mock_set(rig, "observers_a_session", "2");
	n_answered = 0;
}

static void begin(const struct table *table)
{
	if (table->prepare)
		table->prepare();
	rig_begin();
	peers[0] = peer = table->prepare == prepare_plain ? sensor_plain() : sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(peer);
}

static void teardown(void)
{
	for (size_t i = 0; i < PEERS; i++)
		sensor_free(peers[i]);
	rig_teardown();
}

static void step_send(const char *text)
{
	static struct pattern pattern;
	uint8_t wire[PATTERN_MAX];

	pattern_read(text, &pattern);
	for (size_t i = 0; i < pattern.size; i++)
		wire[i] = (uint8_t)pattern.bytes[i];
	sensor_send(peer, (struct tg_bytes){wire, pattern.size});
}

static void step_expect(const char *text)
{
	static struct pattern pattern;
	char shown[3 * PATTERN_MAX] = "";
	struct tg_bytes datagram = sensor_receive_raw(peer);
	const uint8_t *bytes = datagram.data;

	pattern_read(text, &pattern);
	for (size_t i = 0; i < datagram.size; i++)
		snprintf(shown + 3 * i, 4, " %02x", bytes[i]);
	ck_assert_msg(pattern_matches(&pattern, datagram), "not '%s' came but%s", text, shown);
	pattern_note(bytes);
}

static void step_group(const char *text)
{
	static struct pattern pattern;
	uint8_t wire[PATTERN_MAX];
	struct coap_message message;
	struct resource_links links;

	pattern_read(text, &pattern);
	for (size_t i = 0; i < pattern.size; i++)
		wire[i] = (uint8_t)pattern.bytes[i];
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, pattern.size}, &message), 0);
	resource_links_init(&links);
	group_answer_size = multicast_answer(&message, &links, "coaps://192.0.2.1", 0x7777, group_answer);
}

static void step_heard(const char *text)
{
	static struct pattern pattern;

	pattern_read(text, &pattern);
	ck_assert(pattern_matches(&pattern, (struct tg_bytes){group_answer, group_answer_size}));
}

static const struct mock_submission *last(void)
{
	ck_assert_uint_gt(rig->n_submissions, 0);
	return &rig->submissions[rig->n_submissions - 1];
}

static void step_count(const char *text)
{
	size_t wanted = strtoul(text, NULL, 10);

	ck_assert(MOCK_UNTIL(rig, rig->n_submissions >= wanted, 30000));
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_submissions, wanted);
}

static void answer(enum tg_verdict verdict, uint32_t number)
{
	const struct tg_answer given = {.size = sizeof(given),
					.verdict = verdict,
					.max_age_s = number,
					.limit_bytes = number,
					.reason = {"why", verdict == TG_ACCEPTED ? 0 : 3}};

	ck_assert(MOCK_UNTIL(rig, rig->n_submissions > n_answered, 30000));
	mock_answer(rig, rig->submissions[n_answered++].token, &given);
}

/* "N PATH": the newest of N reads is for this device and path. "N on PATH": and is to go on. */
static void step_asked(const char *text)
{
	char *end;
	size_t wanted = strtoul(text, &end, 10);
	bool observe = strncmp(end, " on ", 4) == 0;
	char named[STEP_MAX];

	ck_assert(MOCK_UNTIL(rig, rig->n_reads >= wanted, 30000));
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_reads, wanted);
	if (!*end)
		return;
	const struct mock_read *read = &rig->reads[wanted - 1];
	snprintf(named, sizeof(named), "%s %s/%s", read->reader, read->device, read->path);
	ck_assert_str_eq(named, end + (observe ? 4 : 1));
	ck_assert_int_eq(read->observe, observe);
}

/* "N ETAG FORMAT AGE BYTES": the answer to read N. */
static void step_told(const char *text)
{
	static struct pattern pattern;
	uint8_t payload[PATTERN_MAX];
	char *end;
	size_t read = strtoul(text, &end, 10) - 1;
	struct tg_reading reading = {.verdict = TG_ACCEPTED, .etag = strtoull(end, &end, 16)};

	reading.content_format = (int32_t)strtol(end, &end, 10);
	reading.max_age_s = (uint32_t)strtoul(end, &end, 10);
	pattern_read(end, &pattern);
	for (size_t i = 0; i < pattern.size; i++)
		payload[i] = (uint8_t)pattern.bytes[i];
	reading.payload = (struct tg_bytes){payload, pattern.size};
	ck_assert(MOCK_UNTIL(rig, rig->n_reads > read, 30000));
	reading.last = !rig->reads[read].observe;
	mock_reading(rig, read, &reading);
}

/* "N V": read N is over, with this verdict. */
static void step_over(const char *text)
{
	char *end;
	size_t read = strtoul(text, &end, 10) - 1;
	const struct tg_reading reading = {.verdict = (uint32_t)strtoul(end, NULL, 10),
					   .last = true,
					   .content_format = TG_FORMAT_NONE,
					   .max_age_s = 7};

	ck_assert(MOCK_UNTIL(rig, rig->n_reads > read, 30000));
	mock_reading(rig, read, &reading);
}

/* How many reads the core still has. */
static void step_left(const char *text)
{
	size_t left = 0;

	mock_settle(rig);
	for (size_t i = 0; i < rig->n_reads; i++)
		left += !rig->reads[i].ended;
	ck_assert_uint_eq(left, strtoul(text, NULL, 10));
}

static void step_peer(const char *text)
{
	size_t place = strtoul(text, NULL, 10) - 1;
	char identity[32];

	ck_assert_uint_lt(place, PEERS);
	snprintf(identity, sizeof(identity), "sensor-%zu", place + 1);
	if (!peers[place])
		peers[place] = sensor_psk(identity, RIG_KEY);
	peer = peers[place];
	ck_assert_ptr_nonnull(peer);
}

/* What follows the first word, or NULL where it is another. */
static const char *after(const char *step, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(step, word, size) != 0 || (step[size] != ' ' && step[size] != '\0'))
		return NULL;
	return step + size + (step[size] == ' ');
}

static void run_step(const char *step)
{
	const char *text;
	char *end;

	if ((text = after(step, ">"))) {
		step_send(text);
	} else if ((text = after(step, "<"))) {
		step_expect(text);
	} else if (after(step, ".")) {
		sensor_expect_nothing(peer);
	} else if ((text = after(step, "in"))) {
		step_count(text);
	} else if ((text = after(step, "body"))) {
		ck_assert_uint_eq(last()->payload_size, strtoul(text, NULL, 10));
	} else if ((text = after(step, "method"))) {
		ck_assert_uint_eq(last()->method, strtoul(text, NULL, 10));
	} else if ((text = after(step, "path"))) {
		ck_assert_str_eq(last()->path, text);
	} else if (after(step, "ok")) {
		answer(TG_ACCEPTED, 0);
	} else if ((text = after(step, "no"))) {
		enum tg_verdict verdict = (enum tg_verdict)strtol(text, &end, 10);

		answer(verdict, (uint32_t)strtoul(end, NULL, 10));
	} else if ((text = after(step, "wait"))) {
		mock_settle(rig);
		mock_advance(rig, strtol(text, NULL, 10) * MS);
	} else if ((text = after(step, "peer"))) {
		step_peer(text);
	} else if ((text = after(step, "group"))) {
		step_group(text);
	} else if ((text = after(step, "heard"))) {
		step_heard(text);
	} else if ((text = after(step, "asked"))) {
		step_asked(text);
	} else if ((text = after(step, "told"))) {
		step_told(text);
	} else if ((text = after(step, "over"))) {
		step_over(text);
	} else if ((text = after(step, "left"))) {
		step_left(text);
	} else if (after(step, "joined")) {
		rig->adapter->joined(rig->state);
	} else if (!lists_step(step)) {
		ck_abort_msg("no step: '%s'", step);
	}
}

/* Takes the next step off the script; a ';' in a text is none of its own. */
static const char *take_step(const char *script, char step[STEP_MAX])
{
	size_t size = 0;
	bool in_text = false;

	while (*script == ' ')
		script++;
	for (; *script && (in_text || *script != ';'); script++) {
		in_text ^= *script == '\'';
		ck_assert_uint_lt(size, STEP_MAX - 1);
		step[size++] = *script;
	}
	step[size] = '\0';
	return script + (*script == ';');
}

/* The table that row `*place` of all is in; its place in there. */
static const struct table *table_of(size_t *place)
{
	const struct table *table = tables;

	for (; *place >= *table->count; table++)
		*place -= *table->count;
	return table;
}

static const struct requirement *requirement_at(size_t place)
{
	const struct table *table = table_of(&place);

	return &table->rows[place];
}

static size_t requirements_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < TABLES; i++)
		count += *tables[i].count;
	return count;
}

START_TEST(a_requirement)
{
	size_t place = (size_t)_i;
	const struct table *table = table_of(&place);
	const char *script = table->rows[place].script;
	char step[STEP_MAX];

	begin(table);
	while (*script) {
		script = take_step(script, step);
		run_step(step);
	}
	sensor_expect_nothing(peer);
}
END_TEST

/* Returns how many were not met. */
static size_t print_table(SRunner *runner)
{
	TestResult **results = srunner_results(runner);
	size_t n = (size_t)srunner_ntests_run(runner), failed = 0;

	for (size_t i = 0; i < n; i++) {
		bool good = tr_rtype(results[i]) == CK_PASS;

		printf("%-4s RFC %-18s %s\n", good ? "ok" : "FAIL", requirement_at(i)->source, requirement_at(i)->text);
		if (!good)
			printf("     %s\n", tr_msg(results[i]));
		failed += !good;
	}
	printf("%zu of %zu requirements are met\n", n - failed, requirements_count());
	free(results);
	return n == requirements_count() ? failed : failed + 1;
}

int main(void)
{
	Suite *suite = suite_create("coap_conformance");
	TCase *tcase = tcase_create("requirements");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_requirement, 0, (int)requirements_count());
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	size_t failed = print_table(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
