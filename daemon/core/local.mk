# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = \
	daemon/core/database.c daemon/core/database.h
libcore_la_CFLAGS = $(AM_CFLAGS) $(CONFIG_CFLAGS) $(JANSSON_CFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS)
libcore_la_LIBADD = libwire.la libbase.la $(CONFIG_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) $(SQLITE_LIBS) -lpthread
