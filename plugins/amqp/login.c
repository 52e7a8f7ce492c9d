/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/logger.h>
#include <proton/sasl.h>
#include <proton/transport.h>

#include "options.h"
#include "wire.h"

static void login_sasl(struct pn_connection_driver_t *driver, const struct options *options)
{
	pn_sasl_t *sasl = pn_sasl(driver->transport);

	if (options->username)
		pn_connection_set_user(driver->connection, options->username);
	if (options->password)
		pn_connection_set_password(driver->connection, options->password);
	pn_sasl_allowed_mechs(sasl, options->mechanism);
	/* It knows nothing of our TLS; options.c sees to it that a password goes over TLS only. */
	pn_sasl_set_allow_insecure_mechs(sasl, true);
}

void login_begin(struct pn_connection_driver_t *driver, const struct options *options, const char *host)
{
	pn_transport_t *transport = driver->transport;

	/* What goes wrong comes as an event; by itself the library writes it to the standard error, with whatever the peer has said. */
	pn_logger_reset_mask(pn_transport_logger(transport), PN_SUBSYSTEM_ALL, PN_LEVEL_ALL);
	pn_transport_set_max_frame(transport, WIRE_FRAME_MAX);
	pn_transport_set_channel_max(transport, LOGIN_SESSIONS);
	pn_transport_set_idle_timeout(transport, (pn_millis_t)(options->idle_timeout_us / 1000));
	login_sasl(driver, options);
	pn_connection_set_container(driver->connection, options->container_id);
	pn_connection_set_hostname(driver->connection, options->virtual_host ? options->virtual_host : host);
	pn_connection_open(driver->connection);
}

void login_over(struct pn_connection_driver_t *driver)
{
	pn_connection_set_password(driver->connection, "");
}
