# SPDX-License-Identifier: Apache-2.0
# Types, samples and bytes: pure, nothing of the DDS library.
noinst_LTLIBRARIES += libddsvalue.la
libddsvalue_la_SOURCES = \
	plugins/dds/cdr.c plugins/dds/cdr.h \
	plugins/dds/decode.c plugins/dds/decode.h \
	plugins/dds/encode.c plugins/dds/encode.h plugins/dds/encode_private.h \
	plugins/dds/encode_scalar.c \
	plugins/dds/out.c plugins/dds/out.h plugins/dds/out_private.h \
	plugins/dds/out_cbor.c \
	plugins/dds/sample.c plugins/dds/sample.h \
	plugins/dds/type.c plugins/dds/type.h
libddsvalue_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/daemon -I$(top_srcdir)/plugins -D_GNU_SOURCE
libddsvalue_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CBOR_CFLAGS) $(OPENSSL_CFLAGS)
libddsvalue_la_LIBADD = libcommon.la libformat.la libbytes.la $(JANSSON_LIBS) $(CBOR_LIBS) $(OPENSSL_LIBS)

adapter_LTLIBRARIES += dds.la
dds_la_SOURCES = \
	plugins/dds/bridge.h plugins/dds/bridge_sample.c plugins/dds/bridge_type.c \
	plugins/dds/counters.c plugins/dds/counters.h \
	plugins/dds/dds.c \
	plugins/dds/keys.c plugins/dds/keys.h \
	plugins/dds/library.c plugins/dds/library.h \
	plugins/dds/options.c plugins/dds/options.h \
	plugins/dds/rows.c \
	plugins/dds/security.c plugins/dds/security.h \
	plugins/dds/sink.c plugins/dds/sink.h \
	plugins/dds/source.c plugins/dds/source.h \
	plugins/dds/topic.c plugins/dds/topic.h \
	plugins/dds/topics.c plugins/dds/topics.h \
	plugins/dds/topics_tidy.c \
	plugins/dds/trace.c plugins/dds/trace.h \
	plugins/dds/wake.c plugins/dds/wake.h
dds_la_CPPFLAGS = -I$(top_srcdir)/include -I$(top_srcdir)/plugins -D_GNU_SOURCE -DTG_DDS_SECURITY='"$(DDS_SECURITY)"'
dds_la_CFLAGS = $(AM_CFLAGS) $(DDS_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS)
dds_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined -export-symbols-regex '^tidegate_adapter$$'
dds_la_LIBADD = libddsvalue.la $(DDS_LIBS) $(OPENSSL_LIBS)

# For a desk: of an IDL file a library for the setting `types`.
dist_pkgdata_SCRIPTS += plugins/dds/tidegate-dds-type

# The peers of the tests, made from the IDL.
DDS_TYPES = dds_types.c dds_types.h
dds_types.c: tests/adapter/dds_types.idl
	$(AM_V_GEN)$(IDLC) -W no-enum-consecutive -W no-inherit-appendable -o . $(srcdir)/tests/adapter/dds_types.idl
dds_types.h: dds_types.c
CLEANFILES += dds_types.c dds_types.h
EXTRA_DIST += tests/adapter/dds_types.idl
check_PROGRAMS += tests/adapter/dds_peer
tests_adapter_dds_peer_SOURCES = tests/adapter/dds_peer.c tests/adapter/dds_samples.c tests/adapter/dds_samples.h
nodist_tests_adapter_dds_peer_SOURCES = dds_types.c
tests_adapter_dds_peer_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DTG_DDS_SECURITY='"$(DDS_SECURITY)"'
tests_adapter_dds_peer_CFLAGS = -std=gnu17 $(HARDENING) -Wall -Wextra $(DDS_CFLAGS)
tests_adapter_dds_peer_LDADD = $(DDS_LIBS)
tests/adapter/dds_peer-dds_samples.$(OBJEXT) tests/adapter/dds_peer-dds_peer.$(OBJEXT): dds_types.h

# The same without type information, as other makes of DDS send it; and the types alone, for the setting.
untold/dds_types.c: tests/adapter/dds_types.idl
	$(AM_V_GEN)$(MKDIR_P) untold && $(IDLC) -t -W no-enum-consecutive -W no-inherit-appendable -o untold \
		$(srcdir)/tests/adapter/dds_types.idl
CLEANFILES += untold/dds_types.c untold/dds_types.h
check_PROGRAMS += tests/adapter/dds_peer_untold
tests_adapter_dds_peer_untold_SOURCES = $(tests_adapter_dds_peer_SOURCES)
nodist_tests_adapter_dds_peer_untold_SOURCES = untold/dds_types.c
tests_adapter_dds_peer_untold_CPPFLAGS = $(tests_adapter_dds_peer_CPPFLAGS)
tests_adapter_dds_peer_untold_CFLAGS = $(tests_adapter_dds_peer_CFLAGS)
tests_adapter_dds_peer_untold_LDADD = $(DDS_LIBS)
tests/adapter/dds_peer_untold-dds_samples.$(OBJEXT): dds_types.h
check_LTLIBRARIES += libdds_test_types.la
libdds_test_types_la_SOURCES =
nodist_libdds_test_types_la_SOURCES = dds_types.c
libdds_test_types_la_CFLAGS = -std=gnu17 $(HARDENING) $(DDS_CFLAGS)
libdds_test_types_la_LDFLAGS = -module -avoid-version -no-undefined -rpath /nowhere
libdds_test_types_la_LIBADD = $(DDS_LIBS)

DDS_RIG = tests/adapter/child.c tests/adapter/child.h tests/adapter/dds_rig.c tests/adapter/dds_rig.h
check_PROGRAMS += tests/adapter/test_dds
UNIT_TESTS += tests/adapter/test_dds
tests_adapter_test_dds_SOURCES = tests/adapter/test_dds.c $(DDS_RIG)
tests_adapter_test_dds_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_dds_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_dds_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_dds_DEPENDENCIES = libmockhost.la dds.la tests/adapter/dds_peer
EXTRA_DIST += tests/adapter/dds_fast_peer.cpp
if FAST_DDS
FAST_PEER = tests/adapter/dds_fast_peer
FAST_PEER_DEFINE = -DTG_FAST_DDS
check_SCRIPTS = $(FAST_PEER)
CLEANFILES += $(FAST_PEER)
tests/adapter/dds_fast_peer: tests/adapter/dds_fast_peer.cpp
	$(AM_V_GEN)$(MKDIR_P) tests/adapter && \
		$(FAST_CXX) -O1 -std=c++17 $(srcdir)/tests/adapter/dds_fast_peer.cpp -o $@ -lfastrtps -lfastcdr
endif

check_PROGRAMS += tests/adapter/test_dds_sink
UNIT_TESTS += tests/adapter/test_dds_sink
tests_adapter_test_dds_sink_SOURCES = tests/adapter/test_dds_sink.c $(DDS_RIG)
tests_adapter_test_dds_sink_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE $(FAST_PEER_DEFINE)
tests_adapter_test_dds_sink_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_dds_sink_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_dds_sink_DEPENDENCIES = libmockhost.la dds.la tests/adapter/dds_peer tests/adapter/dds_peer_untold \
	libdds_test_types.la $(FAST_PEER)
check_PROGRAMS += tests/adapter/test_dds_reload
UNIT_TESTS += tests/adapter/test_dds_reload
tests_adapter_test_dds_reload_SOURCES = tests/adapter/test_dds_reload.c $(DDS_RIG)
tests_adapter_test_dds_reload_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_dds_reload_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_dds_reload_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_dds_reload_DEPENDENCIES = libmockhost.la dds.la tests/adapter/dds_peer tests/adapter/dds_peer_untold \
	libdds_test_types.la
check_PROGRAMS += tests/adapter/test_dds_security
UNIT_TESTS += tests/adapter/test_dds_security
EXTRA_DIST += tests/adapter/dds_pki.sh
tests_adapter_test_dds_security_SOURCES = tests/adapter/test_dds_security.c $(DDS_RIG)
tests_adapter_test_dds_security_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
tests_adapter_test_dds_security_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_adapter_test_dds_security_LDADD = libmockhost.la $(CHECK_LIBS)
tests_adapter_test_dds_security_DEPENDENCIES = libmockhost.la dds.la tests/adapter/dds_peer

INTEGRATION_TESTS += tests/integration/test_dds.py
SANITIZE_TESTS += tests/integration/test_dds.py
EXTRA_DIST += tests/integration/test_dds.py tests/bench/dds.py
bench: tests/adapter/dds_peer

check_PROGRAMS += tests/unit/test_dds
UNIT_TESTS += tests/unit/test_dds
tests_unit_test_dds_SOURCES = tests/unit/test_dds.c tests/unit/test_dds_maker.c tests/unit/test_dds_maker.h
tests_unit_test_dds_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins
tests_unit_test_dds_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_dds_LDADD = libddsvalue.la $(JANSSON_LIBS) $(CHECK_LIBS)
