# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += systemd/tidegate.service.in systemd/tidegate.sysusers
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
nodist_systemdunit_DATA = systemd/tidegate.service
nodist_sysusers_DATA = systemd/tidegate.conf
CLEANFILES += systemd/tidegate.service systemd/tidegate.conf

systemd/tidegate.service: systemd/tidegate.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/systemd/tidegate.service.in > $@

# sysusers.d wants its own ending.
systemd/tidegate.conf: systemd/tidegate.sysusers Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && cp $(srcdir)/systemd/tidegate.sysusers $@
