# SPDX-License-Identifier: Apache-2.0
EXAMPLES = \
	conf/examples/amqp.conf \
	conf/examples/amqp-rabbitmq.json \
	conf/examples/assets.conf \
	conf/examples/cities.conf \
	conf/examples/commands.conf \
	conf/examples/energy.conf \
	conf/examples/healthcare.conf \
	conf/examples/hypercat-client.conf \
	conf/examples/hypercat.conf \
	conf/examples/dds.conf \
	conf/examples/readers.conf \
	conf/examples/senml.conf \
	conf/examples/several-brokers.conf \
	conf/examples/strict.conf \
	conf/examples/transport.conf \
	conf/examples/trial.conf
exampledir = $(docdir)/examples
dist_example_DATA = $(EXAMPLES)

# What an administrator has written is not written over, and goes only where it is still as delivered.
EXTRA_DIST += conf/tidegate.conf
CONFIG_FOLDER = $(DESTDIR)$(sysconfdir)/tidegate
install-data-local:
	$(MKDIR_P) "$(CONFIG_FOLDER)/conf.d"
	test -e "$(CONFIG_FOLDER)/tidegate.conf" || \
		$(INSTALL_DATA) $(srcdir)/conf/tidegate.conf "$(CONFIG_FOLDER)/tidegate.conf"
uninstall-local:
	! cmp -s $(srcdir)/conf/tidegate.conf "$(CONFIG_FOLDER)/tidegate.conf" || rm -f "$(CONFIG_FOLDER)/tidegate.conf"

# The files above are good, and the default one also without its comment signs.
check_PROGRAMS += tests/unit/test_conf
UNIT_TESTS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c $(CONFIG_FIXTURE)
tests_unit_test_conf_CPPFLAGS = $(AM_CPPFLAGS) -DCONF_FOLDER='"$(abs_srcdir)/conf"' \
	-DADAPTER_FOLDER='"$(abs_builddir)/.libs"' -DENDPOINT_PROGRAM='"$(abs_builddir)/tidegate-endpoint"'
tests_unit_test_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_conf_LDADD = libcore.la $(CHECK_LIBS)
tests_unit_test_conf_DEPENDENCIES = libcore.la tidegate-endpoint amqp.la coap.la coap_client.la hypercat.la hypercat_client.la loopback.la mqtt.la dds.la
