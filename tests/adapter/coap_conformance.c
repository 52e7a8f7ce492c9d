/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_conformance.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { MS = 1000, BYTES_MAX = 2048, STEP_MAX = 512, PEERS = 3, ANY = -1, REST = -2 };

/* Bytes of a step; ANY and REST stand for more than one value. */
struct pattern {
	int bytes[BYTES_MAX];
	size_t size;
};

/* Bytes of a datagram that came, for what is sent or compared later. */
struct note {
	const char *take; /* how a pattern says that they are to be noted down */
	const char *give;
	size_t size;
	uint8_t bytes[4];
	size_t at; /* in the pattern that is being read; SIZE_MAX: nowhere */
};

static struct note notes[] = {{.take = "ID", .give = "id", .size = 2}, {.take = "TAG", .give = "tag", .size = 4}};

enum { NOTES = sizeof(notes) / sizeof(notes[0]) };

static struct sensor *peers[PEERS];
static struct sensor *peer;
static size_t n_answered;

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "body_bytes", "4096");
	rig_begin();
	peers[0] = peer = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(peer);
	n_answered = 0;
}

static void teardown(void)
{
	for (size_t i = 0; i < PEERS; i++)
		sensor_free(peers[i]);
	rig_teardown();
}

static void put(struct pattern *pattern, int byte)
{
	ck_assert_uint_lt(pattern->size, BYTES_MAX);
	pattern->bytes[pattern->size++] = byte;
}

/* Two digits. */
static int hexadecimal(const char *digits)
{
	char pair[3] = {digits[0], digits[0] ? digits[1] : '\0', '\0'}, *end;
	long value = strtol(pair, &end, 16);

	ck_assert_msg(end == pair + 2, "no bytes: '%s'", digits);
	return (int)value;
}

static const char *put_text(struct pattern *pattern, const char *text)
{
	for (; *text && *text != '\''; text++)
		put(pattern, (unsigned char)*text);
	return text + 1;
}

/* Returns what follows the note in the text, or NULL where there is none. */
static const char *put_note(struct pattern *pattern, const char *text)
{
	for (size_t i = 0; i < NOTES; i++) {
		struct note *note = &notes[i];
		size_t length = strlen(note->take);
		bool take = strncmp(text, note->take, length) == 0;

		if (!take && strncmp(text, note->give, length) != 0)
			continue;
		if (take)
			note->at = pattern->size;
		for (size_t place = 0; place < note->size; place++)
			put(pattern, take ? ANY : note->bytes[place]);
		return text + length;
	}
	return NULL;
}

/* One piece of a pattern; returns what follows it. */
static const char *put_piece(struct pattern *pattern, const char *text)
{
	const char *behind = put_note(pattern, text);
	char *end;

	if (behind)
		return behind;
	if (*text == '\'')
		return put_text(pattern, text + 1);
	if (*text == '*') {
		put(pattern, REST);
		return text + 1;
	}
	if (*text == 'x') {
		for (long left = strtol(text + 1, &end, 10); left > 0; left--)
			put(pattern, 'x');
		return end;
	}
	put(pattern, *text == '.' ? ANY : hexadecimal(text));
	return text + 2;
}

static void read_pattern(const char *text, struct pattern *pattern)
{
	for (size_t i = 0; i < NOTES; i++)
		notes[i].at = SIZE_MAX;
	pattern->size = 0;
	while (*text) {
		if (*text == ' ')
			text++;
		else
			text = put_piece(pattern, text);
	}
}

static void take_notes(const uint8_t *bytes)
{
	for (size_t i = 0; i < NOTES; i++)
		if (notes[i].at != SIZE_MAX)
			memcpy(notes[i].bytes, bytes + notes[i].at, notes[i].size);
}

static void step_send(const char *text)
{
	static struct pattern pattern;
	uint8_t wire[BYTES_MAX];

	read_pattern(text, &pattern);
	for (size_t i = 0; i < pattern.size; i++)
		wire[i] = (uint8_t)pattern.bytes[i];
	sensor_send(peer, (struct tg_bytes){wire, pattern.size});
}

static bool matches(const struct pattern *pattern, struct tg_bytes datagram)
{
	const uint8_t *bytes = datagram.data;

	for (size_t i = 0; i < pattern->size; i++) {
		if (pattern->bytes[i] == REST)
			return true;
		if (i >= datagram.size || (pattern->bytes[i] != ANY && pattern->bytes[i] != bytes[i]))
			return false;
	}
	return datagram.size == pattern->size;
}

static void step_expect(const char *text)
{
	static struct pattern pattern;
	char shown[3 * BYTES_MAX] = "";
	struct tg_bytes datagram = sensor_receive_raw(peer);
	const uint8_t *bytes = datagram.data;

	read_pattern(text, &pattern);
	for (size_t i = 0; i < datagram.size; i++)
		snprintf(shown + 3 * i, 4, " %02x", bytes[i]);
	ck_assert_msg(matches(&pattern, datagram), "not '%s' came but%s", text, shown);
	take_notes(bytes);
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
	} else {
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

START_TEST(a_requirement)
{
	const char *script = requirements[_i].script;
	char step[STEP_MAX];

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

		printf("%-4s RFC %-18s %s\n", good ? "ok" : "FAIL", requirements[i].source, requirements[i].text);
		if (!good)
			printf("     %s\n", tr_msg(results[i]));
		failed += !good;
	}
	printf("%zu of %zu requirements are met\n", n - failed, n_requirements);
	free(results);
	return n == n_requirements ? failed : failed + 1;
}

int main(void)
{
	Suite *suite = suite_create("coap_conformance");
	TCase *tcase = tcase_create("requirements");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_requirement, 0, (int)n_requirements);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	size_t failed = print_table(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
