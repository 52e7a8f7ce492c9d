# SPDX-License-Identifier: Apache-2.0
adapter_LTLIBRARIES += amqp.la
amqp_la_SOURCES = \
	plugins/amqp/address.c plugins/amqp/address.h \
	plugins/amqp/amqp.c \
	plugins/amqp/arrival.c plugins/amqp/arrival.h \
	plugins/amqp/channel.c plugins/amqp/channel.h \
	plugins/amqp/counters.c plugins/amqp/counters.h \
	plugins/amqp/login.c plugins/amqp/login.h \
	plugins/amqp/options.c plugins/amqp/options.h \
	plugins/amqp/pack.c plugins/amqp/pack.h \
	plugins/amqp/rows.c \
	plugins/amqp/sender.c plugins/amqp/sender.h \
	plugins/amqp/sink.c plugins/amqp/sink.h plugins/amqp/sink_internal.h \
	plugins/amqp/sink_answer.c \
	plugins/amqp/source.c plugins/amqp/source.h plugins/amqp/source_internal.h \
	plugins/amqp/source_take.c \
	plugins/amqp/source_verdict.c \
	plugins/amqp/unpack.c plugins/amqp/unpack.h \
	plugins/amqp/uplink.c plugins/amqp/uplink.h \
	plugins/amqp/walk.c plugins/amqp/walk.h \
	plugins/amqp/wire.c plugins/amqp/wire.h
amqp_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
amqp_la_CFLAGS = $(AM_CFLAGS) $(PROTON_CFLAGS) $(OPENSSL_CFLAGS)
amqp_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
amqp_la_LIBADD = libcommon.la libreach.la $(PROTON_LIBS) $(OPENSSL_LIBS)

AMQP_RIG = tests/adapter/amqp_rig.c tests/adapter/amqp_rig.h tests/adapter/child.c tests/adapter/child.h \
	tests/adapter/mqtt_broker.c tests/adapter/mqtt_broker.h
EXTRA_DIST += tests/adapter/amqp_peer.py tests/adapter/amqp_rabbit.py tests/bench/amqp.py
check_PROGRAMS += tests/adapter/test_amqp_sink
UNIT_TESTS += tests/adapter/test_amqp_sink
tests_adapter_test_amqp_sink_SOURCES = tests/adapter/test_amqp_sink.c $(AMQP_RIG)
tests_adapter_test_amqp_sink_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_sink_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_sink_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_sink_DEPENDENCIES = libmockhost.la amqp.la
check_PROGRAMS += tests/adapter/test_amqp_source
UNIT_TESTS += tests/adapter/test_amqp_source
tests_adapter_test_amqp_source_SOURCES = tests/adapter/test_amqp_source.c $(AMQP_RIG)
tests_adapter_test_amqp_source_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_source_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_source_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_source_DEPENDENCIES = libmockhost.la amqp.la

check_PROGRAMS += tests/unit/test_amqp_address tests/unit/test_amqp_message
UNIT_TESTS += tests/unit/test_amqp_address tests/unit/test_amqp_message
tests_unit_test_amqp_address_SOURCES = tests/unit/test_amqp_address.c plugins/amqp/address.c
tests_unit_test_amqp_address_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_amqp_address_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_amqp_address_LDADD = libbase.la $(CHECK_LIBS)
tests_unit_test_amqp_message_SOURCES = tests/unit/test_amqp_message.c plugins/amqp/address.c plugins/amqp/arrival.c \
	plugins/amqp/pack.c plugins/amqp/unpack.c plugins/amqp/walk.c
tests_unit_test_amqp_message_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_amqp_message_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(PROTON_CFLAGS)
tests_unit_test_amqp_message_LDADD = libbase.la libcommon.la $(PROTON_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/adapter/test_amqp_rabbit
UNIT_TESTS += tests/adapter/test_amqp_rabbit
tests_adapter_test_amqp_rabbit_SOURCES = tests/adapter/test_amqp_rabbit.c $(AMQP_RIG)
tests_adapter_test_amqp_rabbit_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_rabbit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_rabbit_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_rabbit_DEPENDENCIES = libmockhost.la amqp.la

check_PROGRAMS += tests/fuzz/fuzz_amqp_message
UNIT_TESTS += tests/fuzz/fuzz_amqp_message
tests_fuzz_fuzz_amqp_message_SOURCES = tests/fuzz/fuzz_amqp_message.c tests/fuzz/mutator.c tests/fuzz/mutator.h \
	plugins/amqp/address.c plugins/amqp/arrival.c plugins/amqp/unpack.c plugins/amqp/walk.c
tests_fuzz_fuzz_amqp_message_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_fuzz_fuzz_amqp_message_CFLAGS = $(AM_CFLAGS) $(PROTON_CFLAGS)
tests_fuzz_fuzz_amqp_message_LDADD = libcommon.la libbase.la libbench.la $(PROTON_LIBS)

check_PROGRAMS += tests/adapter/test_amqp_hostile
UNIT_TESTS += tests/adapter/test_amqp_hostile
tests_adapter_test_amqp_hostile_SOURCES = tests/adapter/test_amqp_hostile.c $(AMQP_RIG) \
	tests/adapter/amqp_fake.c tests/adapter/amqp_fake.h
tests_adapter_test_amqp_hostile_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_hostile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_hostile_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_hostile_DEPENDENCIES = libmockhost.la amqp.la

check_PROGRAMS += tests/adapter/test_amqp_answers
UNIT_TESTS += tests/adapter/test_amqp_answers
tests_adapter_test_amqp_answers_SOURCES = tests/adapter/test_amqp_answers.c $(AMQP_RIG) \
	tests/adapter/amqp_fake.c tests/adapter/amqp_fake.h
tests_adapter_test_amqp_answers_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_answers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_answers_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_answers_DEPENDENCIES = libmockhost.la amqp.la

check_PROGRAMS += tests/adapter/test_amqp_sessions
UNIT_TESTS += tests/adapter/test_amqp_sessions
tests_adapter_test_amqp_sessions_SOURCES = tests/adapter/test_amqp_sessions.c $(AMQP_RIG) \
	tests/adapter/amqp_fake.c tests/adapter/amqp_fake.h
tests_adapter_test_amqp_sessions_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_amqp_sessions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_sessions_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_amqp_sessions_DEPENDENCIES = libmockhost.la amqp.la

check_PROGRAMS += tests/adapter/test_amqp_mutated
UNIT_TESTS += tests/adapter/test_amqp_mutated
tests_adapter_test_amqp_mutated_SOURCES = tests/adapter/test_amqp_mutated.c $(AMQP_RIG) \
	tests/adapter/amqp_fake.c tests/adapter/amqp_fake.h tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_adapter_test_amqp_mutated_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_amqp_mutated_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_amqp_mutated_LDADD = libmockhost.la libbench.la $(CHECK_LIBS)
tests_adapter_test_amqp_mutated_DEPENDENCIES = libmockhost.la libbench.la amqp.la

check_PROGRAMS += tests/adapter/test_amqp_trust
UNIT_TESTS += tests/adapter/test_amqp_trust
tests_adapter_test_amqp_trust_SOURCES = tests/adapter/test_amqp_trust.c $(AMQP_RIG) \
	tests/adapter/dtls_pki.c tests/adapter/dtls_pki.h tests/adapter/tls_front.c tests/adapter/tls_front.h
tests_adapter_test_amqp_trust_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_amqp_trust_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_amqp_trust_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_amqp_trust_DEPENDENCIES = libmockhost.la amqp.la tests/adapter/staple
