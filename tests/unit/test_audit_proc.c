/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "ctl/audit_proc.h"
#include "suite.h"

static const char status[] =
	"Name:\ttidegate-endpoi\nUmask:\t0027\nPPid:\t4711\nUid:\t107\t107\t107\t107\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	"Seccomp_filters:\t1\nCapInh:\tffffffffffffffff\nCapPrm:\t0000000000000000\n"
	"CapEff:\t0000000000000000\n";

START_TEST(reads_what_a_process_may_do)
{
	struct audit_process process;

	audit_process_parse(status, &process);
	ck_assert_str_eq(process.name, "tidegate-endpoi");
	ck_assert_int_eq(process.parent, 4711);
	ck_assert_int_eq(process.uid, 107);
	ck_assert_int_eq(process.no_new_privileges, 1);
	ck_assert_int_eq(process.seccomp, 2);
	ck_assert(process.capabilities_known);
	ck_assert_uint_eq(process.capabilities, 0);
	/* What is permitted counts like what is effective: it can be taken at any time. */
	audit_process_parse("CapPrm:\t0000000000000400\nCapEff:\t0000000000000000\n", &process);
	ck_assert_uint_eq(process.capabilities, 0x400);
	ck_assert_int_eq(process.no_new_privileges, -1);
	ck_assert_int_eq(process.seccomp, -1);
	audit_process_parse("", &process);
	ck_assert(!process.capabilities_known);
	audit_process_parse("NoNewPrivs:\nSeccomp\nCapEff: x\nName:\n", &process);
	ck_assert(!process.capabilities_known);
	ck_assert_int_eq(process.seccomp, -1);
}
END_TEST

START_TEST(knows_when_no_core_file_is_written)
{
	static const char none[] = "Limit        Soft Limit  Hard Limit  Units\n"
				   "Max core file size        0                    0                    bytes     \n";
	static const char soft[] = "Max core file size        0                    unlimited            bytes     \n";

	ck_assert(audit_limits_no_core(none));
	ck_assert(!audit_limits_no_core(soft)); /* it can be raised again */
	ck_assert(!audit_limits_no_core("Max core file size        unlimited            unlimited            bytes\n"));
	ck_assert(!audit_limits_no_core(""));
}
END_TEST

static void collect(void *arg, const struct audit_socket *socket)
{
	char *text = arg;

	snprintf(text + strlen(text), 1024 - strlen(text), "%s %s %u %u %llu\n", socket->protocol, socket->address,
		 (unsigned)socket->port, (unsigned)socket->uid, (unsigned long long)socket->inode);
}

#define TITLES "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

START_TEST(finds_sockets_that_anybody_can_send_to)
{
	char text[1024] = "";

	audit_sockets_parse(
		TITLES
		"   0: 0100007F:1634 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 4242 1\n"
		"   1: 0100007F:1635 0100007F:ABCD 01 00000000:00000000 00:00000000 00000000   107        0 4243 1\n"
		"nonsense\n\n",
		"tcp", collect, text);
	ck_assert_str_eq(text, "tcp 127.0.0.1:5684 5684 107 4242\n");
	text[0] = '\0';
	audit_sockets_parse(
		TITLES
		" 100: 00000000:1634 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 7 2 0 0\n"
		" 101: 00000000:9999 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 8 2 0 0\n",
		"udp", collect, text);
	ck_assert_str_eq(text, "udp 0.0.0.0:5684 5684 0 7\n");
	text[0] = '\0';
	audit_sockets_parse(TITLES
			    "  1: B80D0120000000000000000001000000:1634 00000000000000000000000000000000:0000 07 "
			    "00000000:00000000 00:00000000 00000000   1        0 9 2 0 0\n",
			    "udp6", collect, text);
	ck_assert_str_eq(text, "udp6 [2001:db8::1]:5684 5684 1 9\n");
	text[0] = '\0';
	audit_sockets_parse(TITLES "  1: xyz:1634 0:0000 0A 0:0 0:0 0 1 0 9\n  2: 0100007F 0 0A 0:0 0:0 0 1 0 9\n",
			    "tcp", collect, text);
	audit_sockets_parse("", "tcp", collect, text);
	audit_sockets_parse(TITLES, "tcp", collect, text);
	ck_assert_str_eq(text, "");
}
END_TEST

SUITE_MAIN("audit_proc", reads_what_a_process_may_do, knows_when_no_core_file_is_written,
	   finds_sockets_that_anybody_can_send_to)
