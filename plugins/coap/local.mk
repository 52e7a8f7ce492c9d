# SPDX-License-Identifier: Apache-2.0
COAP_DTLS_SOURCES = \
	plugins/coap/dtls.c plugins/coap/dtls.h \
	plugins/coap/dtls_bio.c \
	plugins/coap/dtls_callback.c \
	plugins/coap/dtls_context.c plugins/coap/dtls_context.h \
	plugins/coap/dtls_cookie.c plugins/coap/dtls_cookie.h \
	plugins/coap/dtls_devices.c plugins/coap/dtls_devices.h \
	plugins/coap/dtls_handshake.c \
	plugins/coap/dtls_listen.c \
	plugins/coap/dtls_name.c \
	plugins/coap/dtls_peer.c plugins/coap/dtls_peer.h \
	plugins/coap/dtls_rates.c plugins/coap/dtls_rates.h \
	plugins/coap/dtls_record.c plugins/coap/dtls_record.h \
	plugins/coap/dtls_resume.c \
	plugins/coap/dtls_room.c \
	plugins/coap/dtls_session.c plugins/coap/dtls_session.h \
	plugins/coap/dtls_grey.c plugins/coap/dtls_grey.h \
	plugins/coap/dtls_socket.c plugins/coap/dtls_socket.h \
	plugins/coap/dtls_bind.c plugins/coap/dtls_bind.h \
	plugins/coap/dtls_sort.c plugins/coap/dtls_sort.h \
	plugins/coap/dtls_table.c plugins/coap/dtls_table.h \
	plugins/coap/dtls_ticket.c plugins/coap/dtls_ticket.h \
	plugins/coap/dtls_timers.c plugins/coap/dtls_timers.h \
	plugins/coap/dtls_verify.c plugins/coap/dtls_verify.h

# Linked into coap.la and into the tests of its own.
noinst_LTLIBRARIES += libcoapdtls.la
libcoapdtls_la_SOURCES = $(COAP_DTLS_SOURCES)
libcoapdtls_la_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
libcoapdtls_la_LIBADD = $(OPENSSL_LIBS)

# What needs no socket and no TLS.
noinst_LTLIBRARIES += libcoapmessage.la
libcoapmessage_la_SOURCES = \
	plugins/coap/block.c plugins/coap/block.h \
	plugins/coap/catalogue.c plugins/coap/catalogue.h \
	plugins/coap/catalogue_server.c plugins/coap/catalogue_server.h \
	plugins/coap/command.c plugins/coap/command.h \
	plugins/coap/command_block.c plugins/coap/command_block.h \
	plugins/coap/command_memory.c plugins/coap/command_memory.h \
	plugins/coap/command_pool.c plugins/coap/command_pool.h \
	plugins/coap/directory.c plugins/coap/directory.h plugins/coap/directory_inside.h \
	plugins/coap/directory_links.c plugins/coap/directory_links.h \
	plugins/coap/directory_lookup.c \
	plugins/coap/directory_order.c plugins/coap/directory_order.h \
	plugins/coap/directory_server.c plugins/coap/directory_server.h \
	plugins/coap/directory_text.c \
	plugins/coap/due.c plugins/coap/due.h \
	plugins/coap/exchange.c plugins/coap/exchange.h \
	plugins/coap/exchange_pool.c plugins/coap/exchange_pool.h \
	plugins/coap/links.c plugins/coap/links.h \
	plugins/coap/links_search.c plugins/coap/links_search.h \
	plugins/coap/message.c plugins/coap/message.h \
	plugins/coap/multicast.h plugins/coap/multicast_answer.c \
	plugins/coap/observe.c plugins/coap/observe.h \
	plugins/coap/observe_inside.h \
	plugins/coap/observe_send.c \
	plugins/coap/reader.c plugins/coap/reader.h \
	plugins/coap/reader_answer.c plugins/coap/reader_answer.h \
	plugins/coap/reader_inside.c plugins/coap/reader_inside.h \
	plugins/coap/reader_snapshot.c plugins/coap/reader_snapshot.h \
	plugins/coap/recent.c plugins/coap/recent.h \
	plugins/coap/resource.c plugins/coap/resource.h
libcoapmessage_la_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include -I$(top_srcdir)/plugins
libcoapmessage_la_CFLAGS = $(AM_CFLAGS) $(COAP_CFLAGS)
libcoapmessage_la_LIBADD = libcommon.la $(COAP_LIBS)

adapter_LTLIBRARIES += coap.la
coap_la_SOURCES = \
	plugins/coap/command_sink.c plugins/coap/command_sink.h \
	plugins/coap/coap.c plugins/coap/coap.h \
	plugins/coap/listeners.c \
	plugins/coap/live.c \
	plugins/coap/multicast.c plugins/coap/multicast_inside.h \
	plugins/coap/multicast_join.c \
	plugins/coap/plain.c plugins/coap/plain.h \
	plugins/coap/plain_listener.c \
	plugins/coap/server.c plugins/coap/server_inside.h \
	plugins/coap/server_catalogue.c \
	plugins/coap/server_directory.c plugins/coap/server_oscore.c \
	plugins/coap/sessions.c \
	plugins/coap/settings.c plugins/coap/settings.h
coap_la_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include -I$(top_srcdir)/plugins
coap_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
coap_la_LIBADD = libcoapmessage.la libcoapdtls.la

COAP_TESTS = \
	tests/unit/test_coap_block \
	tests/unit/test_coap_catalogue \
	tests/unit/test_coap_directory \
	tests/unit/test_coap_directory_lookup \
	tests/unit/test_coap_command \
	tests/unit/test_coap_command_block \
	tests/unit/test_coap_command_memory \
	tests/unit/test_coap_due \
	tests/unit/test_coap_exchange \
	tests/unit/test_coap_links \
	tests/unit/test_coap_message \
	tests/unit/test_coap_observe \
	tests/unit/test_coap_observe_lives \
	tests/unit/test_coap_observers \
	tests/unit/test_coap_reader \
	tests/unit/test_coap_recent \
	tests/unit/test_coap_repeats \
	tests/unit/test_coap_resource \
	tests/fuzz/fuzz_coap_catalogue \
	tests/fuzz/fuzz_coap_directory \
	tests/fuzz/fuzz_coap_message
check_PROGRAMS += $(COAP_TESTS)
UNIT_TESTS += $(COAP_TESTS)
tests_unit_test_coap_block_SOURCES = tests/unit/test_coap_block.c
tests_unit_test_coap_block_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_block_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_block_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_catalogue_SOURCES = tests/unit/suite.h tests/unit/test_coap_catalogue.c
tests_unit_test_coap_catalogue_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_catalogue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_catalogue_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_directory_SOURCES = tests/unit/test_coap_directory.c \
	tests/unit/directory_rig.c tests/unit/directory_rig.h
tests_unit_test_coap_directory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_directory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_directory_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_directory_lookup_SOURCES = tests/unit/test_coap_directory_lookup.c \
	tests/unit/directory_rig.c tests/unit/directory_rig.h
tests_unit_test_coap_directory_lookup_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_directory_lookup_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_directory_lookup_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_command_SOURCES = tests/unit/test_coap_command.c tests/unit/command_rig.c tests/unit/command_rig.h
tests_unit_test_coap_command_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_command_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_command_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_command_block_SOURCES = tests/unit/test_coap_command_block.c tests/unit/command_rig.c tests/unit/command_rig.h
tests_unit_test_coap_command_block_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_command_block_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_command_block_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_command_memory_SOURCES = tests/unit/test_coap_command_memory.c
tests_unit_test_coap_command_memory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_command_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_command_memory_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_due_SOURCES = tests/unit/test_coap_due.c
tests_unit_test_coap_due_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_due_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_due_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_exchange_SOURCES = \
	tests/unit/test_coap_exchange.c tests/unit/exchange_rig.c tests/unit/exchange_rig.h
tests_unit_test_coap_exchange_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_exchange_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_exchange_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_links_SOURCES = tests/unit/test_coap_links.c
tests_unit_test_coap_links_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_links_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_links_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_message_SOURCES = tests/unit/test_coap_message.c
tests_unit_test_coap_message_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_message_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_message_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_observe_SOURCES = tests/unit/test_coap_observe.c tests/unit/observe_rig.c tests/unit/observe_rig.h
tests_unit_test_coap_observe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_observe_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_observe_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_observe_lives_SOURCES = \
	tests/unit/test_coap_observe_lives.c tests/unit/observe_rig.c tests/unit/observe_rig.h
tests_unit_test_coap_observe_lives_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_observe_lives_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_observe_lives_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_observers_SOURCES = \
	tests/unit/test_coap_observers.c tests/unit/observe_rig.c tests/unit/observe_rig.h
tests_unit_test_coap_observers_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_observers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_observers_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_reader_SOURCES = tests/unit/test_coap_reader.c
tests_unit_test_coap_reader_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_reader_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_reader_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_recent_SOURCES = tests/unit/test_coap_recent.c
tests_unit_test_coap_recent_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_recent_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_recent_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_resource_SOURCES = tests/unit/test_coap_resource.c
tests_unit_test_coap_resource_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_resource_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_resource_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_unit_test_coap_repeats_SOURCES = \
	tests/unit/test_coap_repeats.c tests/unit/exchange_rig.c tests/unit/exchange_rig.h
tests_unit_test_coap_repeats_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_coap_repeats_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_coap_repeats_LDADD = libcoapmessage.la $(CHECK_LIBS)
tests_fuzz_fuzz_coap_catalogue_SOURCES = tests/fuzz/fuzz_coap_catalogue.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_coap_catalogue_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -I$(top_srcdir)/tests
tests_fuzz_fuzz_coap_catalogue_LDADD = libcoapmessage.la libbench.la -lm
tests_fuzz_fuzz_coap_directory_SOURCES = tests/fuzz/fuzz_coap_directory.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_fuzz_coap_directory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -I$(top_srcdir)/tests
tests_fuzz_fuzz_coap_directory_LDADD = libcoapmessage.la libbench.la -lm
tests_fuzz_fuzz_coap_message_SOURCES = tests/fuzz/fuzz_coap_message.c
tests_fuzz_fuzz_coap_message_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_fuzz_fuzz_coap_message_LDADD = libcoapmessage.la

INTEGRATION_TESTS += tests/integration/test_coap_catalogue.py
EXTRA_DIST += tests/integration/test_coap_catalogue.py
INTEGRATION_TESTS += tests/integration/test_readers.py
SANITIZE_TESTS += tests/integration/test_readers.py
EXTRA_DIST += tests/integration/test_readers.py
COAP_RIG = tests/adapter/child.c tests/adapter/child.h tests/adapter/coap_rig.c tests/adapter/coap_rig.h
COAP_RIG_LIBS = libmockhost.la libcoapmessage.la $(CHECK_LIBS) $(OPENSSL_LIBS)
COAP_ADAPTER_TESTS = tests/adapter/coap_conformance tests/adapter/test_coap tests/adapter/test_coap_client tests/adapter/test_coap_node tests/adapter/test_coap_readers tests/adapter/test_coap_watch tests/adapter/test_coap_sessions
check_PROGRAMS += $(COAP_ADAPTER_TESTS)
UNIT_TESTS += $(COAP_ADAPTER_TESTS)
tests_adapter_coap_conformance_SOURCES = \
	tests/adapter/coap_conformance.c tests/adapter/coap_conformance.h tests/adapter/coap_pattern.c \
	tests/adapter/coap_pattern.h tests/adapter/coap_requirements.c tests/adapter/coap_requirements_readers.c \
	tests/adapter/coap_requirements_directory.c tests/adapter/coap_requirements_catalogue.c \
	tests/adapter/coap_lists.c tests/adapter/coap_lists.h $(COAP_RIG)
tests_adapter_coap_conformance_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_coap_conformance_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_coap_conformance_LDADD = $(COAP_RIG_LIBS)
tests_adapter_coap_conformance_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
tests_adapter_test_coap_SOURCES = tests/adapter/test_coap.c $(COAP_RIG)
tests_adapter_test_coap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
tests_adapter_test_coap_client_SOURCES = tests/adapter/test_coap_client.c $(COAP_RIG)
tests_adapter_test_coap_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_client_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_client_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
tests_adapter_test_coap_node_SOURCES = tests/adapter/test_coap_node.c $(COAP_RIG)
tests_adapter_test_coap_node_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_node_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_node_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_node_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
EXTRA_DIST += tests/adapter/node_client.js
check_PROGRAMS += tests/adapter/test_coap_plain_client
UNIT_TESTS += tests/adapter/test_coap_plain_client
EXTRA_DIST += tests/adapter/aiocoap_client.py
tests_adapter_test_coap_plain_client_SOURCES = tests/adapter/test_coap_plain_client.c $(COAP_RIG)
tests_adapter_test_coap_plain_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_plain_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_plain_client_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_plain_client_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
check_PROGRAMS += tests/adapter/test_coap_directory
UNIT_TESTS += tests/adapter/test_coap_directory
tests_adapter_test_coap_directory_SOURCES = tests/adapter/test_coap_directory.c $(COAP_RIG)
tests_adapter_test_coap_directory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_directory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_directory_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_directory_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
check_PROGRAMS += tests/adapter/test_coap_catalogue
UNIT_TESTS += tests/adapter/test_coap_catalogue
tests_adapter_test_coap_catalogue_SOURCES = tests/adapter/test_coap_catalogue.c tests/adapter/coap_lists.c \
	tests/adapter/coap_lists.h $(COAP_RIG)
tests_adapter_test_coap_catalogue_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_adapter_test_coap_catalogue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_catalogue_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_catalogue_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
check_PROGRAMS += tests/adapter/test_coap_multicast
UNIT_TESTS += tests/adapter/test_coap_multicast
tests_adapter_test_coap_multicast_SOURCES = tests/adapter/test_coap_multicast.c $(COAP_RIG)
tests_adapter_test_coap_multicast_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_multicast_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_multicast_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_multicast_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
check_PROGRAMS += tests/adapter/test_coap_plain
UNIT_TESTS += tests/adapter/test_coap_plain
tests_adapter_test_coap_plain_SOURCES = tests/adapter/test_coap_plain.c $(COAP_RIG)
tests_adapter_test_coap_plain_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_plain_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_plain_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_plain_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
clean-local:
	rm -rf tests/adapter/node
tests_adapter_test_coap_readers_SOURCES = tests/adapter/test_coap_readers.c $(COAP_RIG)
tests_adapter_test_coap_readers_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_readers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_readers_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_readers_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
tests_adapter_test_coap_watch_SOURCES = tests/adapter/test_coap_watch.c $(COAP_RIG)
tests_adapter_test_coap_watch_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_watch_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_watch_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_watch_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
tests_adapter_test_coap_sessions_SOURCES = tests/adapter/test_coap_sessions.c $(COAP_RIG)
tests_adapter_test_coap_sessions_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_sessions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_sessions_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_sessions_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la

check_PROGRAMS += tests/adapter/test_coap_command_wire
UNIT_TESTS += tests/adapter/test_coap_command_wire
tests_adapter_test_coap_command_wire_SOURCES = tests/adapter/test_coap_command_wire.c $(COAP_RIG)
tests_adapter_test_coap_command_wire_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_command_wire_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_command_wire_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_command_wire_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la

# With the device of tests/integration as the other side.
check_PROGRAMS += tests/adapter/test_coap_command
UNIT_TESTS += tests/adapter/test_coap_command
tests_adapter_test_coap_command_SOURCES = tests/adapter/test_coap_command.c tests/adapter/device_rig.c \
	tests/adapter/device_rig.h $(COAP_RIG)
tests_adapter_test_coap_command_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_command_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_command_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_command_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la tests/integration/device$(EXEEXT)

DTLS_TEST_SOURCES = tests/adapter/dtls_client.c tests/adapter/dtls_client.h tests/adapter/dtls_pki.c \
	tests/adapter/dtls_pki.h tests/adapter/dtls_server.c tests/adapter/dtls_server.h
DTLS_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins
DTLS_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
DTLS_TEST_LIBS = libcoapdtls.la libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/adapter/test_dtls
UNIT_TESTS += tests/adapter/test_dtls
tests_adapter_test_dtls_SOURCES = tests/adapter/test_dtls.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_certificate
UNIT_TESTS += tests/adapter/test_dtls_certificate
tests_adapter_test_dtls_certificate_SOURCES = tests/adapter/test_dtls_certificate.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_certificate_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_certificate_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_certificate_LDADD = $(DTLS_TEST_LIBS)

DTLS_VERIFY_RIG = tests/adapter/dtls_verify_rig.c tests/adapter/dtls_verify_rig.h
check_PROGRAMS += tests/adapter/test_dtls_revoked tests/adapter/test_dtls_verify
UNIT_TESTS += tests/adapter/test_dtls_revoked tests/adapter/test_dtls_verify
tests_adapter_test_dtls_revoked_SOURCES = tests/adapter/test_dtls_revoked.c $(DTLS_VERIFY_RIG) $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_revoked_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_revoked_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_revoked_LDADD = $(DTLS_TEST_LIBS)
tests_adapter_test_dtls_verify_SOURCES = tests/adapter/test_dtls_verify.c $(DTLS_VERIFY_RIG) $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_verify_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_verify_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_verify_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_peers
UNIT_TESTS += tests/adapter/test_dtls_peers
tests_adapter_test_dtls_peers_SOURCES = tests/adapter/test_dtls_peers.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_peers_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_peers_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_peers_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_room
UNIT_TESTS += tests/adapter/test_dtls_room
tests_adapter_test_dtls_room_SOURCES = tests/adapter/test_dtls_room.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_room_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_room_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_room_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_hostile
UNIT_TESTS += tests/adapter/test_dtls_hostile
tests_adapter_test_dtls_hostile_SOURCES = tests/adapter/test_dtls_hostile.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_hostile_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_hostile_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_hostile_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_resume
UNIT_TESTS += tests/adapter/test_dtls_resume
tests_adapter_test_dtls_resume_SOURCES = tests/adapter/test_dtls_resume.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_resume_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_resume_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_resume_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/adapter/test_dtls_resume_certificate
UNIT_TESTS += tests/adapter/test_dtls_resume_certificate
tests_adapter_test_dtls_resume_certificate_SOURCES = tests/adapter/test_dtls_resume_certificate.c $(DTLS_TEST_SOURCES)
tests_adapter_test_dtls_resume_certificate_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_adapter_test_dtls_resume_certificate_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_adapter_test_dtls_resume_certificate_LDADD = $(DTLS_TEST_LIBS)

check_PROGRAMS += tests/unit/test_dtls_parts
UNIT_TESTS += tests/unit/test_dtls_parts
tests_unit_test_dtls_parts_SOURCES = tests/unit/test_dtls_parts.c
tests_unit_test_dtls_parts_CPPFLAGS = $(DTLS_TEST_CPPFLAGS)
tests_unit_test_dtls_parts_CFLAGS = $(DTLS_TEST_CFLAGS)
tests_unit_test_dtls_parts_LDADD = libcoapdtls.la $(OPENSSL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/adapter/test_coap_oscore
UNIT_TESTS += tests/adapter/test_coap_oscore
tests_adapter_test_coap_oscore_SOURCES = tests/adapter/test_coap_oscore.c $(COAP_RIG)
tests_adapter_test_coap_oscore_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_adapter_test_coap_oscore_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_coap_oscore_LDADD = $(COAP_RIG_LIBS)
tests_adapter_test_coap_oscore_DEPENDENCIES = libmockhost.la libcoapmessage.la coap.la
