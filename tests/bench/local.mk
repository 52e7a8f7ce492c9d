# SPDX-License-Identifier: Apache-2.0
# The tools that measure the gateway from outside. They share no code with it.
BENCH_CPPFLAGS = -D_GNU_SOURCE=1 -I$(top_srcdir)/tests
noinst_LTLIBRARIES += libbench.la
libbench_la_SOURCES = tests/bench/batch.c tests/bench/batch.h tests/bench/client.c tests/bench/client.h \
	tests/bench/coap.c tests/bench/coap.h tests/bench/identities.c tests/bench/identities.h \
	tests/bench/tally.c tests/bench/tally.h tests/bench/tickets.c tests/bench/tool.c tests/bench/tool.h
libbench_la_CPPFLAGS = $(BENCH_CPPFLAGS)
libbench_la_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
libbench_la_LIBADD = $(OPENSSL_LIBS)

noinst_PROGRAMS += tests/bench/loadgen
tests_bench_loadgen_SOURCES = tests/bench/loadgen.c tests/bench/fleet.c tests/bench/fleet.h tests/bench/handshakes.c \
	tests/bench/handshakes.h tests/bench/options.c tests/bench/options.h tests/bench/sensor.c tests/bench/sensor.h
tests_bench_loadgen_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_loadgen_LDADD = libbench.la

noinst_PROGRAMS += tests/bench/echo
tests_bench_echo_SOURCES = tests/bench/echo.c
tests_bench_echo_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_echo_LDADD = libbench.la $(OPENSSL_LIBS)

noinst_PROGRAMS += tests/bench/flood
tests_bench_flood_SOURCES = tests/bench/flood.c
tests_bench_flood_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_flood_LDADD = libbench.la

noinst_PROGRAMS += tests/bench/pipe
tests_bench_pipe_SOURCES = tests/bench/pipe.c
tests_bench_pipe_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_bench_pipe_LDADD = libbench.la

noinst_PROGRAMS += tests/fuzz/mutate
tests_fuzz_mutate_SOURCES = tests/fuzz/mutate.c tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_fuzz_mutate_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_fuzz_mutate_LDADD = libbench.la

check_PROGRAMS += tests/unit/test_bench
UNIT_TESTS += tests/unit/test_bench
tests_unit_test_bench_SOURCES = tests/unit/test_bench.c tests/unit/suite.h tests/fuzz/mutator.c tests/fuzz/mutator.h
tests_unit_test_bench_CPPFLAGS = $(BENCH_CPPFLAGS)
tests_unit_test_bench_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_bench_LDADD = libbench.la $(CHECK_LIBS)

INTEGRATION_TESTS += tests/bench/test_tools.py tests/fuzz/mutate_gateway.py
SANITIZE_TESTS += tests/fuzz/mutate_gateway.py
EXTRA_DIST += tests/bench/test_tools.py tests/fuzz/mutate_gateway.py tests/bench/bench.py tests/bench/parts.py \
	tests/bench/rival/bridge.js

# The speed of the gateway on this machine; options by BENCH_ARGS.
.PHONY: bench
bench: all
	TG_SOURCE='$(abs_top_srcdir)' TG_BUILD='$(abs_top_builddir)' $(PYTHON3) -B $(srcdir)/tests/bench/bench.py $(BENCH_ARGS)

# Only the DTLS layer of the coap adapter, answering by itself.
noinst_PROGRAMS += tests/bench/dtls_echo
tests_bench_dtls_echo_SOURCES = tests/bench/dtls_echo.c
tests_bench_dtls_echo_CPPFLAGS = $(BENCH_CPPFLAGS) -I$(top_srcdir)/include -I$(top_srcdir)/plugins
tests_bench_dtls_echo_LDADD = libcoapdtls.la libmockhost.la
