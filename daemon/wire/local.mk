# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libwire.la
libwire_la_SOURCES = \
	daemon/wire/audit_line.c daemon/wire/audit_line.h \
	daemon/wire/clock_word.h \
	daemon/wire/crypto.c daemon/wire/crypto.h \
	daemon/wire/frame.c daemon/wire/frame.h \
	daemon/wire/link.c daemon/wire/link.h
libwire_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libwire_la_LIBADD = libbase.la $(JANSSON_LIBS)

check_PROGRAMS += \
	tests/unit/test_crypto tests/unit/test_frame tests/unit/test_link
UNIT_TESTS += \
	tests/unit/test_crypto tests/unit/test_frame tests/unit/test_link
tests_unit_test_crypto_SOURCES = tests/unit/test_crypto.c tests/unit/suite.h
tests_unit_test_crypto_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_crypto_LDADD = libwire.la $(CHECK_LIBS) $(OPENSSL_LIBS)
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c tests/unit/suite.h
tests_unit_test_frame_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_frame_LDADD = libwire.la libbase.la $(CHECK_LIBS)
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/suite.h
tests_unit_test_link_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_link_LDADD = libwire.la libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_frame
UNIT_TESTS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_frame_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_frame_LDADD = libwire.la libbase.la libbench.la
