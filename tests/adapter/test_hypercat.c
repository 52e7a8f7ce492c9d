/* SPDX-License-Identifier: Apache-2.0 */

/* The adapter with curl. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "hypercat_rig.h"
#include "unit/suite.h"

#define CERTIFICATE "--cert", rig_certificate(RIG_READER), "--key", rig_key(RIG_READER)

static void begin(void)
{
	rig_setup();
	rig_put("dev-1", "hall/temp", 110, "[{\"n\":\"t\",\"v\":21.5}]");
	rig_put("dev-1", "hall/door", 0, "open");
	rig_put("dev-2", "odd%2Fname/\xc3\xa4 b", TG_FORMAT_NONE, "x");
	rig_begin();
}

START_TEST(catalogue)
{
	begin();
	mock_set(rig, "description", "Hall \"3\"");
	mock_set(rig, "latitude", "51.5");
	mock_set(rig, "longitude", "-0.12");
	mock_add(rig, "places", "dev-2* 51.6 -0.2");
	mock_add(rig, "descriptions", "dev-1/hall/temp Temperature of the hall");
	ck_assert_int_eq(mock_reload(rig), 0);
	rig_get("/cat");
	rig_expect("HTTP/1.1 200 OK");
	rig_expect("Content-Type: application/vnd.hypercat.catalogue+json\r\n");
	rig_expect(
		"{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":\"application/vnd.hypercat.catalogue+json\"}");
	rig_expect("{\"rel\":\"urn:X-hypercat:rels:hasDescription:en\",\"val\":\"Hall \\\"3\\\"\"}");
	rig_expect("{\"rel\":\"urn:X-hypercat:rels:supportsSearch\",\"val\":\"urn:X-hypercat:search:lexrange\"}");
	rig_expect("{\"rel\":\"urn:X-hypercat:rels:eventSource\",\"val\":\"/events\"}");
	rig_expect("\"val\":\"51.5\"");
	rig_expect("\"href\":\"/cat/dev-1\"");
	rig_expect("\"href\":\"/cat/silent-1\"");
	rig_expect("\"href\":\"/readings/dev-1/hall/temp\"");
	rig_expect("application/senml+json");
	rig_expect("Temperature of the hall");
	rig_expect("\"href\":\"/readings/dev-2/odd%2Fname/%C3%A4%20b\"");
	rig_expect("\"val\":\"51.6\"");
	rig_expect("{\"rel\":\"urn:X-hypercat:rels:lastUpdated\",\"val\":\"2026-02-02T02:40:00.000000Z\"}");
	rig_get("/cat/dev-1");
	rig_expect("/readings/dev-1/hall/door");
	rig_expect_not("dev-2");
	rig_expect_not("\"href\":\"/cat/dev-1\"");
	rig_get("/cat/nobody");
	rig_expect("HTTP/1.1 404");
	rig_get("/.well-known/core");
	rig_expect("Content-Type: application/link-format");
	rig_expect("</readings/dev-1/hall/temp>;rt=\"tidegate.last\";ct=110;title=\"Temperature of the hall\";"
		   "lastUpdated=\"2026-02-02T02:40:00.000000Z\",<");
	rig_curl("/cat", RIG_ARGUMENTS(CERTIFICATE, "-I"));
	rig_expect("HTTP/1.1 200 OK");
	rig_expect_not("items");
	rig_curl("/cat", RIG_ARGUMENTS(CERTIFICATE, "-X", "DELETE"));
	rig_expect("HTTP/1.1 405");
	rig_get("/other");
	rig_expect("HTTP/1.1 404");
	rig_teardown();
}
END_TEST

START_TEST(searches)
{
	begin();
	rig_get("/cat?rel=urn:X-hypercat:rels:isContentType&val=application/senml%2Bjson");
	rig_expect("/readings/dev-1/hall/temp");
	rig_expect_not("/readings/dev-1/hall/door");
	rig_expect_not("\"href\":\"/cat/dev-1\"");
	rig_get("/cat?href=/readings/dev-1/hall/door");
	rig_expect("/readings/dev-1/hall/door");
	rig_expect_not("/readings/dev-1/hall/temp");
	rig_get("/cat?prefix-href=/readings/dev-1/");
	rig_expect("/readings/dev-1/hall/door");
	rig_expect_not("\"href\":\"/readings/dev-2/");
	rig_get("/cat?lexrange-rel=urn:X-hypercat:rels:lastUpdated&lexrange-min=2027");
	rig_expect("\"items\":[]}");
	rig_get("/cat?rel=a%zz");
	rig_expect("HTTP/1.1 400");
	rig_get("/cat?geobound-minlat=north");
	rig_expect("HTTP/1.1 400");
	rig_teardown();
}
END_TEST

/* The value of a field of the answer in rig_text. */
static const char *field(const char *name)
{
	static char value[256];
	const char *at = strstr(rig_text, name);

	ck_assert_msg(at != NULL, "no %s in:\n%.2000s", name, rig_text);
	at += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r\n"), at);
	return value;
}

START_TEST(conditional)
{
	char header[300];

	begin();
	rig_get("/cat");
	snprintf(header, sizeof(header), "If-None-Match: \"other\", %s", field("ETag"));
	rig_curl("/cat", RIG_ARGUMENTS(CERTIFICATE, "-H", header));
	rig_expect("HTTP/1.1 304");
	rig_put("dev-1", "hall/door", 0, "shut");
	rig_curl("/cat", RIG_ARGUMENTS(CERTIFICATE, "-H", header));
	rig_expect("HTTP/1.1 200");
	rig_get("/readings/dev-1/hall/door");
	rig_expect("HTTP/1.1 200");
	rig_expect("\r\n\r\nshut");
	rig_expect("Content-Type: text/plain");
	rig_expect("Cache-Control: private, max-age=60");
	rig_expect("Last-Modified: Mon, 02 Feb 2026 02:40:00 GMT");
	snprintf(header, sizeof(header), "If-None-Match: %s", field("ETag"));
	rig_curl("/readings/dev-1/hall/door", RIG_ARGUMENTS(CERTIFICATE, "-H", header));
	rig_expect("HTTP/1.1 304");
	rig_curl("/readings/dev-1/hall/door", RIG_ARGUMENTS(CERTIFICATE, "-I"));
	rig_expect("Content-Length: 4\r\n");
	rig_curl("/readings/dev-1/hall/temp", RIG_ARGUMENTS(CERTIFICATE, "-H", "Accept: text/html, application/cbor"));
	rig_expect("HTTP/1.1 406");
	rig_curl("/readings/dev-1/hall/temp", RIG_ARGUMENTS(CERTIFICATE, "-H", "Accept: application/*;q=0.5"));
	rig_expect("{\"n\":\"t\",\"v\":21.5}");
	rig_get("/readings/dev-2/odd%2fname/%C3%A4%20b");
	rig_expect("\r\n\r\nx");
	rig_get("/readings/dev-1/nothing");
	rig_expect("HTTP/1.1 404");
	rig_get("/readings");
	rig_expect("HTTP/1.1 404");
	rig_outsider = true;
	rig_get("/readings/dev-1/hall/door");
	rig_expect("HTTP/1.1 403");
	rig_get("/cat");
	rig_expect("HTTP/1.1 403");
	rig_outsider = false;
	rig_teardown();
}
END_TEST

static void ask_for(const char *path, const char *accept)
{
	rig_curl(path, RIG_ARGUMENTS(CERTIFICATE, "-H", accept));
}

/* One reading in its notations: each has its own entity tag, and what it cannot say it is not offered in. */
START_TEST(asked_for_in_another_notation)
{
	char tag[64], header[80];

	begin();
	ask_for("/readings/dev-1/hall/temp", "Accept: application/senml+json;q=0.4, application/senml+cbor;q=0.5");
	rig_expect("HTTP/1.1 200");
	rig_expect("Content-Type: application/senml+cbor\r\n");
	rig_expect("Vary: Accept, Authorization\r\n");
	rig_expect("\r\n\r\n\x81\xa2");
	snprintf(tag, sizeof(tag), "%s", field("ETag"));
	snprintf(header, sizeof(header), "If-None-Match: %s", tag);
	rig_curl("/readings/dev-1/hall/temp",
		 RIG_ARGUMENTS(CERTIFICATE, "-H", "Accept: application/senml+cbor", "-H", header));
	rig_expect("HTTP/1.1 304");
	rig_expect("Vary: Accept, Authorization\r\n");
	rig_curl("/readings/dev-1/hall/temp", RIG_ARGUMENTS(CERTIFICATE, "-H", header));
	rig_expect("HTTP/1.1 200");
	rig_expect("Content-Type: application/senml+json\r\n");
	ck_assert_str_ne(field("ETag"), tag);
	ask_for("/readings/dev-1/hall/temp", "Accept: application/json");
	rig_expect("Content-Type: application/json\r\n");
	rig_expect("\r\n\r\n[{\"n\":\"t\",\"v\":21.5}]");
	ask_for("/readings/dev-1/hall/temp", "Accept: text/html");
	rig_expect("HTTP/1.1 406 Not Acceptable\r\n");
	rig_expect("\r\n\r\napplication/senml+json\napplication/senml+cbor\napplication/json\n");
	/* Bytes have no JSON. */
	rig_put("dev-1", "raw", 60, "\x41\x01");
	ask_for("/readings/dev-1/raw", "Accept: application/json, application/cbor;q=0.1");
	rig_expect("Content-Type: application/cbor\r\n");
	rig_expect("\r\n\r\n\x41\x01");
	ask_for("/readings/dev-1/raw", "Accept: application/json");
	rig_expect("HTTP/1.1 406");
	rig_expect("\r\n\r\napplication/cbor\n");
	rig_put("dev-1", "raw", 60, "\x61\x61");
	rig_curl("/readings/dev-1/raw", RIG_ARGUMENTS(CERTIFICATE, "-I", "-H", "Accept: application/json"));
	rig_expect("Content-Type: application/json\r\n");
	rig_expect("Content-Length: 3\r\n");
	rig_teardown();
}
END_TEST

START_TEST(who_comes_in)
{
	begin();
	rig_get("/readings/dev-1/hall/door");
	rig_expect("HTTP/1.1 200");
	ck_assert_uint_eq(rig->n_sessions, 1);
	ck_assert_str_eq(rig->sessions[0].device, "reader-1");
	ck_assert_str_eq(rig->sessions[0].version, "TLSv1.3");
	ck_assert_uint_eq(rig->sessions[0].proof, TG_PROOF_CERTIFICATE);
	ck_assert_uint_gt(rig->sessions[0].certificate_size, 0);
	ck_assert(RIG_UNTIL(rig->sessions[0].ended));
	ck_assert_int_eq(mock_counter(rig, "sessions"), 0);
	rig_curl("/cat", NULL);
	rig_expect("HTTP/1.1 401");
	rig_expect("WWW-Authenticate: Bearer");
	rig_curl("/cat", RIG_ARGUMENTS("-H", "Authorization: Bearer " RIG_TOKEN));
	rig_expect("HTTP/1.1 200");
	ck_assert_str_eq(rig->sessions[1].device, "reader-2");
	rig_curl("/cat", RIG_ARGUMENTS("-u", RIG_TOKEN));
	rig_expect("HTTP/1.1 200");
	rig_curl("/cat", RIG_ARGUMENTS("-u", RIG_TOKEN ":"));
	rig_expect("HTTP/1.1 200");
	rig_curl("/cat", RIG_ARGUMENTS("-u", ":" RIG_TOKEN));
	rig_expect("HTTP/1.1 200");
	rig_curl("/cat", RIG_ARGUMENTS("-u", "reader-2:00112233445566778899aabbccddee00"));
	rig_expect("HTTP/1.1 401");
	rig_expect("Connection: close");
	rig_curl("/cat", RIG_ARGUMENTS("-u", "nobody:00112233445566778899aabbccddeeff"));
	rig_expect("HTTP/1.1 401");
	rig_curl("/cat", RIG_ARGUMENTS("-u", "reader-1:"));
	rig_expect("HTTP/1.1 401");
	rig_curl("/cat", RIG_ARGUMENTS("--cert", rig_certificate(RIG_STRANGER), "--key", rig_key(RIG_STRANGER)));
	rig_expect("HTTP/1.1 403");
	rig_curl("/cat", RIG_ARGUMENTS("--cert", rig_certificate(RIG_EXPIRED), "--key", rig_key(RIG_EXPIRED)));
	rig_expect("curl: (");
	rig_curl("/cat", RIG_ARGUMENTS("--cert", rig_certificate(RIG_FOREIGN), "--key", rig_key(RIG_FOREIGN)));
	rig_expect("curl: (");
	mock_set(rig, "tokens", "false");
	ck_assert_int_eq(mock_reload(rig), 0);
	rig_curl("/cat", RIG_ARGUMENTS("-u", RIG_TOKEN));
	rig_expect("curl: (");
	rig_teardown();
}
END_TEST

START_TEST(readings_are_handed_in)
{
	static const struct {
		enum tg_verdict verdict;
		const char *answer;
	} rows[] = {{TG_ACCEPTED, "HTTP/1.1 204"},     {TG_NO_ROUTE, "HTTP/1.1 404"},
		    {TG_NOT_ALLOWED, "HTTP/1.1 403"},  {TG_TOO_LARGE, "HTTP/1.1 413"},
		    {TG_WRONG_FORMAT, "HTTP/1.1 415"}, {TG_MALFORMED, "HTTP/1.1 400"},
		    {TG_TOO_FAST, "HTTP/1.1 429"},     {TG_FULL, "HTTP/1.1 503"},
		    {TG_UNAVAILABLE, "HTTP/1.1 503"},  {TG_UNKNOWN_DEVICE, "HTTP/1.1 403"}};
	char address[128];

	begin();
	snprintf(address, sizeof(address), "https://127.0.0.1:%u/readings/hall/a%%2Fb", rig_port());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig_program program;

		rig_program_start(&program,
				  RIG_ARGUMENTS("curl", "-sSi", "--cacert", rig_certificate(RIG_AUTHORITY), CERTIFICATE,
						"-H", "Content-Type: application/json", "-d", "{\"v\":1}", address));
		ck_assert(RIG_UNTIL(rig->n_submissions == i + 1));
		ck_assert(!rig_program_over(&program));
		if (rows[i].verdict == TG_ACCEPTED)
			mock_accept(rig, rig->submissions[i].token);
		else
			mock_refuse(rig, rig->submissions[i].token, rows[i].verdict);
		ck_assert(RIG_UNTIL(rig_program_over(&program)));
		rig_program_text(&program);
		rig_expect(rows[i].answer);
		if (strstr(rows[i].answer, "503") || strstr(rows[i].answer, "429"))
			rig_expect("Retry-After: 5");
		rig_program_kill(&program);
	}
	ck_assert_str_eq(rig->submissions[0].device, "reader-1");
	ck_assert_str_eq(rig->submissions[0].path, "hall/a%2Fb");
	ck_assert_int_eq(rig->submissions[0].content_format, 50);
	ck_assert_str_eq((const char *)rig->submissions[0].payload, "{\"v\":1}");
	ck_assert_uint_eq(rig->submissions[0].method, TG_METHOD_POST);
	rig_curl("/readings/a", RIG_ARGUMENTS(CERTIFICATE, "-H", "Content-Type: foo/bar", "-d", "1"));
	rig_expect("HTTP/1.1 415");
	rig->submit_error = -ENOBUFS;
	rig_curl("/readings/a", RIG_ARGUMENTS(CERTIFICATE, "-H", "Content-Type: text/plain", "-T", "/etc/hostname"));
	rig_expect("HTTP/1.1 503");
	rig_teardown();
}
END_TEST

START_TEST(deliveries_are_shown)
{
	uint64_t ticket = 0;

	begin();
	ck_assert_int_eq(mock_deliver_text(rig, "a", "1", &ticket), 0);
	ck_assert_int_eq(mock_result(rig, ticket), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(rig, "shown"), 1);
	ck_assert_int_eq(mock_deliver(rig, &(struct tg_delivery){.kind = TG_RESPONSE}, &ticket), 0);
	ck_assert_int_eq(mock_result(rig, ticket), TG_REJECTED);
	rig_teardown();
}
END_TEST

static void stream_start(struct rig_program *program, const char *const *more)
{
	const char *all[24] = {"curl", "-sSNi", "--cacert"};
	char address[64];
	size_t n = 3;

	snprintf(address, sizeof(address), "https://127.0.0.1:%u/events", rig_port());
	all[n++] = rig_certificate(RIG_AUTHORITY);
	all[n++] = "--cert";
	all[n++] = rig_certificate(RIG_READER);
	all[n++] = "--key";
	all[n++] = rig_key(RIG_READER);
	for (; more && *more; more++)
		all[n++] = *more;
	all[n] = address;
	rig_program_start(program, all);
}

static bool has(const struct rig_program *program, const char *text)
{
	return strstr(rig_program_text(program), text) != NULL;
}

START_TEST(streams)
{
	struct rig_program one, other;
	char since[128];
	const char *id;

	begin();
	mock_set(rig, "events_ms", "100");
	ck_assert_int_eq(mock_reload(rig), 0);
	stream_start(&one, NULL);
	ck_assert(RIG_UNTIL(has(&one, "retry: 5000")));
	rig_expect("Content-Type: text/event-stream");
	rig_expect_not("hall/temp");
	rig_put("dev-1", "hall/temp", 110, "2");
	ck_assert(RIG_UNTIL(has(&one, "event: item\ndata: {\"href\":\"/readings/dev-1/hall/temp\"")));
	id = strstr(rig_text, "id: ");
	ck_assert_ptr_nonnull(id);
	snprintf(since, sizeof(since), "Last-Event-ID: %.*s", (int)strcspn(id + 4, "\n"), id + 4);
	rig_put("dev-3", "late", 0, "3");
	ck_assert(RIG_UNTIL(has(&one, "/readings/dev-3/late")));
	rig_expect_not("hall/door");
	stream_start(&other, RIG_ARGUMENTS("-H", since)); /* gets what came since */
	ck_assert(RIG_UNTIL(has(&other, "/readings/dev-3/late")));
	rig_expect_not("hall/temp");
	rig_expect_not("reset");
	rig_forget("dev-2");
	ck_assert(RIG_UNTIL(has(&one, "event: reset") && has(&other, "event: reset")));
	ck_assert_int_eq(mock_counter(rig, "streams"), 2);
	rig_put("dev-1", "hall/door", 0, "9");
	ck_assert(RIG_UNTIL(has(&one, "hall/door") && has(&other, "hall/door")));
	mock_forget(rig, "reader-1"); /* revoked: both end at once */
	ck_assert(RIG_UNTIL(rig_program_over(&one) && rig_program_over(&other)));
	ck_assert_int_eq(mock_counter(rig, "streams"), 0);
	ck_assert(RIG_UNTIL(mock_counter(rig, "sessions") == 0));
	rig_program_kill(&one);
	rig_program_kill(&other);
	rig_teardown();
}
END_TEST

START_TEST(streams_are_bounded_and_noticed_when_they_go)
{
	struct rig_program one;

	begin();
	mock_set(rig, "streams_a_reader", "1");
	ck_assert_int_eq(mock_reload(rig), 0);
	stream_start(&one, NULL);
	ck_assert(RIG_UNTIL(has(&one, "retry: 5000")));
	rig_get("/events");
	rig_expect("HTTP/1.1 503");
	rig_expect("Retry-After");
	rig_program_kill(&one);
	ck_assert(RIG_UNTIL(mock_counter(rig, "streams") == 0));
	rig_teardown();
}
END_TEST

/* What goes out of the catalogue, and a core that comes and goes. */
START_TEST(the_view_is_as_the_core_is)
{
	begin();
	rig_get("/cat");
	rig_expect("dev-2");
	rig_forget("dev-2");
	rig_put("dev-4", "new", 0, "1");
	rig_get("/cat");
	rig_expect_not("dev-2");
	rig_expect("/readings/dev-4/new");
	rig->read_error = -ENOTCONN;
	rig_get("/cat");
	rig_expect("HTTP/1.1 503");
	rig_get("/readings/dev-4/new");
	rig_expect("HTTP/1.1 503");
	rig->read_error = 0;
	rig->lookup_error = -ENOTCONN;
	rig_get("/cat");
	rig_expect("HTTP/1.1 503");
	rig->lookup_error = 0;
	rig_get("/cat");
	rig_expect("HTTP/1.1 200");
	rig_teardown();
}
END_TEST

START_TEST(a_catalogue_that_does_not_fit)
{
	begin();
	rig_put_many(500, 2);
	mock_set(rig, "catalogue_bytes", "65536");
	ck_assert_int_eq(mock_reload(rig), 0);
	rig_get("/cat");
	rig_expect("HTTP/1.1 503");
	mock_set(rig, "catalogue_bytes", "1000000");
	ck_assert_int_eq(mock_reload(rig), 0);
	rig_get("/cat");
	rig_expect("HTTP/1.1 200");
	rig_teardown();
}
END_TEST

SUITE_MAIN("hypercat", catalogue, searches, conditional, asked_for_in_another_notation, who_comes_in,
	   readings_are_handed_in, deliveries_are_shown, streams, streams_are_bounded_and_noticed_when_they_go,
	   the_view_is_as_the_core_is, a_catalogue_that_does_not_fit)
