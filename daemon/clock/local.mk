# SPDX-License-Identifier: Apache-2.0
endpoint_PROGRAMS += tidegate-clock
tidegate_clock_SOURCES = daemon/clock/main.c

check_PROGRAMS += tests/unit/test_clock_ask
UNIT_TESTS += tests/unit/test_clock_ask
tests_unit_test_clock_ask_SOURCES = tests/unit/suite.h tests/unit/test_clock_ask.c
tests_unit_test_clock_ask_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_clock_ask_LDADD = libcore.la $(CHECK_LIBS)
tests_unit_test_clock_ask_DEPENDENCIES = libcore.la tidegate-clock
