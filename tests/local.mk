# SPDX-License-Identifier: Apache-2.0
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = python3
AM_PY_LOG_FLAGS = -B
# A unit test that hangs ends after CK_DEFAULT_TIMEOUT seconds; on a busy machine the default would end good ones too.
AM_TESTS_ENVIRONMENT = \
	TG_SOURCE='$(abs_top_srcdir)' TG_BUILD='$(abs_top_builddir)' CC='$(CC)' CK_DEFAULT_TIMEOUT=60; \
	export TG_SOURCE TG_BUILD CC CK_DEFAULT_TIMEOUT;
include tests/bench/local.mk

LINT_TESTS += \
	tests/lint/fences.py tests/lint/headers.py tests/lint/layout.py tests/lint/manuals.py \
	tests/lint/style.py tests/lint/words.py tests/lint/test_lints.py
EXTRA_DIST += $(LINT_TESTS) tests/lint/source.py

# Real parts, one file for each kind of trouble; the slow ones first.
INTEGRATION_TESTS += \
	tests/integration/test_kills.py tests/integration/test_flood.py tests/integration/test_hostile.py tests/integration/test_resume.py tests/integration/test_core_life.py \
	tests/integration/test_refusals.py tests/integration/test_outage.py tests/integration/test_ctl.py \
	tests/integration/test_x509.py tests/integration/test_commands.py tests/integration/test_local_mqtt.py tests/integration/test_examples.py tests/integration/test_matrix.py \
	tests/integration/test_store.py tests/integration/test_endpoints.py tests/integration/test_main_job.py \
	tests/integration/test_audit.py tests/integration/test_directory.py tests/integration/test_insecure.py tests/integration/test_coap_client.py tests/integration/test_coap_client_oscore.py tests/integration/test_notes.py \
	tests/integration/test_operator.py tests/integration/test_profiles.py \
	tests/integration/test_reload.py tests/integration/test_sandbox.py tests/integration/test_senml.py \
	tests/integration/test_footprint.py tests/integration/test_renew.py tests/integration/test_renewal.py
# What is worth the time with sanitizers, too.
SANITIZE_TESTS += \
	tests/integration/test_renew.py \
	tests/integration/test_core_life.py tests/integration/test_ctl.py \
	tests/integration/test_refusals.py tests/integration/test_outage.py tests/integration/test_store.py \
	tests/integration/test_endpoints.py tests/integration/test_main_job.py tests/integration/test_profiles.py \
	tests/integration/test_reload.py
EXTRA_DIST += $(INTEGRATION_TESTS) tests/integration/spy.c \
	tests/integration/demo.py tests/integration/harness/__init__.py tests/integration/harness/broker.py \
	tests/integration/harness/case.py tests/integration/harness/clock.py tests/integration/harness/commander.py tests/integration/harness/device.py \
	tests/integration/harness/est.py \
	tests/integration/harness/gateway.py tests/integration/harness/pki.py \
	tests/integration/harness/process.py tests/integration/harness/proton.py tests/integration/harness/rabbit.py tests/integration/harness/sensors.py

# Catalogues, good ones and hostile ones.
INTEGRATION_TESTS += tests/integration/test_hypercat.py tests/integration/test_hypercat_client.py
SANITIZE_TESTS += tests/integration/test_hypercat.py tests/integration/test_hypercat_client.py
EXTRA_DIST += tests/integration/test_hypercat.py tests/integration/test_hypercat_client.py tests/integration/harness/catalogue.py

# A clock of its own for the gateway.
INTEGRATION_TESTS += tests/integration/test_certs.py tests/integration/test_clock.py tests/integration/test_never_bricked.py
SANITIZE_TESTS += tests/integration/test_certs.py tests/integration/test_clock.py tests/integration/test_never_bricked.py
EXTRA_DIST += tests/integration/test_certs.py tests/integration/test_clock.py \
	tests/integration/test_never_bricked.py tests/integration/fake_clock.c

# A device that is CoAP server and DTLS client at once, of libcoap's making.
INTEGRATION_TESTS += tests/integration/test_device_commands.py
SANITIZE_TESTS += tests/integration/test_device_commands.py
EXTRA_DIST += tests/integration/test_device_commands.py
check_PROGRAMS += tests/integration/device
tests_integration_device_SOURCES = tests/integration/device.c tests/integration/device.h tests/integration/device_server.c
tests_integration_device_CFLAGS = $(AM_CFLAGS) $(COAP_CFLAGS)
tests_integration_device_LDADD = $(COAP_LIBS)

# What the service manager does with a gateway.
INTEGRATION_TESTS += tests/integration/test_activation.py tests/integration/test_restart.py
SANITIZE_TESTS += tests/integration/test_activation.py tests/integration/test_restart.py
EXTRA_DIST += tests/integration/test_activation.py tests/integration/test_restart.py tests/integration/slow_disk.c

# The units and the completion, as built.
INTEGRATION_TESTS += tests/system/test_completion.py tests/system/test_units.py
EXTRA_DIST += tests/system/test_completion.py tests/system/test_units.py

# The package on a Debian with a systemd of its own: wants root, mmdebstrap and systemd-nspawn, and a quarter of an hour; system-long more.
EXTRA_DIST += tests/system/all.py tests/system/authority.py tests/system/box.py tests/system/load.py tests/system/plant.py tests/system/roots.py \
	tests/system/test_box.py tests/system/test_box_boot.py tests/system/test_package.py tests/system/test_upgrade.py
.PHONY: system system-long
system: SYSTEM_ARGS =
system-long: SYSTEM_ARGS = --long
system system-long: tests/bench/loadgen
	TG_SOURCE='$(abs_top_srcdir)' TG_BUILD='$(abs_builddir)' CC='$(CC)' $(PYTHON3) -B $(srcdir)/tests/system/all.py $(SYSTEM_ARGS)

# The same on a kernel with AppArmor: a whole machine in qemu, slow.
EXTRA_DIST += tests/system/machine.py tests/system/test_apparmor.py
.PHONY: system-apparmor
system-apparmor: tests/adapter/dds_peer
	$(top_srcdir)/packaging/build-deb --out packages
	TG_PACKAGES=packages TG_SOURCE='$(abs_top_srcdir)' TG_BUILD='$(abs_builddir)' $(PYTHON3) -B $(srcdir)/tests/system/test_apparmor.py

# A configuration that has to be confirmed.
INTEGRATION_TESTS += tests/integration/test_config_apply.py
SANITIZE_TESTS += tests/integration/test_config_apply.py
EXTRA_DIST += tests/integration/test_config_apply.py

# RabbitMQ with its AMQP 1.0 plugin, alone and as a cluster.
INTEGRATION_TESTS += tests/integration/test_amqp.py
EXTRA_DIST += tests/integration/test_amqp.py tests/integration/harness/rabbit.py

# Store and registry of other versions.
INTEGRATION_TESTS += tests/integration/test_versions.py
SANITIZE_TESTS += tests/integration/test_versions.py
EXTRA_DIST += tests/integration/test_versions.py
