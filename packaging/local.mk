# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += packaging/packages README.md SECURITY.md packaging/man/tidegate.conf.5.in
dist_man_MANS += packaging/man/tidegated.8 packaging/man/tidegatectl.1
nodist_man_MANS += packaging/man/tidegate.conf.5
CLEANFILES += packaging/man/tidegate.conf.5 packaging/man/settings

# The settings part comes from the rows of the gateway and of every adapter.
packaging/man/tidegate.conf.5: packaging/man/tidegate.conf.5.in tidegated tidegate-endpoint $(adapter_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) packaging/man && \
	./tidegated --schema-man --adapters .libs --endpoint-program ./tidegate-endpoint >packaging/man/settings && \
	sed -e '/^@SETTINGS@$$/{r packaging/man/settings' -e 'd;}' $(srcdir)/packaging/man/tidegate.conf.5.in >$@.new && \
	mv $@.new $@

# The Debian packages: packaging/build-deb makes them from a checkout or from the release archive.
EXTRA_DIST += packaging/build-deb packaging/cross packaging/reproducible packaging/sbom \
	packaging/debian/adapter.postinst packaging/debian/changelog packaging/debian/conf/tidegate.conf packaging/debian/control.in packaging/debian/copyright \
	packaging/debian/example/Makefile packaging/debian/rules packaging/debian/source/format \
	packaging/debian/lintian-overrides.12 packaging/debian/tidegate.lintian-overrides \
	packaging/debian/tidegate.docs packaging/debian/tidegate.install packaging/debian/tidegate.postinst packaging/debian/tidegate.preinst \
	packaging/debian/tidegate.postrm packaging/debian/tidegate.prerm packaging/debian/tidegate.tmpfiles \
	packaging/debian/tidegate-dev.examples packaging/debian/tidegate-dev.install \
	packaging/debian/tidegate-amqp.install packaging/debian/tidegate-dds.install packaging/debian/tidegate-hypercat.install

# The packages, and what they hold looked at.
EXTRA_DIST += tests/packages/bill.py tests/packages/test_contents.py tests/packages/test_installed.py
.PHONY: packages
packages:
	$(srcdir)/packaging/build-deb --out packages
	TG_PACKAGES=packages $(PYTHON3) -B $(srcdir)/tests/packages/test_contents.py

completiondir = $(datarootdir)/bash-completion/completions
dist_completion_DATA = packaging/completion/tidegatectl

EXTRA_DIST += packaging/tidegate-upgrade.in
nodist_endpoint_SCRIPTS += packaging/tidegate-upgrade
CLEANFILES += packaging/tidegate-upgrade

packaging/tidegate-upgrade: packaging/tidegate-upgrade.in Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging && sed $(SYSTEMD_PLACES) -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		$(srcdir)/packaging/tidegate-upgrade.in > $@ && chmod 755 $@

INTEGRATION_TESTS += tests/integration/test_trial.py
