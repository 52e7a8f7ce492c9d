# SPDX-License-Identifier: Apache-2.0
COAP_DTLS_SOURCES = \
	plugins/coap/dtls.c plugins/coap/dtls.h \
	plugins/coap/dtls_bio.c \
	plugins/coap/dtls_callback.c \
	plugins/coap/dtls_context.c plugins/coap/dtls_context.h \
	plugins/coap/dtls_cookie.c plugins/coap/dtls_cookie.h \
	plugins/coap/dtls_handshake.c \
	plugins/coap/dtls_listen.c \
	plugins/coap/dtls_name.c \
	plugins/coap/dtls_peer.c plugins/coap/dtls_peer.h \
	plugins/coap/dtls_record.c plugins/coap/dtls_record.h \
	plugins/coap/dtls_session.c plugins/coap/dtls_session.h \
	plugins/coap/dtls_socket.c plugins/coap/dtls_socket.h \
	plugins/coap/dtls_table.c plugins/coap/dtls_table.h \
	plugins/coap/dtls_timers.c plugins/coap/dtls_timers.h

# Linked into coap.la and into the tests of its own.
noinst_LTLIBRARIES += libcoapdtls.la
libcoapdtls_la_SOURCES = $(COAP_DTLS_SOURCES)
libcoapdtls_la_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
libcoapdtls_la_LIBADD = $(OPENSSL_LIBS)
