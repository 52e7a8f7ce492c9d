# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libendpoint.la
libendpoint_la_SOURCES = \
	daemon/endpoint/settings.c daemon/endpoint/settings.h
libendpoint_la_LIBADD = libwire.la

check_LTLIBRARIES += libmockhost.la
libmockhost_la_SOURCES = \
	tests/adapter/mock_host.c tests/adapter/mock_host.h \
	tests/adapter/mock_internal.h \
	tests/adapter/mock_records.c \
	tests/adapter/mock_services.c
libmockhost_la_LIBADD = libendpoint.la

check_PROGRAMS += tests/unit/test_settings
UNIT_TESTS += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c
tests_unit_test_settings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_settings_LDADD = libendpoint.la $(CHECK_LIBS)
