# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	daemon/base/backoff.c daemon/base/backoff.h \
	daemon/base/buffer.c daemon/base/buffer.h \
	daemon/base/bytes.c daemon/base/bytes.h \
	daemon/base/cleanup.h \
	daemon/base/clock.c daemon/base/clock.h \
	daemon/base/log.c daemon/base/log.h \
	daemon/base/loop.c daemon/base/loop.h \
	daemon/base/random.c daemon/base/random.h \
	daemon/base/secret.c daemon/base/secret.h \
	daemon/base/uuid.c daemon/base/uuid.h
libbase_la_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
libbase_la_LIBADD = $(SYSTEMD_LIBS)
