# SPDX-License-Identifier: Apache-2.0
"""A server of HyperCat catalogues and resources that can misbehave: python3's http.server and ssl."""
import base64
import contextlib
import hashlib
import http.server
import json
import socket
import ssl
import threading
import time

TYPE = "application/vnd.hypercat.catalogue+json"
IS_TYPE = "urn:X-hypercat:rels:isContentType"
DESCRIPTION = "urn:X-hypercat:rels:hasDescription:en"


def pair(rel, val):
    return {"rel": rel, "val": val}


def item(href, content_type="text/plain", *pairs):
    return {"href": href, "item-metadata": [pair(IS_TYPE, content_type), pair(DESCRIPTION, href), *pairs]}


def nested(href):
    return item(href, TYPE)


def catalogue(*items):
    """The text of a catalogue."""
    metadata = [pair(IS_TYPE, TYPE), pair(DESCRIPTION, "for tests")]
    return json.dumps({"catalogue-metadata": metadata, "items": list(items)}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *words):
        pass

    def answer(self, status, body=b"", content_type="text/plain", **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def setup(self):
        super().setup()
        self.server.catalogue.connections.append(self.connection)

    def do_GET(self):
        try:
            self.server.catalogue.serve(self)
        except OSError:
            self.close_connection = True  # a client that goes away is a part of the tests


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    catalogue = None

    def handle_error(self, request, client_address):
        pass


class Catalogue:
    """Listens at `url`. `pages` says what there is: path -> (content type, bytes), or a function of the handler; `asked` lists what was asked
    for: (path, status)."""

    def __init__(self, pki, certificate="broker", token=None, client_authority=None, port=0, etags=True):
        self.pages, self.asked, self.authorizations, self.clients, self.connections = {}, [], [], [], []
        self.times = []  # (path, monotonic seconds)
        self.token, self.etags = token, etags
        self.closing = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.certificate(certificate), pki.key(certificate))
        if client_authority:
            context.load_verify_locations(pki.certificate(client_authority))
            context.verify_mode = ssl.CERT_REQUIRED
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.catalogue = self
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def put(self, path, body, content_type="text/plain"):
        self.pages[path] = (content_type, body if isinstance(body, bytes) else body.encode())

    def list(self, path, *items):
        self.put(path, catalogue(*items), TYPE)

    def count(self, path, status=None):
        return sum(1 for p, s in list(self.asked) if p == path and status in (None, s))

    def serve(self, handler):
        page = self.pages.get(handler.path)
        given = handler.headers.get("Authorization")
        self.times.append((handler.path, time.monotonic()))
        self.authorizations.append((handler.path, given))
        self.clients.append(handler.connection.getpeercert())
        if self.token and given != "Basic " + base64.b64encode(f"{self.token}:".encode()).decode():
            self.finish(handler, 401, b"who are you?", WWW_Authenticate='Basic realm="catalogue"')
        elif page is None:
            self.finish(handler, 404, b"not here")
        elif callable(page):
            self.asked.append((handler.path, 0))
            page(handler)
        else:
            self.serve_page(handler, *page)

    def serve_page(self, handler, content_type, body):
        headers = {"ETag": '"' + hashlib.sha256(body).hexdigest()[:16] + '"'} if self.etags else {}
        if headers and handler.headers.get("If-None-Match") == headers["ETag"]:
            self.finish(handler, 304, **headers)
        else:
            self.finish(handler, 200, body, content_type, **headers)

    def finish(self, handler, status, *rest, **headers):
        self.asked.append((handler.path, status))
        handler.answer(status, *rest, **headers)


# Pages that misbehave.

def redirect(to):
    return lambda handler: handler.answer(302, b"", Location=to)


def later(seconds, status=503):
    return lambda handler: handler.answer(status, b"", Retry_After=str(seconds))


def huge(size, with_length=False):
    """Goes on until `size` bytes are out or nobody listens."""
    def page(handler):
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", TYPE)
        if with_length:
            handler.send_header("Content-Length", str(size))
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(size // 65536 + 1):
            handler.wfile.write(b" " * 65536)
    return page


def endless(server):
    """Chunks without an end."""
    def page(handler):
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not server.closing.is_set():
            handler.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    return page


def slow(server):
    """A byte a second."""
    def page(handler):
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not server.closing.wait(1):
            handler.wfile.write(b"x")
    return page


def changing():
    """Another text each time."""
    def page(handler):
        handler.answer(200, f"{time.monotonic_ns()}".encode())
    return page
