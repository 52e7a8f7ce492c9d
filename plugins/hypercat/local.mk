# SPDX-License-Identifier: Apache-2.0
# What needs no socket and no TLS.
noinst_LTLIBRARIES += libhypercat.la
libhypercat_la_SOURCES = \
	plugins/hypercat/item.c plugins/hypercat/item.h \
	plugins/hypercat/search.c plugins/hypercat/search.h \
	plugins/hypercat/target.c plugins/hypercat/target.h \
	plugins/hypercat/text.c plugins/hypercat/text.h \
	plugins/hypercat/token.c plugins/hypercat/token.h \
	plugins/hypercat/view.c plugins/hypercat/view.h \
	plugins/hypercat/wishes.c plugins/hypercat/wishes.h
libhypercat_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
libhypercat_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libhypercat_la_LIBADD = libcommon.la libformat.la libbytes.la $(JANSSON_LIBS)

adapter_LTLIBRARIES += hypercat.la
hypercat_la_SOURCES = \
	plugins/hypercat/access.c \
	plugins/hypercat/catalogue.c \
	plugins/hypercat/hypercat.c plugins/hypercat/hypercat.h \
	plugins/hypercat/loop.c plugins/hypercat/loop.h \
	plugins/hypercat/reading.c \
	plugins/hypercat/server.c plugins/hypercat/server.h plugins/hypercat/server_inside.h \
	plugins/hypercat/server_request.c \
	plugins/hypercat/settings.c \
	plugins/hypercat/stream.c \
	plugins/hypercat/tls.c plugins/hypercat/tls.h plugins/hypercat/tls_inside.h \
	plugins/hypercat/tls_verify.c \
	plugins/hypercat/views.c plugins/hypercat/views.h plugins/hypercat/views_inside.h \
	plugins/hypercat/views_round.c
hypercat_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/daemon -I$(top_srcdir)/plugins -D_GNU_SOURCE
hypercat_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS)
hypercat_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
hypercat_la_LIBADD = libhypercat.la $(EVENT_LIBS) $(OPENSSL_LIBS)

HYPERCAT_RIG = tests/adapter/child.c tests/adapter/child.h tests/adapter/dtls_pki.c tests/adapter/dtls_pki.h \
	tests/adapter/hypercat_rig.c tests/adapter/hypercat_rig.h
HYPERCAT_GUEST = $(HYPERCAT_RIG) tests/adapter/hypercat_guest.c tests/adapter/hypercat_guest.h
check_PROGRAMS += tests/adapter/test_hypercat
UNIT_TESTS += tests/adapter/test_hypercat
tests_adapter_test_hypercat_SOURCES = tests/adapter/test_hypercat.c $(HYPERCAT_RIG)
tests_adapter_test_hypercat_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_hypercat_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_hypercat_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_hypercat_DEPENDENCIES = libmockhost.la hypercat.la

check_PROGRAMS += tests/unit/test_hypercat_parts
UNIT_TESTS += tests/unit/test_hypercat_parts
tests_unit_test_hypercat_parts_SOURCES = tests/unit/suite.h tests/unit/test_hypercat_parts.c
tests_unit_test_hypercat_parts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_hypercat_parts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_hypercat_parts_LDADD = libhypercat.la libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_hypercat
UNIT_TESTS += tests/fuzz/fuzz_hypercat
tests_fuzz_fuzz_hypercat_SOURCES = tests/fuzz/fuzz_hypercat.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_hypercat_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins
tests_fuzz_fuzz_hypercat_LDADD = libhypercat.la libbase.la libbench.la

check_PROGRAMS += tests/adapter/test_hypercat_hostile
UNIT_TESTS += tests/adapter/test_hypercat_hostile
tests_adapter_test_hypercat_hostile_SOURCES = tests/adapter/test_hypercat_hostile.c $(HYPERCAT_GUEST)
tests_adapter_test_hypercat_hostile_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_hypercat_hostile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_hypercat_hostile_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_hypercat_hostile_DEPENDENCIES = libmockhost.la hypercat.la

check_PROGRAMS += tests/adapter/test_hypercat_limits
UNIT_TESTS += tests/adapter/test_hypercat_limits
tests_adapter_test_hypercat_limits_SOURCES = tests/adapter/test_hypercat_limits.c $(HYPERCAT_GUEST)
tests_adapter_test_hypercat_limits_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_hypercat_limits_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_hypercat_limits_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_hypercat_limits_DEPENDENCIES = libmockhost.la hypercat.la
