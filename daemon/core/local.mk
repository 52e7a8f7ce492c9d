# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	daemon/core/control.c daemon/core/control.h \
	daemon/core/database.c daemon/core/database.h \
	daemon/core/devices.c daemon/core/devices.h \
	daemon/core/devices_file.c daemon/core/devices_file.h \
	daemon/core/instance.c daemon/core/instance.h \
	daemon/core/supervisor.c daemon/core/supervisor.h \
	daemon/core/trust.c daemon/core/trust.h
libcore_la_CFLAGS = $(AM_CFLAGS) $(CONFIG_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS)
libcore_la_LIBADD = libwire.la libbase.la $(CONFIG_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) $(SQLITE_LIBS) -lpthread

check_PROGRAMS += tests/unit/test_devices
UNIT_TESTS += tests/unit/test_devices
tests_unit_test_devices_SOURCES = tests/unit/test_devices.c
tests_unit_test_devices_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_devices_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_supervisor
UNIT_TESTS += tests/unit/test_supervisor
tests_unit_test_supervisor_SOURCES = tests/unit/test_supervisor.c
tests_unit_test_supervisor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_supervisor_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_control
UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_control_LDADD = libcore.la $(CHECK_LIBS) $(JANSSON_LIBS)
