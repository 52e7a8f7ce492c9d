# SPDX-License-Identifier: Apache-2.0
# What several adapters share: pure functions, linked into each.
noinst_LTLIBRARIES += libcommon.la
libcommon_la_SOURCES = \
	plugins/common/labels.c plugins/common/labels.h \
	plugins/common/media.c plugins/common/media.h \
	plugins/common/reading_link.c plugins/common/reading_link.h \
	plugins/common/refused.c plugins/common/refused.h \
	plugins/common/stamp.c plugins/common/stamp.h \
	plugins/common/text.c plugins/common/text.h \
	plugins/common/utf8.c plugins/common/utf8.h \
	plugins/common/words.c plugins/common/words.h
libcommon_la_CPPFLAGS = -I$(top_srcdir)/include -D_GNU_SOURCE

check_PROGRAMS += tests/unit/test_common
UNIT_TESTS += tests/unit/test_common
tests_unit_test_common_SOURCES = tests/unit/test_common.c
tests_unit_test_common_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_common_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_common_LDADD = libreach.la libcommon.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_refused
UNIT_TESTS += tests/unit/test_refused
tests_unit_test_refused_SOURCES = tests/unit/test_refused.c
tests_unit_test_refused_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_refused_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_refused_LDADD = libcommon.la $(CHECK_LIBS)

# What adapters share that connect to brokers: the connection, TLS on it, whom to try next.
noinst_LTLIBRARIES += libreach.la
libreach_la_SOURCES = \
	plugins/common/content.c plugins/common/content.h \
	plugins/common/dial.c plugins/common/dial.h \
	plugins/common/gather.c plugins/common/gather.h \
	plugins/common/queue.c plugins/common/queue.h \
	plugins/common/round.c plugins/common/round.h \
	plugins/common/stream.c plugins/common/stream.h \
	plugins/common/tell.c plugins/common/tell.h \
	plugins/common/fill.c plugins/common/fill.h \
	plugins/common/tls.c plugins/common/tls.h plugins/common/tls_internal.h \
	plugins/common/tls_ocsp.c \
	plugins/common/tls_verify.c \
	plugins/common/url.c plugins/common/url.h
libreach_la_CPPFLAGS = -I$(top_srcdir)/include -D_GNU_SOURCE
libreach_la_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
libreach_la_LIBADD = $(OPENSSL_LIBS)
