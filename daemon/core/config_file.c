/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/config_text.h"

/* The schema needs four levels; more is refused before it can do harm. */
enum { DEEPEST = 16 };

static void clear(struct config_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		clear(&node->children[i]);
	free(node->children);
	free(node->name);
	free(node->text);
}

void config_node_free(struct config_node *root)
{
	if (!root)
		return;
	clear(root);
	free(root);
}

const char *config_node_type_name(const struct config_node *node)
{
	switch (node->type) {
	case CONFIG_NODE_BOOL:
		return "true or false";
	case CONFIG_NODE_INT:
		return "a whole number";
	case CONFIG_NODE_FLOAT:
		return "a number with a fraction";
	case CONFIG_NODE_TEXT:
		return "a text";
	case CONFIG_NODE_LIST:
		return "a list";
	case CONFIG_NODE_GROUP:
		return "a group";
	}
	return "nothing";
}

static int copy_text(const char *text, char **ret_text)
{
	*ret_text = strdup(text ? text : "");
	return *ret_text ? 0 : -ENOMEM;
}

static int convert(const config_setting_t *setting, unsigned depth, const struct config_source *source,
		   struct config_node *node);

static int convert_children(const config_setting_t *setting, unsigned depth, const struct config_source *source,
			    struct config_node *node)
{
	int length = config_setting_length(setting);
	int r = 0;

	if (depth >= DEEPEST)
		return -ELOOP;
	node->children = length > 0 ? calloc((size_t)length, sizeof(*node->children)) : NULL;
	if (length > 0 && !node->children)
		return -ENOMEM;
	for (int i = 0; i < length && r >= 0; i++) {
		node->count++;
		r = convert(config_setting_get_elem(setting, (unsigned)i), depth + 1, source, &node->children[i]);
	}
	return r;
}

static int convert(const config_setting_t *setting, unsigned depth, const struct config_source *source,
		   struct config_node *node)
{
	int r = 0;

	*node = (struct config_node){.source = source, .line = config_setting_source_line(setting)};
	if (config_setting_name(setting))
		r = copy_text(config_setting_name(setting), &node->name);
	if (r < 0)
		return r;
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_BOOL:
		node->type = CONFIG_NODE_BOOL;
		node->boolean = config_setting_get_bool(setting) != 0;
		return 0;
	case CONFIG_TYPE_INT:
		node->type = CONFIG_NODE_INT;
		node->number = config_setting_get_int(setting);
		return 0;
	case CONFIG_TYPE_INT64:
		node->type = CONFIG_NODE_INT;
		node->number = config_setting_get_int64(setting);
		return 0;
	case CONFIG_TYPE_STRING:
		node->type = CONFIG_NODE_TEXT;
		return copy_text(config_setting_get_string(setting), &node->text);
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		node->type = CONFIG_NODE_LIST;
		return convert_children(setting, depth, source, node);
	case CONFIG_TYPE_GROUP:
		node->type = CONFIG_NODE_GROUP;
		return convert_children(setting, depth, source, node);
	default:
		node->type = CONFIG_NODE_FLOAT;
		return 0;
	}
}

static void add_syntax_error(const config_t *parsed, const struct config_source *source,
			     struct config_problems *problems)
{
	const char *text = config_error_text(parsed);
	int line = config_error_line(parsed);

	if (!text || strcmp(text, "syntax error") == 0)
		text = "syntax error (a ';' or ',' missing in the line before? a ',' before a closing bracket?)";
	config_problem_error(problems, source, line > 0 ? (unsigned)line : 0, "%s", text);
}

static int parse_prepared(const char *text, const struct config_source *source, struct config_problems *problems,
			  struct config_node **ret_root)
{
	CLEANUP_CONFIG_NODE struct config_node *root = NULL;
	config_t parsed;
	int r;

	root = calloc(1, sizeof(*root));
	if (!root)
		return -ENOMEM;
	config_init(&parsed);
	if (config_read_string(&parsed, text) == CONFIG_TRUE) {
		r = convert(config_root_setting(&parsed), 0, source, root);
		if (r == -ELOOP)
			config_problem_error(problems, source, 0, "groups and lists stand too deep in each other");
	} else {
		add_syntax_error(&parsed, source, problems);
		r = -EINVAL;
	}
	config_destroy(&parsed);
	if (r < 0)
		return r == -ELOOP ? -EINVAL : r;
	*ret_root = root;
	root = NULL;
	return 0;
}

static unsigned line_of(const char *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* Finds the line whose bytes are not UTF-8: no line end is part of a broken sequence, so each stands alone. */
static unsigned first_broken_line(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	unsigned line = 1;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);

		if (!bytes_is_utf8(bytes_of(at, length)))
			return line;
		at += length + 1;
		line++;
	}
	return 0;
}

int config_file_parse(const char *text, size_t size, const struct config_source *source,
		      struct config_problems *problems, struct config_node **ret_root)
{
	CLEANUP_FREE char *prepared = NULL;
	size_t errors = problems->errors;
	const char *nul;
	int r;

	if (size > CONFIG_FILE_MAX) {
		config_problem_error(problems, source, 0, "larger than %d MiB", CONFIG_FILE_MAX / 1024 / 1024);
		return -EINVAL;
	}
	nul = size ? memchr(text, '\0', size) : NULL;
	if (nul)
		config_problem_error(problems, source, line_of(text, (size_t)(nul - text)),
				     "has a NUL byte: not a text file");
	else if (!bytes_is_utf8(bytes_of(text, size)))
		config_problem_error(problems, source, first_broken_line(text, size), "is not UTF-8 text");
	if (problems->errors > errors)
		return -EINVAL;
	r = config_text_prepare(text, size, source, problems, &prepared);
	if (r < 0)
		return r;
	return parse_prepared(prepared, source, problems, ret_root);
}

static int read_all(int fd, char *text, size_t room, size_t *ret_size)
{
	size_t size = 0;

	while (size < room) {
		ssize_t n = read(fd, text + size, room - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret_size = size;
	return 0;
}

static int cannot_read(const struct config_source *source, struct config_problems *problems, int error)
{
	config_problem_error(problems, source, 0, "cannot be read (%s)", strerror(error));
	return -EINVAL;
}

int config_file_read(const char *path, const struct config_source *source, struct config_problems *problems,
		     struct config_node **ret_root)
{
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t size = 0;
	int r;

	/* Non-blocking, so that a FIFO without a writer is refused and not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_read(source, problems, errno);
	if (!S_ISREG(st.st_mode)) {
		config_problem_error(problems, source, 0, "%s",
				     S_ISDIR(st.st_mode) ? "is a folder" : "is not a regular file");
		return -EINVAL;
	}
	if (st.st_size > CONFIG_FILE_MAX) {
		config_problem_error(problems, source, 0, "larger than %d MiB", CONFIG_FILE_MAX / 1024 / 1024);
		return -EINVAL;
	}
	/* One byte more than allowed tells a file that has grown since. */
	text = malloc((size_t)st.st_size + 2);
	if (!text)
		return -ENOMEM;
	r = read_all(fd, text, (size_t)st.st_size + 1, &size);
	if (r < 0)
		return cannot_read(source, problems, -r);
	return config_file_parse(text, size, source, problems, ret_root);
}
