# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += systemd/tidegate.service.in systemd/tidegate-again.service.in systemd/tidegate-clock.socket.in systemd/tidegate.socket.in systemd/tidegate-hello.socket.in systemd/tidegate-cookie.socket.in systemd/tidegate-clock@.service.in systemd/tidegate.sysusers systemd/tidegate-identity.in systemd/tidegate.catalog
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
catalogdir = $(prefix)/lib/systemd/catalog
nodist_systemdunit_DATA = systemd/tidegate.service systemd/tidegate-again.service systemd/tidegate-clock.socket systemd/tidegate-clock@.service \
	systemd/tidegate.socket systemd/tidegate-hello.socket systemd/tidegate-cookie.socket
nodist_sysusers_DATA = systemd/tidegate.conf
nodist_endpoint_SCRIPTS += systemd/tidegate-identity
catalog_DATA = systemd/tidegate.catalog
CLEANFILES += $(nodist_systemdunit_DATA) systemd/tidegate.conf systemd/tidegate-identity

SYSTEMD_PLACES = -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' -e 's|@libexecdir[@]|$(libexecdir)|g' \
	-e 's|@state_dir[@]|$(state_dir)|g' -e 's|@run_dir[@]|$(run_dir)|g' -e 's|@restart_mode[@]|$(RESTART_MODE)|g'

systemd/tidegate.service: systemd/tidegate.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate.service.in > $@

systemd/tidegate-clock.socket: systemd/tidegate-clock.socket.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-clock.socket.in > $@

systemd/tidegate-clock@.service: systemd/tidegate-clock@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-clock@.service.in > $@

systemd/tidegate.socket: systemd/tidegate.socket.in
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate.socket.in $@

systemd/tidegate-hello.socket: systemd/tidegate-hello.socket.in
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate-hello.socket.in $@

systemd/tidegate-cookie.socket: systemd/tidegate-cookie.socket.in
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate-cookie.socket.in $@

systemd/tidegate-again.service: systemd/tidegate-again.service.in
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate-again.service.in $@

systemd/tidegate-identity: systemd/tidegate-identity.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-identity.in > $@ && chmod 755 $@

# sysusers.d wants its own ending.
systemd/tidegate.conf: systemd/tidegate.sysusers Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate.sysusers $@

INTEGRATION_TESTS += tests/integration/test_first_start.py

# An upgrade has to prove itself.
EXTRA_DIST += systemd/tidegate-trial.service.in systemd/tidegate-return.service.in systemd/tidegate-upgrade.conf.in
nodist_systemdunit_DATA += systemd/tidegate-trial.service systemd/tidegate-return.service
dropindir = $(systemdunitdir)/tidegate.service.d
nodist_dropin_DATA = systemd/tidegate-upgrade.conf
CLEANFILES += $(nodist_dropin_DATA)

systemd/tidegate-trial.service: systemd/tidegate-trial.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-trial.service.in > $@

systemd/tidegate-return.service: systemd/tidegate-return.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-return.service.in > $@

systemd/tidegate-upgrade.conf: systemd/tidegate-upgrade.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed $(SYSTEMD_PLACES) $(srcdir)/systemd/tidegate-upgrade.conf.in > $@
