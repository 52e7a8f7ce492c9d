/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/config_internal.h"

struct check {
	const struct config_load *load;
	const char *where;
	const struct config_section *common;
};

static bool is_given(const struct check *check, const char *name)
{
	return *config_section_text(check->common, name) != '\0';
}

static void refuse(const struct check *check, const char *name, const char *problem)
{
	const struct config_value *value = config_section_value(check->common, name);

	config_problem_error(check->load->problems, value->source, value->line, "%s: \"%s\" %s", check->where, name,
			     problem);
}

static bool has_row(const struct config_endpoint *endpoint, const char *name)
{
	return endpoint->settings.rows && config_section_value(&endpoint->settings, name);
}

static size_t count_item(const struct check *check, const char *item)
{
	size_t found = 0;

	for (size_t i = 0; i < config_section_count(check->common, "renew_command"); i++)
		found += strcmp(config_section_item(check->common, "renew_command", i), item) == 0;
	return found;
}

static void check_command(const struct check *check)
{
	if (config_section_item(check->common, "renew_command", 0)[0] != '/')
		refuse(check, "renew_command",
		       "wants the whole path of a program as its first entry, beginning with '/'");
	if (count_item(check, "{csr}") == 0 || count_item(check, "{certificate}") == 0)
		refuse(check, "renew_command",
		       "wants \"{csr}\" and \"{certificate}\" among its entries: where the request is, and where the "
		       "certificate is to be put");
}

static void check_est(const struct check *check, const struct config_endpoint *endpoint)
{
	const char *url = config_section_text(check->common, "est");

	if (strncmp(url, "https://", 8) != 0 || !url[8])
		refuse(check, "est", "is not of the form https://host[:port][/path]");
	if (is_given(check, "est_username") != is_given(check, "est_password"))
		refuse(check, is_given(check, "est_username") ? "est_username" : "est_password",
		       "stands alone: \"est_username\" and \"est_password\" belong together");
	if (!is_given(check, "est_trust") &&
	    (!has_row(endpoint, "trust") || !*config_section_text(&endpoint->settings, "trust")))
		refuse(check, "est", "has nothing to check its server by: set \"est_trust\" (or \"trust\")");
}

void config_check_renewal(const struct config_load *load, const char *where, const struct config_endpoint *endpoint)
{
	static const char *const only_est[] = {"est_username", "est_password", "est_subject"};
	const struct check check = {load, where, &endpoint->common};
	bool est = is_given(&check, "est"), command = config_section_count(&endpoint->common, "renew_command") > 0;

	if (est && command)
		refuse(&check, "renew_command", "and \"est\" cannot both renew the certificate: keep one of them");
	if ((est || command) && endpoint->descriptor &&
	    (!has_row(endpoint, "certificate") || !has_row(endpoint, "key")))
		refuse(&check, est ? "est" : "renew_command", "is of no use here: this adapter has no certificate");
	if (command)
		check_command(&check);
	if (est)
		check_est(&check, endpoint);
	for (size_t i = 0; i < sizeof(only_est) / sizeof(only_est[0]) && !est && !command; i++) {
		if (is_given(&check, only_est[i]))
			refuse(&check, only_est[i], "is of no use without \"est\"");
	}
}
