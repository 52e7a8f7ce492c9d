# SPDX-License-Identifier: Apache-2.0
# What needs no socket and no TLS.
noinst_LTLIBRARIES += libcoapclient.la
libcoapclient_la_SOURCES = \
	plugins/coap_client/body.c plugins/coap_client/body.h \
	plugins/coap_client/finished.c plugins/coap_client/finished.h \
	plugins/coap_client/linkformat.c plugins/coap_client/linkformat.h \
	plugins/coap_client/order.c plugins/coap_client/order.h \
	plugins/coap_client/oscore_file.c plugins/coap_client/oscore_file.h \
	plugins/coap_client/sequence.c plugins/coap_client/sequence.h \
	plugins/coap_client/texts.c plugins/coap_client/texts.h \
	plugins/coap_client/stack_wire.c plugins/coap_client/stack_wire.h \
	plugins/coap_client/timing.c plugins/coap_client/timing.h
libcoapclient_la_CPPFLAGS = -I$(top_srcdir)/include -D_GNU_SOURCE
libcoapclient_la_CFLAGS = $(AM_CFLAGS) $(COAP_CFLAGS)
libcoapclient_la_LIBADD = $(COAP_LIBS)

adapter_LTLIBRARIES += coap_client.la
coap_client_la_SOURCES = \
	plugins/coap_client/client.h \
	plugins/coap_client/coap_client.c \
	plugins/coap_client/command.c \
	plugins/coap_client/discover.c \
	plugins/coap_client/gate.c plugins/coap_client/gate.h \
	plugins/coap_client/names.c plugins/coap_client/names.h \
	plugins/coap_client/oscore.c plugins/coap_client/oscore.h \
	plugins/coap_client/peer.c \
	plugins/coap_client/peer_oscore.c \
	plugins/coap_client/peer_session.c \
	plugins/coap_client/plan.c plugins/coap_client/plan.h \
	plugins/coap_client/plan_oscore.c \
	plugins/coap_client/reading.c \
	plugins/coap_client/request.c plugins/coap_client/request.h \
	plugins/coap_client/rows.c \
	plugins/coap_client/stack.c plugins/coap_client/stack.h plugins/coap_client/stack_internal.h \
	plugins/coap_client/stack_guard.c \
	plugins/coap_client/stack_message.c \
	plugins/coap_client/stack_oscore.c \
	plugins/coap_client/stack_ssl.c \
	plugins/coap_client/tls.c plugins/coap_client/tls.h plugins/coap_client/tls_internal.h \
	plugins/coap_client/tls_digest.c plugins/coap_client/tls_digest.h \
	plugins/coap_client/tls_files.c \
	plugins/coap_client/tls_verify.c \
	plugins/coap_client/watch.c
coap_client_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_builddir) -D_GNU_SOURCE
coap_client_la_CFLAGS = $(AM_CFLAGS) $(COAP_CFLAGS) $(OPENSSL_CFLAGS)
coap_client_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
coap_client_la_LIBADD = libcoapclient.la $(COAP_LIBS) $(OPENSSL_LIBS)

COAP_SERVER = tests/adapter/child.c tests/adapter/child.h tests/adapter/coap_server.c tests/adapter/coap_server.h \
	tests/adapter/coap_client_rig.c tests/adapter/coap_client_rig.h
check_PROGRAMS += tests/adapter/test_coap_client_role
UNIT_TESTS += tests/adapter/test_coap_client_role
tests_adapter_test_coap_client_role_SOURCES = tests/adapter/test_coap_client_role.c $(COAP_SERVER)
tests_adapter_test_coap_client_role_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_coap_client_role_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_coap_client_role_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_coap_client_role_DEPENDENCIES = libmockhost.la coap_client.la
check_PROGRAMS += tests/adapter/test_coap_client_sessions
UNIT_TESTS += tests/adapter/test_coap_client_sessions
tests_adapter_test_coap_client_sessions_SOURCES = tests/adapter/test_coap_client_sessions.c $(COAP_SERVER)
tests_adapter_test_coap_client_sessions_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_coap_client_sessions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_coap_client_sessions_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_coap_client_sessions_DEPENDENCIES = libmockhost.la coap_client.la

check_PROGRAMS += tests/adapter/test_coap_client_aiocoap
UNIT_TESTS += tests/adapter/test_coap_client_aiocoap
EXTRA_DIST += tests/adapter/aiocoap_device.py
tests_adapter_test_coap_client_aiocoap_SOURCES = tests/adapter/test_coap_client_aiocoap.c $(COAP_SERVER) \
	tests/adapter/coap_client_relay.c tests/adapter/coap_client_relay.h
tests_adapter_test_coap_client_aiocoap_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(top_srcdir)/plugins
tests_adapter_test_coap_client_aiocoap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -pthread
tests_adapter_test_coap_client_aiocoap_LDADD = libmockhost.la libcoapclient.la $(CHECK_LIBS)
tests_adapter_test_coap_client_aiocoap_DEPENDENCIES = libmockhost.la libcoapclient.la coap_client.la
check_PROGRAMS += tests/adapter/test_coap_client_corners
UNIT_TESTS += tests/adapter/test_coap_client_corners
tests_adapter_test_coap_client_corners_SOURCES = tests/adapter/test_coap_client_corners.c $(COAP_SERVER) \
	tests/adapter/coap_client_device.c tests/adapter/coap_client_device.h
tests_adapter_test_coap_client_corners_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_coap_client_corners_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(COAP_CFLAGS) -pthread
tests_adapter_test_coap_client_corners_LDADD = libmockhost.la $(CHECK_LIBS) $(COAP_LIBS)
tests_adapter_test_coap_client_corners_DEPENDENCIES = libmockhost.la coap_client.la
check_PROGRAMS += tests/adapter/test_coap_client_commands
UNIT_TESTS += tests/adapter/test_coap_client_commands
tests_adapter_test_coap_client_commands_SOURCES = tests/adapter/test_coap_client_commands.c $(COAP_SERVER) \
	tests/adapter/coap_client_device.c tests/adapter/coap_client_device.h
tests_adapter_test_coap_client_commands_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_coap_client_commands_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(COAP_CFLAGS) -pthread
tests_adapter_test_coap_client_commands_LDADD = libmockhost.la $(CHECK_LIBS) $(COAP_LIBS)
tests_adapter_test_coap_client_commands_DEPENDENCIES = libmockhost.la coap_client.la
check_PROGRAMS += tests/adapter/test_coap_client_oscore
UNIT_TESTS += tests/adapter/test_coap_client_oscore
tests_adapter_test_coap_client_oscore_SOURCES = tests/adapter/test_coap_client_oscore.c $(COAP_SERVER) \
	tests/adapter/coap_client_relay.c tests/adapter/coap_client_relay.h
tests_adapter_test_coap_client_oscore_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(top_srcdir)/plugins
tests_adapter_test_coap_client_oscore_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -pthread
tests_adapter_test_coap_client_oscore_LDADD = libmockhost.la libcoapclient.la $(CHECK_LIBS)
tests_adapter_test_coap_client_oscore_DEPENDENCIES = libmockhost.la libcoapclient.la coap_client.la

check_PROGRAMS += tests/unit/test_coap_client_parts
UNIT_TESTS += tests/unit/test_coap_client_parts
tests_unit_test_coap_client_parts_SOURCES = tests/unit/test_coap_client_parts.c
tests_unit_test_coap_client_parts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_client_parts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_client_parts_LDADD = libcoapclient.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_coap_client_oscore
UNIT_TESTS += tests/unit/test_coap_client_oscore
tests_unit_test_coap_client_oscore_SOURCES = tests/unit/test_coap_client_oscore.c tests/unit/suite.h \
	tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_unit_test_coap_client_oscore_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -I$(top_srcdir)/tests
tests_unit_test_coap_client_oscore_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_client_oscore_LDADD = libcoapclient.la libbase.la libbench.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_coap_client_contexts
UNIT_TESTS += tests/unit/test_coap_client_contexts
tests_unit_test_coap_client_contexts_SOURCES = tests/unit/test_coap_client_contexts.c tests/unit/suite.h \
	plugins/coap_client/oscore.c plugins/coap_client/oscore.h \
	plugins/coap_client/tls_digest.c plugins/coap_client/tls_digest.h
tests_unit_test_coap_client_contexts_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(top_srcdir)/plugins
tests_unit_test_coap_client_contexts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_coap_client_contexts_LDADD = libcoapclient.la libbase.la $(CHECK_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_coap_client
UNIT_TESTS += tests/fuzz/fuzz_coap_client
tests_fuzz_fuzz_coap_client_SOURCES = tests/fuzz/fuzz_coap_client.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_coap_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins
tests_fuzz_fuzz_coap_client_LDADD = libcoapclient.la libbase.la libbench.la
