# SPDX-License-Identifier: Apache-2.0
"""The certificates of the broker and of who talks to it: made by the openssl command, of one authority."""
from box import call

LEAF = """[req]
distinguished_name = subject
[subject]
[ca]
basicConstraints = critical, CA:TRUE
[leaf]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:{name}
"""


def make_certificates(folder, days):
    """cloud-ca, broker (for localhost), cloud and subscriber: NAME.crt and NAME.key in this new folder."""
    folder.mkdir()
    for name in ("cloud-ca", "broker", "cloud", "subscriber"):
        settings, key, certificate = (folder / f"{name}{ending}" for ending in (".cnf", ".key", ".crt"))
        settings.write_text(LEAF.format(name="localhost" if name == "broker" else name), encoding="ascii")
        call("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        own = name == "cloud-ca"
        by = [] if own else ["-CA", folder / "cloud-ca.crt", "-CAkey", folder / "cloud-ca.key"]
        call("openssl", "req", "-x509", "-config", settings, "-extensions", "ca" if own else "leaf", "-days", days,
             "-subj", f"/CN={name}", "-key", key, "-out", certificate, *by)


def make_expired(folder, name):
    """NAME.crt, which was good for one day in 2020, and NAME.key, of the same authority."""
    settings, key, request, certificate = (folder / f"{name}{ending}" for ending in (".cnf", ".key", ".csr", ".crt"))
    settings.write_text(LEAF.format(name=name), encoding="ascii")
    call("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    call("openssl", "req", "-new", "-config", settings, "-subj", f"/CN={name}", "-key", key, "-out", request)
    database = folder / "expired.db"
    database.write_text("", encoding="ascii")
    policy = folder / "policy.cnf"
    policy.write_text(f"[ca]\ndefault_ca = own\n[own]\ndatabase = {database}\nnew_certs_dir = {folder}\nrand_serial = yes\n"
                      "default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n", encoding="ascii")
    call("openssl", "ca", "-batch", "-config", policy, "-cert", folder / "cloud-ca.crt", "-keyfile", folder / "cloud-ca.key",
         "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-extfile", settings, "-extensions", "leaf",
         "-in", request, "-out", certificate, "-notext")
