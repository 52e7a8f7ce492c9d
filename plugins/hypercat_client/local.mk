# SPDX-License-Identifier: Apache-2.0
# What needs no socket, no TLS and no host.
noinst_LTLIBRARIES += libhypercatclient.la
libhypercatclient_la_SOURCES = \
	plugins/hypercat_client/address.c plugins/hypercat_client/address.h \
	plugins/hypercat_client/catalogue.c plugins/hypercat_client/catalogue.h \
	plugins/hypercat_client/href.c plugins/hypercat_client/href.h \
	plugins/hypercat_client/timing.c plugins/hypercat_client/timing.h \
	plugins/hypercat_client/wildcard.c plugins/hypercat_client/wildcard.h
libhypercatclient_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
libhypercatclient_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libhypercatclient_la_LIBADD = libcommon.la $(CURL_LIBS) $(JANSSON_LIBS)

# What is done with it, but for the transfers.
noinst_LTLIBRARIES += libhypercatharvest.la
libhypercatharvest_la_SOURCES = \
	plugins/hypercat_client/client.h \
	plugins/hypercat_client/crypto.c plugins/hypercat_client/crypto.h \
	plugins/hypercat_client/dispatch.c \
	plugins/hypercat_client/document.c \
	plugins/hypercat_client/fetch.h \
	plugins/hypercat_client/harvest.c \
	plugins/hypercat_client/hypercat_client.c \
	plugins/hypercat_client/names.h \
	plugins/hypercat_client/origin.c \
	plugins/hypercat_client/plan.c plugins/hypercat_client/plan.h \
	plugins/hypercat_client/reading.c \
	plugins/hypercat_client/resource.c \
	plugins/hypercat_client/rows.c
libhypercatharvest_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
libhypercatharvest_la_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
libhypercatharvest_la_LIBADD = libhypercatclient.la libreach.la $(OPENSSL_LIBS)

adapter_LTLIBRARIES += hypercat_client.la
hypercat_client_la_SOURCES = \
	plugins/hypercat_client/fetch.c plugins/hypercat_client/fetch_internal.h \
	plugins/hypercat_client/fetch_multi.c \
	plugins/hypercat_client/fetcher.c \
	plugins/hypercat_client/names.c
hypercat_client_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
hypercat_client_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS)
hypercat_client_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
hypercat_client_la_LIBADD = libhypercatharvest.la $(CURL_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/unit/test_hypercat_client
UNIT_TESTS += tests/unit/test_hypercat_client
tests_unit_test_hypercat_client_SOURCES = tests/unit/test_hypercat_client.c
tests_unit_test_hypercat_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_hypercat_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_hypercat_client_LDADD = libhypercatclient.la $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_hypercat_client
UNIT_TESTS += tests/fuzz/fuzz_hypercat_client
tests_fuzz_fuzz_hypercat_client_SOURCES = tests/fuzz/fuzz_hypercat_client.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_hypercat_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins
tests_fuzz_fuzz_hypercat_client_LDADD = libhypercatclient.la libbase.la libbench.la

HARVEST_RIG = tests/adapter/child.c tests/adapter/child.h tests/adapter/dtls_pki.c tests/adapter/dtls_pki.h \
	tests/adapter/hypercat_client_rig.c tests/adapter/hypercat_client_rig.h
check_PROGRAMS += tests/adapter/test_hypercat_client
UNIT_TESTS += tests/adapter/test_hypercat_client
tests_adapter_test_hypercat_client_SOURCES = tests/adapter/test_hypercat_client.c $(HARVEST_RIG)
tests_adapter_test_hypercat_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_hypercat_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_hypercat_client_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_hypercat_client_DEPENDENCIES = libmockhost.la hypercat_client.la

check_PROGRAMS += tests/unit/test_hypercat_client_schedule
UNIT_TESTS += tests/unit/test_hypercat_client_schedule
tests_unit_test_hypercat_client_schedule_SOURCES = tests/unit/test_hypercat_client_schedule.c \
	tests/unit/hypercat_client_fake.c tests/unit/hypercat_client_fake.h
tests_unit_test_hypercat_client_schedule_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -I$(top_srcdir)/tests
tests_unit_test_hypercat_client_schedule_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_hypercat_client_schedule_LDADD = libmockhost.la libhypercatharvest.la $(CHECK_LIBS)
