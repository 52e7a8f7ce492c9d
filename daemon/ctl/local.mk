# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tidegatectl
tidegatectl_SOURCES = \
	daemon/ctl/ask.c \
	daemon/ctl/audit.c \
	daemon/ctl/audit_box.c daemon/ctl/audit_box.h \
	daemon/ctl/audit_proc.c daemon/ctl/audit_proc.h \
	daemon/ctl/audit_process.c daemon/ctl/audit_process.h \
	daemon/ctl/clean.c \
	daemon/ctl/client.c daemon/ctl/client.h \
	daemon/ctl/certs.c \
	daemon/ctl/clock.c \
	daemon/ctl/commands.c \
	daemon/ctl/config_apply.c \
	daemon/ctl/config_files.c daemon/ctl/config_files.h \
	daemon/ctl/command.h \
	daemon/ctl/csv.c daemon/ctl/csv.h \
	daemon/ctl/device.c \
	daemon/ctl/device_certificate.c daemon/ctl/device_certificate.h \
	daemon/ctl/device_export.c \
	daemon/ctl/device_import.c \
	daemon/ctl/device_rekey.c \
	daemon/ctl/diag.c \
	daemon/ctl/diag_scrub.c daemon/ctl/diag_scrub.h \
	daemon/ctl/explain.c \
	daemon/ctl/main.c \
	daemon/ctl/manage.c \
	daemon/ctl/out.c daemon/ctl/out.h \
	daemon/ctl/profiles.c \
	daemon/ctl/program.c daemon/ctl/program.h \
	daemon/ctl/readings.c \
	daemon/ctl/sessions.c \
	daemon/ctl/renew.c \
	daemon/ctl/setup.c \
	daemon/ctl/setup_file.c daemon/ctl/setup_file.h \
	daemon/ctl/setup_text.c daemon/ctl/setup_text.h \
	daemon/ctl/status.c \
	daemon/ctl/table.c daemon/ctl/table.h \
	daemon/ctl/watch.c
tidegatectl_CPPFLAGS = $(AM_CPPFLAGS) $(PLACES)
tidegatectl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tidegatectl_LDADD = libwire.la libbase.la $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_csv
UNIT_TESTS += tests/unit/test_csv
tests_unit_test_csv_SOURCES = daemon/ctl/csv.c daemon/ctl/csv.h tests/unit/suite.h tests/unit/test_csv.c
tests_unit_test_csv_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_csv_LDADD = libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_diag_scrub
UNIT_TESTS += tests/unit/test_diag_scrub
tests_unit_test_diag_scrub_SOURCES = daemon/ctl/diag_scrub.c daemon/ctl/diag_scrub.h tests/unit/suite.h tests/unit/test_diag_scrub.c
tests_unit_test_diag_scrub_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_diag_scrub_LDADD = $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_audit_proc
UNIT_TESTS += tests/unit/test_audit_proc
tests_unit_test_audit_proc_SOURCES = daemon/ctl/audit_proc.c daemon/ctl/audit_proc.h tests/unit/suite.h tests/unit/test_audit_proc.c
tests_unit_test_audit_proc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_audit_proc_LDADD = libbase.la $(CHECK_LIBS)

INTEGRATION_TESTS += tests/integration/test_diag.py tests/integration/test_setup.py
SANITIZE_TESTS += tests/integration/test_setup.py
EXTRA_DIST += tests/integration/test_diag.py tests/integration/test_setup.py

INTEGRATION_TESTS += tests/integration/test_readings.py tests/integration/test_registry.py
SANITIZE_TESTS += tests/integration/test_readings.py tests/integration/test_registry.py
EXTRA_DIST += tests/integration/test_readings.py tests/integration/test_registry.py

# Looks at the gateway after an upgrade.
endpoint_PROGRAMS += tidegate-prove
tidegate_prove_SOURCES = \
	daemon/ctl/client.c daemon/ctl/client.h \
	daemon/ctl/prove.c daemon/ctl/prove.h \
	daemon/ctl/prove_main.c
tidegate_prove_CPPFLAGS = $(AM_CPPFLAGS) $(PLACES)
tidegate_prove_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tidegate_prove_LDADD = libbase.la $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_prove
UNIT_TESTS += tests/unit/test_prove
tests_unit_test_prove_SOURCES = daemon/ctl/prove.c daemon/ctl/prove.h tests/unit/suite.h tests/unit/test_prove.c
tests_unit_test_prove_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_prove_LDADD = libbase.la $(CHECK_LIBS) $(JANSSON_LIBS)
