# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libwire.la
libwire_la_SOURCES = \
	daemon/wire/frame.c daemon/wire/frame.h \
	daemon/wire/link.c daemon/wire/link.h
libwire_la_LIBADD = libbase.la
