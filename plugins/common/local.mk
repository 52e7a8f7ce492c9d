# SPDX-License-Identifier: Apache-2.0
# What several adapters share: pure functions, linked into each.
noinst_LTLIBRARIES += libcommon.la
libcommon_la_SOURCES = \
	plugins/common/media.c plugins/common/media.h \
	plugins/common/stamp.c plugins/common/stamp.h \
	plugins/common/utf8.c plugins/common/utf8.h \
	plugins/common/words.c plugins/common/words.h
libcommon_la_CPPFLAGS = -I$(top_srcdir)/include -D_GNU_SOURCE

check_PROGRAMS += tests/unit/test_common
UNIT_TESTS += tests/unit/test_common
tests_unit_test_common_SOURCES = tests/unit/test_common.c
tests_unit_test_common_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_common_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_common_LDADD = libcommon.la $(CHECK_LIBS)
