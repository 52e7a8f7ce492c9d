# SPDX-License-Identifier: Apache-2.0
"""The certificates of everyone, made with the openssl command: ECDSA P-256, valid for two days."""
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .process import run

REQUEST = """
[req]
distinguished_name = subject
[subject]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
{names}
[expired]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any_name
rand_serial = yes
[any_name]
commonName = supplied
"""


class Pki:
    """A folder of certificates and keys: NAME.crt and NAME.key. Two authorities: one for devices, one for the cloud."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.authority("devices-ca")
        self.authority("cloud-ca")
        self.leaf("gateway", "devices-ca", names="DNS:localhost,IP:127.0.0.1")
        self.leaf("broker", "cloud-ca", names="DNS:localhost,IP:127.0.0.1")
        self.leaf("cloud", "cloud-ca")
        self.leaf("subscriber", "cloud-ca")

    def certificate(self, name):
        return self.folder / f"{name}.crt"

    def key(self, name):
        return self.folder / f"{name}.key"

    def _configuration(self, name, names):
        path = self.folder / f"{name}.cnf"
        line = f"subjectAltName = {names}" if names else ""
        path.write_text(REQUEST.format(names=line, folder=self.folder), encoding="utf-8")
        return path

    def _new_key(self, name):
        run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key(name)])
        self.key(name).chmod(0o600)

    def authority(self, name):
        self._new_key(name)
        run(["openssl", "req", "-x509", "-config", self._configuration(name, None), "-extensions", "ca", "-days", "2",
             "-subj", f"/CN={name}", "-key", self.key(name), "-out", self.certificate(name)])

    def leaf(self, name, authority="devices-ca", names=None):
        """A certificate with `name` as CN; `names` is a subjectAltName as openssl writes it."""
        self._new_key(name)
        run(["openssl", "req", "-x509", "-config", self._configuration(name, names), "-extensions", "leaf", "-days", "2",
             "-subj", f"/CN={name}", "-key", self.key(name), "-out", self.certificate(name),
             "-CA", self.certificate(authority), "-CAkey", self.key(authority)])

    def expired_leaf(self, name, authority="devices-ca"):
        """A certificate that was valid until yesterday."""
        self._new_key(name)
        request, settings = self.folder / f"{name}.csr", self._configuration(name, None)
        (self.folder / "index.txt").touch()
        end = datetime.now(timezone.utc) - timedelta(days=1)
        run(["openssl", "req", "-new", "-config", settings, "-subj", f"/CN={name}", "-key", self.key(name), "-out", request])
        run(["openssl", "ca", "-batch", "-config", settings, "-name", "expired", "-extensions", "leaf", "-notext",
             "-in", request, "-out", self.certificate(name),
             "-cert", self.certificate(authority), "-keyfile", self.key(authority),
             "-startdate", f"{end - timedelta(days=30):%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}"])
