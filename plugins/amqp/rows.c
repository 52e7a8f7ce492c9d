/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "sender.h"

const struct tg_setting options_rows[] = {
	{"broker", TG_LIST, TG_LIVE | TG_REQUIRED, "", NULL, 1, 16, NULL,
	 "peers in the order of preference: amqps://host[:5671], or amqp://host[:5672] with insecure"},
	{"certificate", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "PEM file of the client certificate, with its chain behind it; without username it is also who logs in (SASL "
	 "EXTERNAL)"},
	{"key", TG_KEY_FILE, TG_LIVE, "", NULL, 0, 0, NULL, "PEM file of the client certificate's private key"},
	{"trust", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "PEM file of the CA certificates that a peer's certificate must lead to; several stand side by side"},
	{"crl", TG_FILE, TG_LIVE, "", NULL, 0, 0, NULL,
	 "PEM file of certificate revocation lists; with it each authority of a chain, but for the anchor, needs its "
	 "list"},
	{"crl_expired", TG_CHOICE, TG_LIVE, "", "accept", 0, 0, "accept refuse",
	 "what a revocation list past its next update means for certificates that are not on it"},
	{"ocsp", TG_CHOICE, TG_LIVE, "", "accept", 0, 0, "off accept require",
	 "OCSP response stapled by the peer: not asked for, verified where there is one, or required; revoked is "
	 "refused"},
	{"insecure", TG_BOOL, TG_LIVE, "", "false", 0, 0, NULL,
	 "allows amqp:// without TLS, and amqps:// without trust, where anybody can be the peer; also SASL ANONYMOUS"},
	{"server_name", TG_TEXT, TG_LIVE, "", NULL, 0, 253, NULL,
	 "name that must stand in the peer's certificate; default: the host in broker"},
	{"username", TG_TEXT, TG_LIVE, "", NULL, 0, 255, NULL, "user who logs in with a password (SASL PLAIN)"},
	{"password_file", TG_KEY_FILE, TG_LIVE, "", NULL, 0, 0, NULL, "file that holds the password of username"},
	{"container_id", TG_TEXT, TG_LIVE, "", "{gateway}-{endpoint}", 1, 255, NULL,
	 "AMQP container, unique at the peer; may name {site}, {gateway} and {endpoint}"},
	{"virtual_host", TG_TEXT, TG_LIVE, "", NULL, 0, 253, NULL,
	 "hostname of the AMQP connection; RabbitMQ takes vhost:NAME; default: the host in broker"},
	{"target", TG_TEXT, TG_LIVE, "", NULL, 0, 1024, NULL,
	 "address that everything is sent to, with the route's address as the subject; default: a route's address is "
	 "where a message goes"},
	{"address_refused", TG_CHOICE, TG_LIVE, "", "retry", 0, 0, "retry reject",
	 "a message whose address the peer refuses is kept, and all wait until it is taken, or it is dropped"},
	{"sources", TG_LIST, TG_LIVE, "", NULL, 0, 64, NULL,
	 "addresses to receive from; a message's path is the address and, behind a '/', its subject"},
	{"receive_window", TG_INT, TG_LIVE, "", "100", 1, 1000, NULL,
	 "credit of a source: most messages that it may have waiting for the gateway at once"},
	{"window", TG_INT, TG_LIVE, "", "200", 1, 10000, NULL,
	 "most messages on their way to the peer at once, and as many responses; its credit may lower it"},
	{"links", TG_INT, TG_LIVE, "", "32", 1, SENDERS_MAX, NULL,
	 "most addresses that links are kept open to; the one not used for longest makes room"},
	{"release_limit", TG_INT, TG_LIVE, "", "0", 0, 1000, NULL,
	 "a message that the peer has given back (released, modified) so often is dropped; 0: never"},
	{"idle_timeout_s", TG_INT, TG_LIVE, "s", "30", 5, 3600, NULL,
	 "longest silence of the peer before the connection is given up"},
	{"connect_timeout_s", TG_INT, TG_LIVE, "s", "15", 1, 300, NULL,
	 "time for name look-up, TCP, TLS, SASL and OPEN together"},
	{"confirm_timeout_s", TG_INT, TG_LIVE, "s", "30", 1, 3600, NULL,
	 "a connection that leaves a message unconfirmed for so long is closed and made anew; a response is dropped"},
	{"backoff_min_ms", TG_INT, TG_LIVE, "ms", "500", 10, 60000, NULL, "first wait between attempts to connect"},
	{"backoff_max_s", TG_INT, TG_LIVE, "s", "60", 1, 3600, NULL, "longest wait between attempts to connect"},
	{"failback_s", TG_INT, TG_LIVE, "s", "0", 0, 604800, NULL,
	 "after so long on a later broker the first is tried again, with a short gap; 0: stay"},
	{0},
};
