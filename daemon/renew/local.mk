# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += librenew.la
librenew_la_SOURCES = \
	daemon/renew/answer.c daemon/renew/answer.h \
	daemon/renew/check.c daemon/renew/check.h \
	daemon/renew/enrol.c daemon/renew/enrol.h daemon/renew/enrol_inside.h \
	daemon/renew/enrol_est.c \
	daemon/renew/est.c daemon/renew/est.h \
	daemon/renew/est_url.c daemon/renew/est_url.h \
	daemon/renew/files.c daemon/renew/files.h \
	daemon/renew/handshake.c daemon/renew/handshake.h \
	daemon/renew/job.c daemon/renew/job.h \
	daemon/renew/key.c daemon/renew/key.h \
	daemon/renew/names.c daemon/renew/names.h \
	daemon/renew/outcome.c daemon/renew/outcome.h \
	daemon/renew/request.c daemon/renew/request.h
librenew_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS)
librenew_la_LIBADD = libwire.la libbase.la libconfine.la $(CURL_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)

endpoint_PROGRAMS += tidegate-renew
tidegate_renew_SOURCES = daemon/renew/main.c
tidegate_renew_LDADD = librenew.la

check_PROGRAMS += tests/unit/test_renew
UNIT_TESTS += tests/unit/test_renew
tests_unit_test_renew_SOURCES = tests/unit/suite.h tests/unit/test_renew.c
tests_unit_test_renew_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_renew_LDADD = librenew.la $(CHECK_LIBS) $(OPENSSL_LIBS)
