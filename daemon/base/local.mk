# SPDX-License-Identifier: Apache-2.0
# Bytes alone, which need no library: for what adapters are linked with, too.
noinst_LTLIBRARIES += libbytes.la
libbytes_la_SOURCES = \
	daemon/base/base64.c daemon/base/base64.h \
	daemon/base/buffer.c daemon/base/buffer.h \
	daemon/base/bytes.c daemon/base/bytes.h \
	daemon/base/cleanup.h

noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	daemon/base/backoff.c daemon/base/backoff.h \
	daemon/base/clock.c daemon/base/clock.h \
	daemon/base/log.c daemon/base/log.h \
	daemon/base/loop.c daemon/base/loop.h \
	daemon/base/random.c daemon/base/random.h \
	daemon/base/secret.c daemon/base/secret.h \
	daemon/base/textfile.c daemon/base/textfile.h \
	daemon/base/trial.c daemon/base/trial.h \
	daemon/base/uuid.c daemon/base/uuid.h
libbase_la_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
libbase_la_LIBADD = libbytes.la $(SYSTEMD_LIBS)

check_PROGRAMS += \
	tests/unit/test_backoff tests/unit/test_buffer tests/unit/test_bytes tests/unit/test_clock \
	tests/unit/test_log tests/unit/test_loop tests/unit/test_secret tests/unit/test_uuid
UNIT_TESTS += \
	tests/unit/test_backoff tests/unit/test_buffer tests/unit/test_bytes tests/unit/test_clock \
	tests/unit/test_log tests/unit/test_loop tests/unit/test_secret tests/unit/test_uuid
tests_unit_test_backoff_SOURCES = tests/unit/test_backoff.c tests/unit/suite.h
tests_unit_test_backoff_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_backoff_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_buffer_SOURCES = tests/unit/test_buffer.c tests/unit/suite.h
tests_unit_test_buffer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_buffer_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_bytes_SOURCES = tests/unit/test_bytes.c tests/unit/suite.h
tests_unit_test_bytes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_bytes_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/suite.h
tests_unit_test_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_clock_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/suite.h
tests_unit_test_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_log_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c tests/unit/suite.h
tests_unit_test_loop_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_loop_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_secret_SOURCES = tests/unit/test_secret.c tests/unit/suite.h
tests_unit_test_secret_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_secret_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_uuid_SOURCES = tests/unit/test_uuid.c tests/unit/suite.h
tests_unit_test_uuid_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_uuid_LDADD = libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_base64
UNIT_TESTS += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c tests/unit/suite.h
tests_unit_test_base64_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base64_LDADD = libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_trial
UNIT_TESTS += tests/unit/test_trial
tests_unit_test_trial_SOURCES = tests/unit/test_trial.c tests/unit/suite.h
tests_unit_test_trial_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_trial_LDADD = libbase.la $(CHECK_LIBS)
