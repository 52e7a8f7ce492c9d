# SPDX-License-Identifier: Apache-2.0
"""The certificates of everyone, made with the openssl command: ECDSA P-256, valid for two days; and bad ones of every kind."""
import os
import shutil
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

# An authority with a memory (openssl ca): what it has issued and revoked, for revocation lists and OCSP.
AUTHORITY = """
[ca]
default_ca = one
[one]
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
rand_serial = yes
default_md = {digest}
default_crl_days = 1
unique_subject = no
policy = any_name
[any_name]
commonName = supplied
[made]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{extensions}
"""
LEAF = ("basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature")
INTERMEDIATE = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign")


def stamp(days):
    """A moment that is so many days from now, as openssl wants it."""
    return f"{datetime.now(timezone.utc) + timedelta(days=days):%Y%m%d%H%M%SZ}"


def put_in_place(text, path):
    """Writes a file as careful tools do: the old contents or the new, never half of them."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="ascii")
    os.replace(part, path)


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
        self._sign_expired(name, name, "leaf", ["-cert", self.certificate(authority), "-keyfile", self.key(authority)])

    def expired_authority(self, name, of):
        """A certificate of the authority `of`, of the same name and key, that was valid until yesterday."""
        shutil.copy(self.key(of), self.key(name))
        self._sign_expired(name, of, "ca", ["-selfsign", "-keyfile", self.key(of)])

    def _sign_expired(self, name, subject, extensions, by):
        request, settings = self.folder / f"{name}.csr", self._configuration(name, None)
        (self.folder / "index.txt").touch()
        end = datetime.now(timezone.utc) - timedelta(days=1)
        run(["openssl", "req", "-new", "-config", settings, "-subj", f"/CN={subject}", "-key", self.key(name), "-out", request])
        run(["openssl", "ca", "-batch", "-config", settings, "-name", "expired", "-extensions", extensions, "-notext",
             "-in", request, "-out", self.certificate(name), *by,
             "-startdate", f"{end - timedelta(days=30):%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}"])

    def _authority(self, authority, digest="sha256", extensions=()):
        """The configuration of an authority, with its memory in a folder of its own."""
        folder = self.folder / f"{authority}.d"
        if not folder.is_dir():
            folder.mkdir()
            (folder / "index.txt").touch()
            (folder / "crlnumber").write_text("1000\n", encoding="ascii")
        path = folder / "ca.cnf"
        path.write_text(AUTHORITY.format(folder=folder, digest=digest, extensions="\n".join(extensions)), encoding="utf-8")
        return ["openssl", "ca", "-batch", "-config", path,
                "-cert", self.certificate(authority), "-keyfile", self.key(authority)]

    def issue(self, name, authority="devices-ca", extensions=LEAF, days=(-1, 2), digest="sha256", rsa_bits=None, with_chain=False):
        """A certificate with just these extensions, valid from and until so many days from now, known to its authority."""
        if rsa_bits:
            run(["openssl", "genrsa", "-out", self.key(name), str(rsa_bits)])
        else:
            self._new_key(name)
        request = self.folder / f"{name}.csr"
        run(["openssl", "req", "-new", "-config", self._configuration(name, None), "-subj", f"/CN={name}",
             "-key", self.key(name), "-out", request])
        run([*self._authority(authority, digest, extensions), "-extensions", "made", "-notext", "-in", request,
             "-out", self.certificate(name), "-startdate", stamp(days[0]), "-enddate", stamp(days[1])])
        if with_chain:
            chain = self.certificate(name).read_text(encoding="ascii") + self.certificate(authority).read_text(encoding="ascii")
            self.certificate(name).write_text(chain, encoding="ascii")

    def self_signed(self, name):
        self._new_key(name)
        run(["openssl", "req", "-x509", "-config", self._configuration(name, None), "-extensions", "leaf", "-days", "2",
             "-subj", f"/CN={name}", "-key", self.key(name), "-out", self.certificate(name)])

    def revoke(self, name, authority="devices-ca"):
        run([*self._authority(authority), "-revoke", self.certificate(name)])

    def revocation_list(self, authority="devices-ca", days=None):
        """The authority's list as it is now, as text; `days`: from and until so many days from now."""
        path = self.folder / f"{authority}.d" / "list.pem"
        when = ["-crl_lastupdate", stamp(days[0]), "-crl_nextupdate", stamp(days[1])] if days else []
        run([*self._authority(authority), "-gencrl", *when, "-out", path])
        return path.read_text(encoding="ascii")

    def put_together(self, path, *names):
        """Several certificates in one file, put there at once."""
        put_in_place("".join(self.certificate(name).read_text(encoding="ascii") for name in names), path)

    def ocsp_response(self, name, authority, path):
        """What the authority says of this certificate now."""
        request = self.folder / f"{name}.ocsp"
        run(["openssl", "ocsp", "-issuer", self.certificate(authority), "-cert", self.certificate(name), "-reqout", request])
        run(["openssl", "ocsp", "-index", self.folder / f"{authority}.d" / "index.txt", "-CA", self.certificate(authority),
             "-rsigner", self.certificate(authority), "-rkey", self.key(authority), "-ndays", "1",
             "-reqin", request, "-respout", path])
        return path
