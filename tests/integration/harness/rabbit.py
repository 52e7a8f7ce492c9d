# SPDX-License-Identifier: Apache-2.0
"""A real RabbitMQ with its AMQP 1.0 plugin, one node or a cluster, on loopback: everything of it in the test's folder, nothing left behind."""
import json
import os
import shutil
import signal
from pathlib import Path

from .process import Lines, Process, children, free_port, run, wait_until

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_S = 180  # a node alone takes 10 s on a free machine
WITH_US = ["setpriv", "--pdeathsig", "KILL"]  # whatever becomes of the test, what it started ends with it

# TLS for the gateway, who is known by its certificate; plain TCP for the clients of the test.
CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{plain}
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {pki}/cloud-ca.crt
ssl_options.certfile = {pki}/broker.crt
ssl_options.keyfile = {pki}/broker.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = {certificates}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_cert_login_from = common_name
auth_mechanisms.1 = EXTERNAL
auth_mechanisms.2 = PLAIN
load_definitions = {folder}/definitions.json
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.absolute = 512MB
collect_statistics = none
log.console = true
log.console.level = info
{more}
"""
PLUGINS = "[rabbitmq_amqp1_0,rabbitmq_auth_mechanism_ssl]."
USER, PASSWORD = "tester", "no-secret"


def is_there():
    return PROGRAM.exists()


def definitions(queues=(), exchanges=(), bindings=(), users=("cloud",)):
    """`queues`: names, or (name, arguments); `exchanges`: (name, type); `bindings`: (exchange, queue, key)."""
    named = [(q, {}) if isinstance(q, str) else q for q in queues]
    all_users = [{"name": name, "password_hash": "", "tags": []} for name in users]
    all_users += [{"name": USER, "password": PASSWORD, "tags": ["administrator"]}]
    return {
        "users": all_users,
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": user["name"], "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"} for user in all_users],
        "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": arguments}
                   for name, arguments in named],
        "exchanges": [{"name": name, "vhost": "/", "type": kind, "durable": True, "auto_delete": False, "internal": False,
                       "arguments": {}} for name, kind in exchanges],
        "bindings": [{"source": exchange, "vhost": "/", "destination": queue, "destination_type": "queue", "routing_key": key,
                      "arguments": {}} for exchange, queue, key in bindings],
    }


class Epmd:
    """The port mapper that the nodes of one test find each other by; without it the first node would start one and leave it."""

    def __init__(self, folder):
        self.port = free_port()
        self.cookie = "tidegate-test"
        self.folder = folder
        environment = {**os.environ, "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.process = Process([*WITH_US, "epmd", "-port", str(self.port)], env=environment)
        wait_until(self._is_up, "the port mapper listens")

    def _is_up(self):
        return run(["epmd", "-port", str(self.port), "-names"], check=False)[0] == 0

    def close(self):
        self.process.kill()


class Rabbit:
    """One node. It goes on with what it has on disk when it is started again."""

    def __init__(self, folder, pki, epmd=None, name="rabbit", content=None, more="", certificates=True):
        self.folder = Path(folder) / name
        self.folder.mkdir(parents=True)
        self.port, self.plain_port, self._distribution = free_port(), free_port(), free_port()
        self.own_epmd = epmd is None
        self.epmd = epmd or Epmd(folder)
        self.node = f"{name}@localhost"
        self.lines = Lines()
        self.process = None
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(self.epmd.cookie, encoding="ascii")
        cookie.chmod(0o400)
        self._write("enabled_plugins", PLUGINS)
        self._write("definitions.json", json.dumps(definitions() if content is None else content))
        self._write("rabbitmq.conf", CONFIGURATION.format(
            plain=self.plain_port, port=self.port, pki=pki.folder, folder=self.folder, more=more,
            certificates="true" if certificates else "false"))

    def _write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def environment(self):
        return {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self.epmd.port),
            "RABBITMQ_NODENAME": self.node, "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"), "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"), "RABBITMQ_LOG_BASE": str(self.folder / "log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"), "RABBITMQ_FEATURE_FLAGS_FILE": str(self.folder / "features"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"), "ERL_CRASH_DUMP": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def spawn(self):
        """Begins to start: wait_started says when it has."""
        self._seen = len(self.lines.all())
        self.process = Process([*WITH_US, str(PROGRAM)], self.lines, env=self.environment(), cwd=self.folder)
        return self

    def wait_started(self):
        def up_or_ended(lines):
            return any("Server startup complete" in line for line in lines[self._seen:]) or not self.process.is_running()
        self.lines.wait_for(up_or_ended, f"{self.node} is up", START_S)
        if not self.process.is_running():
            raise AssertionError(f"{self.node} has ended: {self.lines.all()[-20:]}")
        return self

    def start(self):
        return self.spawn().wait_started()

    def kill(self):
        """kill -9 of the node, and of the small programs beside it, which end by themselves when it does not live any more."""
        beside = children(self.process.pid)
        self.process.kill()
        for pid in beside:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def ctl(self, *words, deadline_s=START_S):
        """rabbitmqctl; seconds each."""
        command = [str(PROGRAM.with_name("rabbitmqctl")), "-n", self.node, "-q", *words]
        return run(command, deadline_s, env=self.environment(), cwd=self.folder)[1]

    def import_definitions(self, content):
        self._write("more.json", json.dumps(content))
        self.ctl("import_definitions", str(self.folder / "more.json"))

    def depths(self):
        """How many messages each queue holds."""
        rows = [line.split("\t") for line in self.ctl("list_queues", "name", "messages").splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def story(self):
        return self.lines.all()[-60:]

    def close(self):
        if self.process and self.process.is_running():
            self.kill()
        if self.own_epmd:
            self.epmd.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    """Several nodes that know each other; queues are declared when all of them are there."""

    def __init__(self, folder, pki, count=3, content=None):
        self.epmd = Epmd(folder)
        names = [f"rabbit{n + 1}" for n in range(count)]
        peers = [f"cluster_formation.classic_config.nodes.{n + 1} = {name}@localhost" for n, name in enumerate(names)]
        more = "\n".join(["cluster_formation.peer_discovery_backend = classic_config", *peers,
                          "cluster_partition_handling = pause_minority"])
        self.nodes = [Rabbit(folder, pki, self.epmd, name, more=more) for name in names]
        self._content = content

    def start(self):
        self.nodes[0].start()  # the others join it, rather than each of them beginning a cluster of its own
        for node in self.nodes[1:]:
            node.spawn()
        for node in self.nodes[1:]:
            node.wait_started()
        if self._content:
            self.nodes[0].import_definitions(self._content)
        return self

    def close(self):
        for node in self.nodes:
            node.close()
        self.epmd.close()
