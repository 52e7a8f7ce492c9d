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
