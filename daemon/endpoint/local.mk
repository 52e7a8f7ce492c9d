# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libendpoint.la
libendpoint_la_SOURCES = \
	daemon/endpoint/clean.c daemon/endpoint/clean.h \
	daemon/endpoint/describe.c daemon/endpoint/describe.h \
	daemon/endpoint/endpoint.c daemon/endpoint/endpoint.h \
	daemon/endpoint/exchange.c daemon/endpoint/exchange_device.c daemon/endpoint/exchange_note.c \
	daemon/endpoint/host.c daemon/endpoint/host.h \
	daemon/endpoint/host_internal.h \
	daemon/endpoint/joint.c daemon/endpoint/joint.h \
	daemon/endpoint/load.c daemon/endpoint/load.h \
	daemon/endpoint/pending.c daemon/endpoint/pending.h \
	daemon/endpoint/resolver.c daemon/endpoint/resolver.h \
	daemon/endpoint/round.c daemon/endpoint/round.h \
	daemon/endpoint/settings.c daemon/endpoint/settings.h \
	daemon/endpoint/slots.c daemon/endpoint/slots.h
libendpoint_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libendpoint_la_LIBADD = libwire.la libconfine.la $(JANSSON_LIBS)

endpoint_PROGRAMS += tidegate-endpoint
tidegate_endpoint_SOURCES = daemon/endpoint/main.c
tidegate_endpoint_CPPFLAGS = $(AM_CPPFLAGS) $(PLACES)
tidegate_endpoint_LDADD = libendpoint.la

check_LTLIBRARIES += libmockhost.la
libmockhost_la_SOURCES = \
	tests/adapter/mock_host.c tests/adapter/mock_host.h \
	tests/adapter/mock_internal.h \
	tests/adapter/mock_notes.c \
	tests/adapter/mock_records.c \
	tests/adapter/mock_services.c
libmockhost_la_LIBADD = libendpoint.la

check_PROGRAMS += tests/unit/test_settings
UNIT_TESTS += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c
tests_unit_test_settings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_settings_LDADD = libendpoint.la $(CHECK_LIBS)

check_PROGRAMS += tests/adapter/test_endpoint
UNIT_TESTS += tests/adapter/test_endpoint
tests_adapter_test_endpoint_SOURCES = tests/adapter/fake_core.c tests/adapter/fake_core.h tests/adapter/test_endpoint.c
tests_adapter_test_endpoint_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_endpoint_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_endpoint_DEPENDENCIES = libmockhost.la loopback.la tidegate-endpoint

check_PROGRAMS += tests/unit/test_pending tests/unit/test_sandbox
UNIT_TESTS += tests/unit/test_pending tests/unit/test_sandbox
tests_unit_test_pending_SOURCES = tests/unit/test_pending.c tests/unit/suite.h
tests_unit_test_pending_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_pending_LDADD = libendpoint.la $(CHECK_LIBS)
tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c tests/unit/suite.h
tests_unit_test_sandbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_sandbox_LDADD = libendpoint.la $(CHECK_LIBS)

UNIT_TESTS += tests/adapter/outside.sh
EXTRA_DIST += tests/adapter/outside.sh tests/adapter/outside.c

check_PROGRAMS += tests/unit/test_host tests/unit/test_host_list tests/unit/test_host_notes tests/unit/test_round
UNIT_TESTS += tests/unit/test_host tests/unit/test_host_list tests/unit/test_host_notes tests/unit/test_round
tests_unit_test_host_list_SOURCES = tests/unit/test_host_list.c tests/unit/suite.h
tests_unit_test_host_list_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_host_list_LDADD = libendpoint.la $(CHECK_LIBS)
tests_unit_test_host_notes_SOURCES = tests/unit/test_host_notes.c tests/unit/suite.h
tests_unit_test_host_notes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_host_notes_LDADD = libendpoint.la $(CHECK_LIBS)
tests_unit_test_host_SOURCES = tests/unit/test_host.c tests/unit/suite.h
tests_unit_test_host_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_host_LDADD = libendpoint.la $(CHECK_LIBS)
tests_unit_test_round_SOURCES = tests/unit/test_round.c tests/unit/suite.h
tests_unit_test_round_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_round_LDADD = libendpoint.la $(CHECK_LIBS)
