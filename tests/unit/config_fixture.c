/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

const char fixture_field[] =
	"{\"name\":\"field\",\"version\":\"1\",\"summary\":\"devices\",\"major\":1,\"minor\":0,"
	"\"roles\":[\"source\",\"sink\"],\"needs\":[\"listen\"],\"flags\":[\"devices\",\"workers\"],\"reserved\":\"?\","
	"\"counters\":[\"sessions\"],\"settings\":["
	"{\"name\":\"listen\",\"type\":4,\"flags\":{\"live\":false,\"required\":true},\"unit\":\"\",\"fallback\":null,"
	"\"lowest\":1,\"highest\":3,\"choices\":null,\"help\":\"addresses to listen at\"},"
	"{\"name\":\"insecure\",\"type\":1,\"flags\":{\"live\":false,\"required\":false},\"unit\":\"\","
	"\"fallback\":\"false\",\"lowest\":0,\"highest\":0,\"choices\":null,\"help\":\"plain text\"},"
	"{\"name\":\"idle_s\",\"type\":2,\"flags\":{\"live\":true,\"required\":false},\"unit\":\"s\","
	"\"fallback\":\"60\",\"lowest\":1,\"highest\":86400,\"choices\":null,\"help\":\"end idle sessions\"},"
	"{\"name\":\"key\",\"type\":7,\"flags\":{\"live\":true,\"required\":false},\"unit\":\"\",\"fallback\":null,"
	"\"lowest\":0,\"highest\":0,\"choices\":null,\"help\":\"private key\"}]}";

const char fixture_cloud[] =
	"{\"name\":\"cloud\",\"version\":\"1\",\"summary\":\"a server\",\"major\":1,\"minor\":0,"
	"\"roles\":[\"source\",\"sink\"],\"needs\":[\"connect\",\"resolve\"],\"flags\":[],\"reserved\":\"+#\","
	"\"counters\":[],\"settings\":["
	"{\"name\":\"flavour\",\"type\":5,\"flags\":{\"live\":false,\"required\":false},\"unit\":\"\","
	"\"fallback\":\"modern\",\"lowest\":0,\"highest\":0,\"choices\":\"modern compatible\",\"help\":\"policy\"},"
	"{\"name\":\"alpn\",\"type\":4,\"flags\":{\"live\":false,\"required\":false},\"unit\":\"\","
	"\"fallback\":\"[ \\\"mqtt\\\", \\\"x\\\" ]\",\"lowest\":0,\"highest\":8,\"choices\":null,\"help\":\"names\"},"
	"{\"name\":\"large\",\"type\":2,\"flags\":{\"live\":false,\"required\":false},\"unit\":\"bytes\","
	"\"fallback\":\"5000000000\",\"lowest\":-5,\"highest\":9000000000000,\"choices\":null,\"help\":\"a number\"},"
	"{\"name\":\"client_id\",\"type\":3,\"flags\":{\"live\":false,\"required\":false},\"unit\":\"\","
	"\"fallback\":null,\"lowest\":0,\"highest\":8,\"choices\":null,\"help\":\"who we are\"}]}";

const char fixture_out[] = "{\"name\":\"out\",\"major\":1,\"minor\":0,\"roles\":[\"sink\"],\"needs\":[],"
			   "\"flags\":[],\"settings\":[]}";

const char fixture_box[] = "{\"name\":\"box\",\"major\":1,\"minor\":0,\"roles\":[\"source\",\"sink\"],\"needs\":[],"
			   "\"flags\":[\"devices\",\"mailbox\"],\"settings\":[]}";

static void fixture_adapter(struct fixture *fixture, const char *name, const char *json)
{
	char problem[DESCRIPTOR_PROBLEM_SIZE] = "";
	struct descriptor *descriptor;
	int r = descriptor_parse(name, bytes_text(json), &descriptor, problem);

	ck_assert_msg(r == 0, "%s", problem);
	ck_assert_int_eq(descriptor_set_add(fixture->adapters, descriptor), 0);
}

void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){.folder = "/tmp/tidegate-config-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(fixture->folder));
	snprintf(fixture->file, sizeof(fixture->file), "%s/tidegate.conf", fixture->folder);
	ck_assert_int_eq(descriptor_set_new("/nonexistent/program", "/nonexistent", &fixture->adapters), 0);
	fixture_adapter(fixture, "field", fixture_field);
	fixture_adapter(fixture, "cloud", fixture_cloud);
	fixture_adapter(fixture, "out", fixture_out);
	fixture_adapter(fixture, "box", fixture_box);
	config_problems_init(&fixture->problems);
}

static int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_done(struct fixture *fixture)
{
	config_unref(fixture->config);
	config_problems_done(&fixture->problems);
	descriptor_set_free(fixture->adapters);
	nftw(fixture->folder, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

void fixture_write_bytes(struct fixture *fixture, const char *name, const void *data, size_t size)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/conf.d", fixture->folder);
	if (strncmp(name, "conf.d/", 7) == 0)
		mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	/* A new file, for one that is written over is flushed to the disk by some file systems. */
	remove(path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
	fixture_write_bytes(fixture, name, text, strlen(text));
}

int fixture_load(struct fixture *fixture)
{
	config_unref(fixture->config);
	fixture->config = NULL;
	config_problems_done(&fixture->problems);
	return config_load(fixture->file, fixture->adapters, &fixture->problems, &fixture->config);
}

char *fixture_problems(struct fixture *fixture)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	config_problems_print(&fixture->problems, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

void fixture_good(struct fixture *fixture, const char *text)
{
	fixture_write(fixture, "tidegate.conf", text);
	if (fixture_load(fixture) != 0)
		ck_abort_msg("%s", fixture_problems(fixture));
}

void fixture_assert_bad(const struct fixture_bad *bad, size_t count)
{
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < count; i++) {
		char *problems;

		fixture_write(&f, "tidegate.conf", bad[i].text);
		ck_assert_msg(fixture_load(&f) == -EINVAL, "%s", bad[i].text);
		problems = fixture_problems(&f);
		ck_assert_str_eq(problems, bad[i].problems);
		free(problems);
	}
	fixture_done(&f);
}
