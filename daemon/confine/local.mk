# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libconfine.la
libconfine_la_SOURCES = \
	daemon/confine/resolve.c daemon/confine/resolve.h \
	daemon/confine/sandbox.c daemon/confine/sandbox.h \
	daemon/confine/sandbox_filter.c daemon/confine/sandbox_filter.h \
	daemon/confine/sandbox_landlock.c daemon/confine/sandbox_landlock.h
libconfine_la_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
libconfine_la_LIBADD = $(SECCOMP_LIBS)
