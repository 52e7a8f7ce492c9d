# SPDX-License-Identifier: Apache-2.0
"""A small EST server (RFC 7030) that can misbehave: python3's http.server and ssl, the openssl command signs."""
import base64
import hmac
import http.server
import re
import ssl
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .process import run

SIGNING = """
[ca]
default_ca = est
[est]
database = {folder}/index.txt
new_certs_dir = {folder}
unique_subject = no
rand_serial = yes
default_md = sha256
policy = any_name
copy_extensions = copy
x509_extensions = leaf
[any_name]
organizationName = optional
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
"""


class Signer:
    """An authority that signs requests with the openssl command."""

    def __init__(self, folder, certificate, key):
        self.folder, self.certificate, self.key = Path(folder), certificate, key
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.txt").touch()
        self.settings = self.folder / "ca.cnf"
        self.settings.write_text(SIGNING.format(folder=self.folder), encoding="utf-8")

    def sign(self, request, out, begin_s=-60, end_s=3600, subject=None, extensions="leaf"):
        now = datetime.now(timezone.utc)
        begin, end = now + timedelta(seconds=begin_s), now + timedelta(seconds=end_s)
        more = ["-subj", subject] if subject else []
        run(["openssl", "ca", "-batch", "-notext", "-config", self.settings, "-extensions", extensions, "-in", request,
             "-out", out, "-cert", self.certificate, "-keyfile", self.key, *more,
             "-startdate", f"{begin:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}"])


def certs_only(*certificates):
    """base64 of a PKCS#7 without signer."""
    more = [word for path in certificates for word in ("-certfile", path)]
    with tempfile.NamedTemporaryFile() as out:
        run(["openssl", "crl2pkcs7", "-nocrl", *more, "-outform", "DER", "-out", out.name])
        return base64.encodebytes(Path(out.name).read_bytes())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *words):
        pass

    def answer(self, status, body=b"", content_type="application/pkcs7-mime; smime-type=certs-only", **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def operation(self):
        found = re.fullmatch(r"/\.well-known/est/(\w+)", self.path)
        return found[1] if found else None

    def do_GET(self):
        self.close_connection = True
        if self.operation() != "cacerts":
            self.answer(404)
            return
        self.server.est.note("cacerts", self)
        self.answer(200, certs_only(self.server.est.signer.certificate))

    def do_POST(self):
        self.close_connection = True
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.operation()
        if operation not in ("simpleenroll", "simplereenroll"):
            self.answer(404)
            return
        self.server.est.enrol(operation, body, self)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    est = None

    def handle_error(self, request, client_address):
        pass  # a client that ends the handshake is a part of the tests


class Est:
    """Listens at `url`. `mode` says how it misbehaves from now on; `asked` lists (operation, how the client proved itself)."""

    def __init__(self, folder, pki, authority="cloud-ca", user="box", password="let me in", certificate="broker",
                 client_authority=None, port=0, newest=None):
        self.folder, self.pki, self.user, self.password = Path(folder), pki, user, password
        self.folder.mkdir(parents=True, exist_ok=True)
        self.signer = Signer(self.folder / "ca", pki.certificate(authority), pki.key(authority))
        self.mode, self.end_s, self.asked, self.requests = "good", 3600, [], []
        self._hold = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.certificate(certificate), pki.key(certificate))
        context.load_verify_locations(pki.certificate(client_authority or authority))
        context.verify_mode = ssl.CERT_OPTIONAL
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.est = self
        if newest:
            context.maximum_version = newest
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        self._hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def proof(self, handler):
        """The client's certificate by its common name, "password", or None."""
        certificate = handler.connection.getpeercert()
        if certificate:
            return next(value for rdn in certificate["subject"] for key, value in rdn if key == "commonName")
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        given = handler.headers.get("Authorization", "")
        return "password" if hmac.compare_digest(given, f"Basic {wanted}") else None

    def note(self, operation, handler):
        self.asked.append((operation, self.proof(handler)))

    def enrolments(self):
        return [asked for asked in self.asked if asked[0] != "cacerts"]

    def enrol(self, operation, body, handler):
        self.note(operation, handler)
        number = len(self.asked)
        request, out = self.folder / f"{number}.csr", self.folder / f"{number}.crt"
        request.write_text("-----BEGIN CERTIFICATE REQUEST-----\n" + body.decode() + "-----END CERTIFICATE REQUEST-----\n",
                           encoding="ascii")
        self.requests.append(body)
        proof = self.proof(handler)
        if proof is None or (operation == "simplereenroll" and proof == "password"):
            handler.answer(401, b"who are you?", "text/plain", WWW_Authenticate='Basic realm="est"')
        elif self.mode not in ("good", "other-name", "other-key", "expired", "wrong-ca", "self-signed"):
            getattr(self, f"_answer_{self.mode}")(handler)
        else:
            self._issue(request, out)
            handler.answer(200, certs_only(out))

    def _issue(self, request, out):
        signer = self.signer
        if self.mode == "wrong-ca":
            if not self.pki.certificate("other-ca").exists():
                self.pki.authority("other-ca")
            signer = Signer(self.folder / "other", self.pki.certificate("other-ca"), self.pki.key("other-ca"))
        if self.mode == "other-key":
            run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 self.folder / "other.key", "-subj", "/CN=cloud", "-out", request])
        if self.mode == "expired":
            signer.sign(request, out, begin_s=-7200, end_s=-3600)
        else:
            signer.sign(request, out, end_s=self.end_s, subject="/CN=somebody else" if self.mode == "other-name" else None)

    def _answer_later(self, handler):
        handler.answer(202, b"", "text/plain", Retry_After="1")

    def _answer_refuse(self, handler):
        handler.answer(400, b"not this one\nsecond line", "text/plain")

    def _answer_broken(self, handler):
        handler.answer(500, b"", "text/plain")

    def _answer_garbage(self, handler):
        handler.answer(200, b"<html>welcome to the hotel</html>")

    def _answer_huge(self, handler):
        handler.answer(200, b"A" * (4 << 20))

    def _answer_redirect(self, handler):
        handler.answer(302, b"", "text/plain", Location=f"https://localhost:{self.port}/elsewhere")

    def _answer_hang(self, _handler):
        self._hold.wait(120)
