# SPDX-License-Identifier: Apache-2.0
"""What the benchmark is made of: a fast broker, the gateway with thousands of devices, the rival, the load generator, and
the figures of processes. Built on the harness of the integration tests."""
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from harness import BUILD, SOURCE, Gateway, Process, configuration, free_port, wait_until  # noqa: E402
from harness.gateway import Groups  # noqa: E402
from harness.process import Lines, run  # noqa: E402

BENCH = BUILD / "tests/bench"
RIVAL = {"coap": "^1.4.1", "mqtt": "^5.10.0"}
TICKS = os.sysconf("SC_CLK_TCK")

# As harness.broker, but made for speed: no log line and no disk for a message, and room for many in flight.
BROKER = """
user {user}
listener {port} 127.0.0.1
cafile {pki}/cloud-ca.crt
certfile {pki}/broker.crt
keyfile {pki}/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
tls_version tlsv1.3
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 100000
persistence false
connection_messages false
log_dest stderr
log_type error
log_type warning
"""


def pss_kb(pid):
    """Proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no PSS of process {pid}")


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Broker:
    def __init__(self, folder, pki):
        self.port, self.pki, self.process = free_port(), pki, None
        self._configuration = folder / "mosquitto.conf"
        if pki:
            text = BROKER.format(user=getpass.getuser(), port=self.port, pki=pki.folder)
            self._configuration.write_text(text, encoding="utf-8")

    def open_plainly(self):
        """One more port, without TLS, for who only watches. Before it starts."""
        port, text = free_port(), self._configuration.read_text(encoding="utf-8")
        self._configuration.write_text(
            f"per_listener_settings true\n{text}\nlistener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
        return port

    def start(self):
        self.process = Process(["mosquitto", "-c", self._configuration])
        wait_until(self._listens, "mosquitto listens")
        return self

    def _listens(self):
        if not self.process.is_running():
            raise AssertionError("mosquitto does not start: " + "; ".join(self.process.lines.all()))
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process and self.process.is_running():
            self.process.signal(signal.SIGTERM)
            self.process.wait()


class SiteBroker(Broker):
    """A broker on site, without TLS; or, with `cloud`, one whose own bridge carries everything on to the broker there."""

    BRIDGE = """
connection cloud
address localhost:{port}
bridge_protocol_version mqttv311
topic # out 1
bridge_cafile {pki}/cloud-ca.crt
bridge_certfile {pki}/cloud.crt
bridge_keyfile {pki}/cloud.key
remote_clientid bridge
notifications false
restart_timeout 1
"""

    def __init__(self, folder, cloud=None):
        folder.mkdir()
        super().__init__(folder, cloud.pki if cloud else None)
        # Debian's mosquitto keeps no more than 20 messages under way unless it is told.
        text = (f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
                "max_inflight_messages 1000\nmax_queued_messages 100000\npersistence false\nconnection_messages false\n"
                "log_dest stderr\nlog_type error\nlog_type warning\n")
        if cloud:
            text += self.BRIDGE.format(port=cloud.port, pki=cloud.pki.folder)
        self._configuration.write_text(text, encoding="utf-8")


class BridgeBench:
    """A broker on site and the gateway, a broker on site with a bridge, and the broker in the cloud that both carry to."""

    def __init__(self, folder, pki):
        (folder / "cloud").mkdir(parents=True)
        self.cloud = Broker(folder / "cloud", pki)
        self.watch = self.cloud.open_plainly()
        self.site, self.bridge = SiteBroker(folder / "site"), SiteBroker(folder / "bridging", self.cloud)
        settings = configuration(pki, 1, [self.cloud.port], routes=Groups([
            {"name": "all", "from": "near", "match": "sensors/{path}", "to": "cloud", "address": "sensors/{path}"}]))
        settings["endpoints"][0] = {"name": "near", "adapter": "mqtt", "broker": [f"mqtt://localhost:{self.site.port}"],
                                    "insecure": True}
        self.gateway = Gateway(folder / "gateway", settings)

    def start(self):
        for broker in (self.cloud, self.site, self.bridge):
            broker.start()
        self.gateway.start()
        wait_until(lambda: self.gateway.endpoint("near")["counters"].get("subscriptions"), "the gateway is subscribed")
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] == "up", "the gateway is connected")

    def runs(self):
        """(key, port to publish at, processes)"""
        cloud = {"broker there": self.cloud.process.pid}
        yield ("gateway", self.site.port,
               {"core": self.gateway.process.pid, "receiving": self.gateway.pid("near"), "publishing": self.gateway.pid("cloud"),
                "broker on site": self.site.process.pid, **cloud})
        yield "bridge", self.bridge.port, {"broker with bridge": self.bridge.process.pid, **cloud}

    def stop(self):
        if self.gateway.is_running():
            self.gateway.stop()
        self.gateway.close()
        for broker in (self.bridge, self.site, self.cloud):
            broker.stop()


class Control:
    """The gateway's control socket, without a process for each question."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8")

    def ask(self, command, **fields):
        self._file.write(json.dumps({"command": command, **fields}) + "\n")
        self._file.flush()
        answer = json.loads(self._file.readline() or '{"ok": false, "error": "the gateway hung up"}')
        if not answer["ok"]:
            raise AssertionError(f"{command}: {answer['error']}")
        return answer["result"]

    def close(self):
        self._file.close()
        self._socket.close()


class BenchGateway(Gateway):
    """tidegated with a coap and an mqtt endpoint, all settings at their defaults."""

    def __init__(self, folder, pki, broker_port):
        self.coap_port = free_port(socket.SOCK_DGRAM)
        self.server = f"127.0.0.1:{self.coap_port}"
        self.keys = folder / "keys"
        self.pki = pki
        self.control = None
        super().__init__(folder / "gateway", configuration(pki, self.coap_port, [broker_port]))

    def restart(self):
        """Units: milliseconds until READY."""
        if self.end() != 0:
            raise AssertionError("tidegated did not end well")
        begin = time.monotonic()
        self.start()
        taken = (time.monotonic() - begin) * 1000
        self.control = Control(self.run / "control.sock")
        return taken

    def wait_up(self):
        def is_up():
            endpoints = {e["name"]: e for e in self.control.ask("status")["endpoints"]}
            return endpoints["cloud"]["link"] == "up" and endpoints["field"]["state"] == "running"
        wait_until(is_up, "both endpoints are up")

    def enrol(self, count):
        """Sensors with a PSK each: sensor0001 and on."""
        with open(self.keys, "w", encoding="ascii") as keys:
            for number in range(1, count + 1):
                name = f"sensor{number:04}"
                keys.write(f"{name} {self.control.ask('device-add', device=name, proof='psk')['key']}\n")

    def enrol_certificates(self, count):
        """cert0001 and on, under the device CA."""
        for number in range(1, count + 1):
            name = f"cert{number:04}"
            self.pki.leaf(name)
            self.control.ask("device-add", device=name, proof="certificate")

    def pids(self):
        """{"core": …, "coap": …, "mqtt": …}; one worker each."""
        found = {"core": self.process.pid}
        for endpoint in self.control.ask("status")["endpoints"]:
            found[endpoint["adapter"]] = endpoint["pids"][0]
        return found

    def held(self):
        return sum(o["ledger"]["held"] for o in self.control.ask("status")["outboxes"])

    def end(self):
        if self.control:
            self.control.close()
            self.control = None
        return self.stop() if self.is_running() else 0


class Rival:
    """node-coap and mqtt.js; `reason` says why it cannot run here."""

    def __init__(self, folder, pki, broker_port):
        self.coap_port = free_port(socket.SOCK_DGRAM)
        self.server = f"127.0.0.1:{self.coap_port}"
        self._arguments = [str(self.coap_port), str(broker_port), str(pki.folder)]
        self.process = None
        self.reason = self._install()

    @staticmethod
    def _install():
        """Into the build folder, once."""
        place = BENCH / "rival"
        for program in ("node", "npm"):
            if not shutil.which(program):
                return f"{program} is not installed"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / "tests/bench/rival/bridge.js", place)
        (place / "package.json").write_text(json.dumps({"private": True, "dependencies": RIVAL}), encoding="ascii")
        if (place / "node_modules/coap").is_dir() and (place / "node_modules/mqtt").is_dir():
            return None
        try:
            run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"], deadline_s=180, cwd=place)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return f"npm install failed: {error}"
        return None

    def start(self):
        lines = Lines()
        self.process = Process(["node", "bridge.js", *self._arguments], lines, cwd=BENCH / "rival")
        lines.wait_line("^ready$")
        return self

    def stop(self):
        if self.process and self.process.is_running():
            self.process.signal(signal.SIGTERM)
            self.process.wait()


class Tool:
    """loadgen or flood under way; `finish` gives its summary. `errors` are the lines on its standard error."""

    def __init__(self, name, *arguments):
        self.name = name
        self.errors, self._out = Lines(), Lines()
        self._child = subprocess.Popen([BENCH / name, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self._readers = [self._out.follow(self._child.stdout), self.errors.follow(self._child.stderr)]

    def wait_connected(self, deadline_s=180):
        return int(self.errors.wait_line("^connected ", 0, deadline_s).split()[1])

    def stop(self):
        self._child.send_signal(signal.SIGINT)

    def finish(self, deadline_s=300):
        try:
            code = self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            raise AssertionError(f"{self.name} did not end within {deadline_s} s") from None
        for reader in self._readers:
            reader.wait(10)
        if code:
            raise AssertionError(f"{self.name} ended with {code}: {' '.join(self.errors.all())}")
        return json.loads("\n".join(self._out.all()))


class CpuMeter:
    """Processor time of named processes over a span: {name: pid}."""

    def __init__(self, pids):
        self._pids = pids
        self._begin = {name: cpu_s(pid) for name, pid in pids.items()}

    def microseconds_each(self, count):
        return {name: (cpu_s(pid) - self._begin[name]) * 1e6 / max(count, 1) for name, pid in self._pids.items()}
