# SPDX-License-Identifier: Apache-2.0
# What payloads are written in: of use to the core, and to adapters that show or take them in another notation. Needs libbytes.la.
noinst_LTLIBRARIES += libformat.la
libformat_la_SOURCES = \
	daemon/format/cbor_item.c daemon/format/cbor_item.h \
	daemon/format/convert.c daemon/format/convert.h \
	daemon/format/json_text.c daemon/format/json_text.h \
	daemon/format/senml.c daemon/format/senml.h \
	daemon/format/senml_cbor.c \
	daemon/format/senml_check.c \
	daemon/format/senml_json.c \
	daemon/format/senml_resolve.c \
	daemon/format/tree.c daemon/format/tree.h \
	daemon/format/tree_json.c
libformat_la_CFLAGS = $(AM_CFLAGS) $(CBOR_CFLAGS) $(JANSSON_CFLAGS)
libformat_la_LIBADD = $(CBOR_LIBS) $(JANSSON_LIBS) -lm

check_PROGRAMS += tests/unit/test_convert
UNIT_TESTS += tests/unit/test_convert
tests_unit_test_convert_SOURCES = tests/unit/suite.h tests/unit/test_convert.c
tests_unit_test_convert_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_convert_LDADD = libformat.la libbytes.la $(JANSSON_LIBS) $(CHECK_LIBS)
