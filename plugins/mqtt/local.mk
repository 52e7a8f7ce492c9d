# SPDX-License-Identifier: Apache-2.0
adapter_LTLIBRARIES += mqtt.la
mqtt_la_SOURCES = \
	plugins/mqtt/arrival.c plugins/mqtt/arrival.h \
	plugins/mqtt/codec.h plugins/mqtt/codec_read.c plugins/mqtt/codec_write.c \
	plugins/mqtt/connection.c plugins/mqtt/connection.h plugins/mqtt/connection_packet.c \
	plugins/mqtt/counters.c plugins/mqtt/counters.h \
	plugins/mqtt/echo.c plugins/mqtt/echo.h \
	plugins/mqtt/exact.c plugins/mqtt/exact.h \
	plugins/mqtt/filter.c plugins/mqtt/filter.h \
	plugins/mqtt/gate.c plugins/mqtt/gate.h \
	plugins/mqtt/inbox.c plugins/mqtt/inbox.h \
	plugins/mqtt/incoming.c plugins/mqtt/incoming.h \
	plugins/mqtt/options.c plugins/mqtt/options.h \
	plugins/mqtt/link.c plugins/mqtt/link.h \
	plugins/mqtt/mqtt.c \
	plugins/mqtt/packet.c plugins/mqtt/packet.h \
	plugins/mqtt/publish.c plugins/mqtt/publish.h \
	plugins/mqtt/receive.c plugins/mqtt/receive.h \
	plugins/mqtt/rows.c \
	plugins/mqtt/session.c plugins/mqtt/session.h \
	plugins/mqtt/status.c plugins/mqtt/status.h \
	plugins/mqtt/subscribe.c plugins/mqtt/subscribe.h \
	plugins/mqtt/text.c plugins/mqtt/text.h \
	plugins/mqtt/window.c plugins/mqtt/window.h
mqtt_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE
mqtt_la_CFLAGS = $(AM_CFLAGS) $(MOSQUITTO_CFLAGS) $(OPENSSL_CFLAGS)
mqtt_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
mqtt_la_LIBADD = libcommon.la libreach.la $(MOSQUITTO_LIBS) $(OPENSSL_LIBS)

MQTT_RIG = tests/adapter/child.c tests/adapter/child.h tests/adapter/mqtt_broker.c tests/adapter/mqtt_broker.h tests/adapter/mqtt_rig.c tests/adapter/mqtt_rig.h
check_PROGRAMS += tests/adapter/test_mqtt tests/adapter/test_mqtt_delivery
UNIT_TESTS += tests/adapter/test_mqtt tests/adapter/test_mqtt_delivery
tests_adapter_test_mqtt_SOURCES = tests/adapter/test_mqtt.c $(MQTT_RIG)
tests_adapter_test_mqtt_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_mqtt_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_mqtt_DEPENDENCIES = libmockhost.la mqtt.la
tests_adapter_test_mqtt_delivery_SOURCES = tests/adapter/test_mqtt_delivery.c $(MQTT_RIG)
tests_adapter_test_mqtt_delivery_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_delivery_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_mqtt_delivery_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_mqtt_delivery_DEPENDENCIES = libmockhost.la mqtt.la

MQTT_PEER = $(MQTT_RIG) tests/adapter/mqtt_peer.c tests/adapter/mqtt_peer.h
check_PROGRAMS += tests/adapter/test_mqtt_kinds tests/adapter/test_mqtt_response tests/adapter/test_mqtt_source
UNIT_TESTS += tests/adapter/test_mqtt_kinds tests/adapter/test_mqtt_response tests/adapter/test_mqtt_source
tests_adapter_test_mqtt_kinds_SOURCES = tests/adapter/test_mqtt_kinds.c $(MQTT_PEER)
tests_adapter_test_mqtt_kinds_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_kinds_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(MOSQUITTO_CFLAGS)
tests_adapter_test_mqtt_kinds_LDADD = libmockhost.la $(MOSQUITTO_LIBS) $(CHECK_LIBS)
tests_adapter_test_mqtt_kinds_DEPENDENCIES = libmockhost.la mqtt.la
tests_adapter_test_mqtt_response_SOURCES = tests/adapter/test_mqtt_response.c $(MQTT_PEER)
tests_adapter_test_mqtt_response_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_response_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(MOSQUITTO_CFLAGS)
tests_adapter_test_mqtt_response_LDADD = libmockhost.la $(MOSQUITTO_LIBS) $(CHECK_LIBS)
tests_adapter_test_mqtt_response_DEPENDENCIES = libmockhost.la mqtt.la
tests_adapter_test_mqtt_source_SOURCES = tests/adapter/test_mqtt_source.c $(MQTT_PEER)
tests_adapter_test_mqtt_source_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_source_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(MOSQUITTO_CFLAGS)
tests_adapter_test_mqtt_source_LDADD = libmockhost.la $(MOSQUITTO_LIBS) $(CHECK_LIBS)
tests_adapter_test_mqtt_source_DEPENDENCIES = libmockhost.la mqtt.la

check_PROGRAMS += tests/adapter/test_mqtt_inbox
UNIT_TESTS += tests/adapter/test_mqtt_inbox
tests_adapter_test_mqtt_inbox_SOURCES = tests/adapter/test_mqtt_inbox.c tests/adapter/mqtt_fake.c \
	tests/adapter/mqtt_fake.h $(MQTT_RIG)
tests_adapter_test_mqtt_inbox_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_inbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_mqtt_inbox_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_mqtt_inbox_DEPENDENCIES = libmockhost.la mqtt.la

check_PROGRAMS += tests/adapter/test_mqtt_exactly
UNIT_TESTS += tests/adapter/test_mqtt_exactly
tests_adapter_test_mqtt_exactly_SOURCES = tests/adapter/test_mqtt_exactly.c tests/adapter/mqtt_fake.c \
	tests/adapter/mqtt_fake.h $(MQTT_RIG)
tests_adapter_test_mqtt_exactly_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_mqtt_exactly_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_mqtt_exactly_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_mqtt_exactly_DEPENDENCIES = libmockhost.la mqtt.la

MQTT_TAKER = tests/adapter/mqtt_taker.c tests/adapter/mqtt_taker.h
check_PROGRAMS += tests/adapter/test_mqtt_publishing
UNIT_TESTS += tests/adapter/test_mqtt_publishing
tests_adapter_test_mqtt_publishing_SOURCES = tests/adapter/test_mqtt_publishing.c $(MQTT_TAKER) $(MQTT_RIG)
tests_adapter_test_mqtt_publishing_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_mqtt_publishing_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_mqtt_publishing_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_mqtt_publishing_DEPENDENCIES = libmockhost.la mqtt.la

MQTT_FRONT = $(MQTT_RIG) tests/adapter/dtls_pki.c tests/adapter/dtls_pki.h \
	tests/adapter/tls_front.c tests/adapter/tls_front.h tests/adapter/mqtt_front.c tests/adapter/mqtt_front.h
check_PROGRAMS += tests/adapter/staple tests/adapter/test_mqtt_staple tests/adapter/test_mqtt_trust
UNIT_TESTS += tests/adapter/test_mqtt_staple tests/adapter/test_mqtt_trust
tests_adapter_staple_SOURCES = tests/adapter/staple.c
tests_adapter_staple_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_staple_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_staple_LDADD = $(OPENSSL_LIBS)
tests_adapter_test_mqtt_staple_SOURCES = tests/adapter/test_mqtt_staple.c $(MQTT_FRONT)
tests_adapter_test_mqtt_staple_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_mqtt_staple_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_mqtt_staple_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_mqtt_staple_DEPENDENCIES = libmockhost.la mqtt.la tests/adapter/staple
tests_adapter_test_mqtt_trust_SOURCES = tests/adapter/test_mqtt_trust.c $(MQTT_TAKER) $(MQTT_FRONT)
tests_adapter_test_mqtt_trust_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -D_GNU_SOURCE
tests_adapter_test_mqtt_trust_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_adapter_test_mqtt_trust_LDADD = libmockhost.la $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_adapter_test_mqtt_trust_DEPENDENCIES = libmockhost.la mqtt.la tests/adapter/staple

check_PROGRAMS += tests/unit/test_mqtt_text tests/unit/test_mqtt_window
UNIT_TESTS += tests/unit/test_mqtt_text tests/unit/test_mqtt_window
tests_unit_test_mqtt_text_SOURCES = tests/unit/test_mqtt_text.c plugins/common/fill.c plugins/mqtt/text.c plugins/common/url.c
tests_unit_test_mqtt_text_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_text_LDADD = $(CHECK_LIBS)
tests_unit_test_mqtt_window_SOURCES = tests/unit/test_mqtt_window.c plugins/common/queue.c plugins/mqtt/window.c
tests_unit_test_mqtt_window_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_mqtt_window_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_window_LDADD = $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mqtt_codec
UNIT_TESTS += tests/unit/test_mqtt_codec
tests_unit_test_mqtt_codec_SOURCES = tests/unit/test_mqtt_codec.c plugins/common/gather.c plugins/mqtt/codec_read.c plugins/mqtt/codec_write.c
tests_unit_test_mqtt_codec_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_codec_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_codec_LDADD = libcommon.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mqtt_filter
UNIT_TESTS += tests/unit/test_mqtt_filter
tests_unit_test_mqtt_filter_SOURCES = tests/unit/test_mqtt_filter.c plugins/mqtt/filter.c plugins/common/round.c
tests_unit_test_mqtt_filter_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_filter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_filter_LDADD = libcommon.la $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mqtt_gate
UNIT_TESTS += tests/unit/test_mqtt_gate
tests_unit_test_mqtt_gate_SOURCES = tests/unit/test_mqtt_gate.c plugins/mqtt/arrival.c plugins/mqtt/gate.c
tests_unit_test_mqtt_gate_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_gate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_gate_LDADD = libcommon.la $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_mqtt_packet
UNIT_TESTS += tests/fuzz/fuzz_mqtt_packet
tests_fuzz_fuzz_mqtt_packet_SOURCES = tests/fuzz/fuzz_mqtt_packet.c tests/fuzz/mutator.c tests/fuzz/mutator.h \
	plugins/mqtt/arrival.c plugins/mqtt/codec_read.c
tests_fuzz_fuzz_mqtt_packet_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_fuzz_fuzz_mqtt_packet_LDADD = libcommon.la libbase.la libbench.la

check_PROGRAMS += tests/unit/test_mqtt_subscribe
UNIT_TESTS += tests/unit/test_mqtt_subscribe
tests_unit_test_mqtt_subscribe_SOURCES = tests/unit/test_mqtt_subscribe.c plugins/mqtt/filter.c plugins/mqtt/subscribe.c
tests_unit_test_mqtt_subscribe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_subscribe_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(MOSQUITTO_CFLAGS)
tests_unit_test_mqtt_subscribe_LDADD = libcommon.la $(MOSQUITTO_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_mqtt_exact
UNIT_TESTS += tests/unit/test_mqtt_exact
tests_unit_test_mqtt_exact_SOURCES = tests/unit/test_mqtt_exact.c plugins/mqtt/arrival.c plugins/mqtt/echo.c plugins/mqtt/exact.c plugins/mqtt/gate.c \
	plugins/mqtt/incoming.c
tests_unit_test_mqtt_exact_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins -D_GNU_SOURCE
tests_unit_test_mqtt_exact_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mqtt_exact_LDADD = libcommon.la $(CHECK_LIBS)
