# SPDX-License-Identifier: Apache-2.0
adapter_LTLIBRARIES += loopback.la
loopback_la_SOURCES = \
	plugins/loopback/generator.c plugins/loopback/generator.h \
	plugins/loopback/loopback.c \
	plugins/loopback/numbers.c plugins/loopback/numbers.h
loopback_la_CPPFLAGS = -I$(top_srcdir)/include
loopback_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'

check_PROGRAMS += tests/adapter/test_loopback
UNIT_TESTS += tests/adapter/test_loopback
tests_adapter_test_loopback_SOURCES = tests/adapter/test_loopback.c
tests_adapter_test_loopback_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_loopback_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_loopback_DEPENDENCIES = libmockhost.la loopback.la
