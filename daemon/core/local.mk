# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	daemon/core/activation.c daemon/core/activation.h \
	daemon/core/certs.c daemon/core/certs.h \
	daemon/core/certs_files.c \
	daemon/core/certs_report.c daemon/core/certs_report.h \
	daemon/core/certs_words.c \
	daemon/core/clock_ask.c daemon/core/clock_ask.h \
	daemon/core/code.c daemon/core/code.h \
	daemon/core/config.c daemon/core/config.h daemon/core/config_internal.h \
	daemon/core/config_check.c \
	daemon/core/config_commands.c \
	daemon/core/config_diff.c \
	daemon/core/config_endpoints.c \
	daemon/core/config_file.c daemon/core/config_file.h \
	daemon/core/config_files.c \
	daemon/core/config_format.c \
	daemon/core/config_print.c daemon/core/config_print.h \
	daemon/core/config_problem.c daemon/core/config_problem.h \
	daemon/core/config_profiles.c \
	daemon/core/config_renewal.c \
	daemon/core/config_routes.c \
	daemon/core/config_section.c daemon/core/config_section.h \
	daemon/core/config_source.c \
	daemon/core/config_text.c daemon/core/config_text.h \
	daemon/core/config_value.c daemon/core/config_value.h \
	daemon/core/config_transform.c \
	daemon/core/config_trial.c \
	daemon/core/control.c daemon/core/control.h \
	daemon/core/core.c daemon/core/core.h daemon/core/core_inside.h \
	daemon/core/core_certs.c \
	daemon/core/core_command.c \
	daemon/core/core_commands.c \
	daemon/core/core_clock.c \
	daemon/core/core_audit.c daemon/core/core_audit.h \
	daemon/core/core_audit_box.c \
	daemon/core/core_audit_crypto.c \
	daemon/core/core_device.c daemon/core/core_device.h \
	daemon/core/core_device_certificate.c \
	daemon/core/core_device_import.c \
	daemon/core/core_device_key.c \
	daemon/core/core_device_master.c \
	daemon/core/core_endpoint.c \
	daemon/core/core_endpoints.c \
	daemon/core/core_files.c \
	daemon/core/core_identity.c \
	daemon/core/core_manage.c \
	daemon/core/core_notes.c \
	daemon/core/core_notify.c \
	daemon/core/core_outcome.c \
	daemon/core/core_passage.c \
	daemon/core/core_profile.c \
	daemon/core/core_readings.c daemon/core/core_readings.h \
	daemon/core/core_readings_list.c \
	daemon/core/core_readings_show.c \
	daemon/core/core_reload.c \
	daemon/core/core_sessions.c \
	daemon/core/core_sockets.c \
	daemon/core/core_source.c \
	daemon/core/core_renewal.c \
	daemon/core/core_status.c \
	daemon/core/core_stop.c \
	daemon/core/core_tickets.c \
	daemon/core/core_tell.c \
	daemon/core/core_todo.c \
	daemon/core/core_transform.c \
	daemon/core/core_trial.c \
	daemon/core/core_upgrade.c \
	daemon/core/database.c daemon/core/database.h \
	daemon/core/descriptor.c daemon/core/descriptor.h \
	daemon/core/descriptor_fetch.c \
	daemon/core/descriptor_set.c \
	daemon/core/devices.c daemon/core/devices.h \
	daemon/core/devices_change.c \
	daemon/core/devices_file.c daemon/core/devices_file.h \
	daemon/core/devices_schema.c \
	daemon/core/devices_kept.c \
	daemon/core/devices_key.c \
	daemon/core/devices_mirror.c \
	daemon/core/devices_master.c daemon/core/devices_master.h \
	daemon/core/devices_private.h \
	daemon/core/envelope.c daemon/core/envelope.h \
	daemon/core/files.c daemon/core/files.h \
	daemon/core/events.h \
	daemon/core/guard.c daemon/core/guard.h \
	daemon/core/instance.c daemon/core/instance.h \
	daemon/core/instance_code.c \
	daemon/core/intake.c daemon/core/intake.h \
	daemon/core/leaving.c \
	daemon/core/ledger.c daemon/core/ledger.h \
	daemon/core/mailbox.c daemon/core/mailbox.h daemon/core/mailbox_private.h \
	daemon/core/mailbox_end.c \
	daemon/core/mailbox_ended.c \
	daemon/core/mailbox_load.c \
	daemon/core/mailbox_save.c \
	daemon/core/mailbox_send.c \
	daemon/core/notes.c daemon/core/notes.h \
	daemon/core/notes_file.c daemon/core/notes_file.h \
	daemon/core/message.c daemon/core/message.h \
	daemon/core/message_mark.c \
	daemon/core/method.c daemon/core/method.h \
	daemon/core/outbox.c daemon/core/outbox.h \
	daemon/core/outbox_load.c \
	daemon/core/outbox_private.h \
	daemon/core/outbox_room.c \
	daemon/core/outbox_save.c \
	daemon/core/outbox_send.c \
	daemon/core/outbox_share.c \
	daemon/core/pattern.c daemon/core/pattern.h daemon/core/pattern_compile.c daemon/core/pattern_private.h \
	daemon/core/pattern_escape.c daemon/core/pattern_escape.h \
	daemon/core/profile.c daemon/core/profile.h \
	daemon/core/readings.c daemon/core/readings.h daemon/core/readings_private.h \
	daemon/core/readings_list.c \
	daemon/core/readings_room.c \
	daemon/core/renewal.c daemon/core/renewal.h daemon/core/renewal_inside.h \
	daemon/core/renewal_find.c daemon/core/renewal_find.h \
	daemon/core/renewal_order.c \
	daemon/core/renewal_pair.c daemon/core/renewal_pair.h \
	daemon/core/renewal_plan.c daemon/core/renewal_plan.h \
	daemon/core/renewal_report.c \
	daemon/core/renewal_slots.c daemon/core/renewal_slots.h \
	daemon/core/renewal_trial.c \
	daemon/core/renewal_work.c daemon/core/renewal_work.h \
	daemon/core/router.c daemon/core/router.h \
	daemon/core/schema.c daemon/core/schema.h \
	daemon/core/schema_print.c \
	daemon/core/schema_profile.c daemon/core/schema_rows.h \
	daemon/core/sessions.c daemon/core/sessions.h \
	daemon/core/share.c daemon/core/share.h \
	daemon/core/store.c daemon/core/store.h \
	daemon/core/store_exam.c daemon/core/store_exam.h \
	daemon/core/store_files.c daemon/core/store_files.h \
	daemon/core/store_private.h \
	daemon/core/store_read.c \
	daemon/core/store_row.c daemon/core/store_row.h \
	daemon/core/store_salvage.c \
	daemon/core/store_side.c daemon/core/store_side.h \
	daemon/core/store_writer.c \
	daemon/core/suggest.c daemon/core/suggest.h \
	daemon/core/supervisor.c daemon/core/supervisor.h \
	daemon/core/supervisor_stop.c \
	daemon/core/tickets.c daemon/core/tickets.h \
	daemon/core/trace.c daemon/core/trace.h \
	daemon/core/transform.c daemon/core/transform.h \
	daemon/core/trouble.c daemon/core/trouble.h \
	daemon/core/trust_sign.c daemon/core/trust_sign.h \
	daemon/core/trust.c daemon/core/trust.h \
	daemon/core/trust_ca.c daemon/core/trust_ca.h \
	daemon/core/trust_policy.c daemon/core/trust_policy.h \
	daemon/core/trust_seal.c daemon/core/trust_seal.h \
	daemon/core/trust_x509.c daemon/core/trust_x509.h \
	daemon/core/wildcard.c daemon/core/wildcard.h
libcore_la_CFLAGS = $(AM_CFLAGS) $(CONFIG_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS)
libcore_la_LIBADD = libwire.la libformat.la libbase.la $(CONFIG_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) $(SQLITE_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_certs
UNIT_TESTS += tests/unit/test_certs
tests_unit_test_certs_SOURCES = tests/unit/suite.h tests/unit/test_certs.c
tests_unit_test_certs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_certs_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_trust_x509
UNIT_TESTS += tests/unit/test_trust_x509
tests_unit_test_trust_x509_SOURCES = tests/unit/suite.h tests/unit/test_trust_x509.c
tests_unit_test_trust_x509_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_trust_x509_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_config
UNIT_TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c $(CONFIG_FIXTURE)
tests_unit_test_config_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_config_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_config_bad
UNIT_TESTS += tests/unit/test_config_bad
tests_unit_test_config_bad_SOURCES = tests/unit/test_config_bad.c $(CONFIG_FIXTURE)
tests_unit_test_config_bad_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_config_bad_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_config_profiles
UNIT_TESTS += tests/unit/test_config_profiles
tests_unit_test_config_profiles_SOURCES = tests/unit/test_config_profiles.c $(CONFIG_FIXTURE)
tests_unit_test_config_profiles_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_config_profiles_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_control
UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_control_LDADD = libcore.la $(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_descriptor
UNIT_TESTS += tests/unit/test_descriptor
tests_unit_test_descriptor_SOURCES = tests/unit/test_descriptor.c $(CONFIG_FIXTURE)
tests_unit_test_descriptor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_descriptor_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_devices
UNIT_TESTS += tests/unit/test_devices
tests_unit_test_devices_SOURCES = tests/unit/test_devices.c
tests_unit_test_devices_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_devices_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_devices_mirror
UNIT_TESTS += tests/unit/test_devices_mirror
tests_unit_test_devices_mirror_SOURCES = tests/unit/test_devices_mirror.c
tests_unit_test_devices_mirror_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_devices_mirror_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_devices_clock
UNIT_TESTS += tests/unit/test_devices_clock
tests_unit_test_devices_clock_SOURCES = tests/unit/suite.h tests/unit/test_devices_clock.c
tests_unit_test_devices_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_devices_clock_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_devices_key
UNIT_TESTS += tests/unit/test_devices_key
tests_unit_test_devices_key_SOURCES = tests/unit/test_devices_key.c
tests_unit_test_devices_key_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_devices_key_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_tickets
UNIT_TESTS += tests/unit/test_tickets
tests_unit_test_tickets_SOURCES = tests/unit/suite.h tests/unit/test_tickets.c
tests_unit_test_tickets_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_tickets_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_trust_ca
UNIT_TESTS += tests/unit/test_trust_ca
tests_unit_test_trust_ca_SOURCES = tests/unit/test_trust_ca.c
tests_unit_test_trust_ca_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_trust_ca_LDADD = libcore.la $(CHECK_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/unit/test_trust
UNIT_TESTS += tests/unit/test_trust
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c
tests_unit_test_trust_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_trust_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_notes
UNIT_TESTS += tests/unit/test_notes
tests_unit_test_notes_SOURCES = tests/unit/test_notes.c
tests_unit_test_notes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_notes_LDADD = libcore.la $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_guard
UNIT_TESTS += tests/unit/test_guard
tests_unit_test_guard_SOURCES = tests/unit/suite.h tests/unit/test_guard.c
tests_unit_test_guard_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_guard_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_activation
UNIT_TESTS += tests/unit/test_activation
tests_unit_test_activation_SOURCES = tests/unit/suite.h tests/unit/test_activation.c
tests_unit_test_activation_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_activation_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_trouble
UNIT_TESTS += tests/unit/test_trouble
tests_unit_test_trouble_SOURCES = tests/unit/suite.h tests/unit/test_trouble.c
tests_unit_test_trouble_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_trouble_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_intake
UNIT_TESTS += tests/unit/test_intake
tests_unit_test_intake_SOURCES = tests/unit/test_intake.c
tests_unit_test_intake_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_intake_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_message
UNIT_TESTS += tests/unit/test_message
tests_unit_test_message_SOURCES = tests/unit/suite.h tests/unit/test_message.c
tests_unit_test_message_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_message_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_files
UNIT_TESTS += tests/unit/test_files
tests_unit_test_files_SOURCES = tests/unit/suite.h tests/unit/test_files.c
tests_unit_test_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_files_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_sessions
UNIT_TESTS += tests/unit/test_sessions
tests_unit_test_sessions_SOURCES = tests/unit/suite.h tests/unit/test_sessions.c
tests_unit_test_sessions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_sessions_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_outbox_model
UNIT_TESTS += tests/unit/test_outbox_model
tests_unit_test_outbox_model_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/suite.h tests/unit/test_outbox_model.c
tests_unit_test_outbox_model_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_outbox_model_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_pattern
UNIT_TESTS += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_pattern_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_profile
UNIT_TESTS += tests/unit/test_profile
tests_unit_test_profile_SOURCES = tests/unit/suite.h tests/unit/test_profile.c
tests_unit_test_profile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_profile_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_router
UNIT_TESTS += tests/unit/test_router
tests_unit_test_router_SOURCES = tests/unit/test_router.c $(CONFIG_FIXTURE)
tests_unit_test_router_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_router_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_schema
UNIT_TESTS += tests/unit/test_schema
tests_unit_test_schema_SOURCES = tests/unit/test_schema.c $(CONFIG_FIXTURE)
tests_unit_test_schema_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_schema_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_store
UNIT_TESTS += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/suite.h tests/unit/test_store.c
tests_unit_test_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_store_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_store_files
UNIT_TESTS += tests/unit/test_store_files
tests_unit_test_store_files_SOURCES = tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/suite.h tests/unit/test_store_files.c
tests_unit_test_store_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_store_files_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_supervisor
UNIT_TESTS += tests/unit/test_supervisor
tests_unit_test_supervisor_SOURCES = tests/unit/endpoint_process.c tests/unit/endpoint_process.h tests/unit/test_supervisor.c
tests_unit_test_supervisor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_supervisor_LDADD = libcore.la $(CHECK_LIBS)

sbin_PROGRAMS += tidegated
tidegated_SOURCES = daemon/core/main.c
tidegated_CPPFLAGS = $(AM_CPPFLAGS) $(PLACES)
tidegated_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tidegated_LDADD = libcore.la
CONFIG_FIXTURE = tests/unit/config_fixture.c tests/unit/config_fixture.h

check_PROGRAMS += tests/unit/test_outbox
UNIT_TESTS += tests/unit/test_outbox
tests_unit_test_outbox_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/outbox_fixture.c tests/unit/outbox_fixture.h tests/unit/suite.h tests/unit/test_outbox.c
tests_unit_test_outbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_outbox_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_outbox_disk
UNIT_TESTS += tests/unit/test_outbox_disk
tests_unit_test_outbox_disk_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/outbox_fixture.c tests/unit/outbox_fixture.h tests/unit/suite.h tests/unit/test_outbox_disk.c
tests_unit_test_outbox_disk_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_outbox_disk_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_ledger
UNIT_TESTS += tests/unit/test_ledger
tests_unit_test_ledger_SOURCES = tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/suite.h tests/unit/test_ledger.c
tests_unit_test_ledger_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_ledger_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_database
UNIT_TESTS += tests/unit/test_database
tests_unit_test_database_SOURCES = tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/suite.h tests/unit/test_database.c
tests_unit_test_database_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_database_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_outbox_share
UNIT_TESTS += tests/unit/test_outbox_share
tests_unit_test_outbox_share_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/outbox_fixture.c tests/unit/outbox_fixture.h tests/unit/suite.h tests/unit/test_outbox_share.c
tests_unit_test_outbox_share_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_outbox_share_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_share
UNIT_TESTS += tests/unit/test_share
tests_unit_test_share_SOURCES = tests/unit/suite.h tests/unit/test_share.c
tests_unit_test_share_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_share_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_readings
UNIT_TESTS += tests/unit/test_readings
tests_unit_test_readings_SOURCES = tests/unit/suite.h tests/unit/test_readings.c
tests_unit_test_readings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_readings_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_core_readings
UNIT_TESTS += tests/unit/test_core_readings
tests_unit_test_core_readings_SOURCES = \
	tests/unit/fake_readers.c tests/unit/fake_readers.h tests/unit/suite.h tests/unit/test_core_readings.c
tests_unit_test_core_readings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_core_readings_LDADD = libcore.la $(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_core_readings_list
UNIT_TESTS += tests/unit/test_core_readings_list
tests_unit_test_core_readings_list_SOURCES = \
	tests/unit/fake_readers.c tests/unit/fake_readers.h tests/unit/suite.h tests/unit/test_core_readings_list.c
tests_unit_test_core_readings_list_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_core_readings_list_LDADD = libcore.la $(CHECK_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_senml
UNIT_TESTS += tests/unit/test_senml
tests_unit_test_senml_SOURCES = tests/unit/senml_examples.h tests/unit/suite.h tests/unit/test_senml.c
tests_unit_test_senml_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_senml_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_renewal
UNIT_TESTS += tests/unit/test_renewal
tests_unit_test_renewal_SOURCES = tests/unit/suite.h tests/unit/test_renewal.c
tests_unit_test_renewal_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_renewal_LDADD = libcore.la $(CHECK_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/unit/test_renewal_trial
UNIT_TESTS += tests/unit/test_renewal_trial
tests_unit_test_renewal_trial_SOURCES = tests/unit/suite.h tests/unit/test_renewal_trial.c
tests_unit_test_renewal_trial_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_renewal_trial_LDADD = libcore.la $(CHECK_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/unit/test_senml_broken
UNIT_TESTS += tests/unit/test_senml_broken
tests_unit_test_senml_broken_SOURCES = tests/unit/suite.h tests/unit/test_senml_broken.c
tests_unit_test_senml_broken_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_senml_broken_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_senml_property
UNIT_TESTS += tests/unit/test_senml_property
tests_unit_test_senml_property_SOURCES = tests/unit/senml_maker.c tests/unit/senml_maker.h tests/unit/suite.h tests/unit/test_senml_property.c
tests_unit_test_senml_property_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_senml_property_LDADD = libcore.la $(CHECK_LIBS) -lm

check_PROGRAMS += tests/fuzz/fuzz_senml
UNIT_TESTS += tests/fuzz/fuzz_senml
tests_fuzz_fuzz_senml_SOURCES = tests/fuzz/fuzz_senml.c tests/fuzz/mutator.c tests/fuzz/mutator.h tests/unit/senml_maker.c tests/unit/senml_maker.h
tests_fuzz_fuzz_senml_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_senml_LDADD = libcore.la libbench.la -lm

check_PROGRAMS += tests/unit/test_transform
UNIT_TESTS += tests/unit/test_transform
tests_unit_test_transform_SOURCES = tests/unit/suite.h tests/unit/test_transform.c
tests_unit_test_transform_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_transform_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_outbox_room
UNIT_TESTS += tests/unit/test_outbox_room
tests_unit_test_outbox_room_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/outbox_fixture.c tests/unit/outbox_fixture.h tests/unit/suite.h tests/unit/test_outbox_room.c
tests_unit_test_outbox_room_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_outbox_room_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_audit
UNIT_TESTS += tests/unit/test_audit
tests_unit_test_audit_SOURCES = tests/unit/suite.h tests/unit/test_audit.c
tests_unit_test_audit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_audit_LDADD = libcore.la $(CHECK_LIBS) $(JANSSON_LIBS)

MAILBOX_FIXTURE = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/mailbox_fixture.c tests/unit/mailbox_fixture.h tests/unit/suite.h

check_PROGRAMS += tests/unit/test_mailbox
UNIT_TESTS += tests/unit/test_mailbox
tests_unit_test_mailbox_SOURCES = $(MAILBOX_FIXTURE) tests/unit/test_mailbox.c
tests_unit_test_mailbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mailbox_room
UNIT_TESTS += tests/unit/test_mailbox_room
tests_unit_test_mailbox_room_SOURCES = $(MAILBOX_FIXTURE) tests/unit/test_mailbox_room.c
tests_unit_test_mailbox_room_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_room_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mailbox_faults
UNIT_TESTS += tests/unit/test_mailbox_faults
tests_unit_test_mailbox_faults_SOURCES = $(MAILBOX_FIXTURE) tests/unit/test_mailbox_faults.c
tests_unit_test_mailbox_faults_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_faults_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mailbox_model
UNIT_TESTS += tests/unit/test_mailbox_model
tests_unit_test_mailbox_model_SOURCES = tests/unit/fake_store.c tests/unit/fake_store.h tests/unit/fake_world.c tests/unit/fake_world.h tests/unit/mailbox_model.c tests/unit/mailbox_model.h tests/unit/suite.h tests/unit/test_mailbox_model.c
tests_unit_test_mailbox_model_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_model_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_config_commands
UNIT_TESTS += tests/unit/test_config_commands
tests_unit_test_config_commands_SOURCES = $(CONFIG_FIXTURE) tests/unit/test_config_commands.c
tests_unit_test_config_commands_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_config_commands_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_router_source
UNIT_TESTS += tests/unit/test_router_source
tests_unit_test_router_source_SOURCES = $(CONFIG_FIXTURE) tests/unit/test_router_source.c
tests_unit_test_router_source_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_router_source_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_router_commands
UNIT_TESTS += tests/unit/test_router_commands
tests_unit_test_router_commands_SOURCES = $(CONFIG_FIXTURE) tests/unit/test_router_commands.c
tests_unit_test_router_commands_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_router_commands_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_message_mark
UNIT_TESTS += tests/unit/test_message_mark
tests_unit_test_message_mark_SOURCES = tests/unit/suite.h tests/unit/test_message_mark.c
tests_unit_test_message_mark_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_message_mark_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mailbox_store
UNIT_TESTS += tests/unit/test_mailbox_store
tests_unit_test_mailbox_store_SOURCES = tests/unit/message_fixture.c tests/unit/message_fixture.h tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/suite.h tests/unit/test_mailbox_store.c
tests_unit_test_mailbox_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_store_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mailbox_memory
UNIT_TESTS += tests/unit/test_mailbox_memory
tests_unit_test_mailbox_memory_SOURCES = $(MAILBOX_FIXTURE) tests/unit/test_mailbox_memory.c
tests_unit_test_mailbox_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mailbox_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=emalloc
tests_unit_test_mailbox_memory_LDADD = libcore.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_trace
UNIT_TESTS += tests/unit/test_trace
tests_unit_test_trace_SOURCES = tests/unit/suite.h tests/unit/test_trace.c
tests_unit_test_trace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_trace_LDADD = libcore.la $(CHECK_LIBS)
