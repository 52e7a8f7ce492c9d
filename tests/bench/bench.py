#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the gateway on this machine, with load generator, broker and a rival on the same processors, and prints a table.

    make bench                       everything, about three minutes
    make bench BENCH_ARGS='--only speed,rival --seconds 10'
    make bench BENCH_ARGS='--only bridge'
    make bench BENCH_ARGS='--only amqp'
    make bench BENCH_ARGS='--only dds'

A figure with a target is marked where it misses it. The exit code is 0 when everything could be measured."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import parts
import amqp
import dds
from harness import Pki, wait_until

WARM_UP_S = 2
CERTIFICATES = 32
STARTS = 5
IMPORTED = 10000


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.pki = Pki(folder / "pki")
        self.broker = parts.Broker(folder, self.pki).start()
        self.gateway = parts.BenchGateway(folder, self.pki, self.broker.port)
        self.rows, self.figures, self.troubles = [], {}, []

    # The table

    def title(self, text):
        print(f"\n{text}", flush=True)

    def row(self, key, text, value, unit="", digits=0, least=None, most=None):
        """Prints one figure; `least` and `most` are targets."""
        self.figures[key] = value
        target, mark = "", ""
        if least is not None or most is not None:
            good = value >= least if least is not None else value <= most
            target = f"at least {least:,}" if least is not None else f"at most {most:,}"
            mark = "" if good else "  MISSED"
        print(f"  {text:<58}{value:>12,.{digits}f} {unit:<12}{target}{mark}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    # Helpers

    def load(self, *arguments, server=None):
        return parts.Tool("loadgen", "--server", server or self.gateway.server, *arguments)

    def psk_load(self, *arguments):
        return self.load("--keys", self.gateway.keys, *arguments)

    def speed(self, pids, *arguments, server=None, repeat=1):
        """Warms up and measures, several times if wanted, and returns the summary of the middle one, with the processor
        time of each process for a reading."""
        security = () if "--plain" in arguments else ("--keys", self.gateway.keys)
        self.load(*security, *arguments, "--seconds", WARM_UP_S, server=server).finish()
        runs = []
        for _ in range(max(repeat, self.arguments.repeat)):
            tool = self.load(*security, *arguments, "--seconds", self.arguments.seconds, server=server)
            tool.wait_connected()
            meter = parts.CpuMeter(pids)
            summary = tool.finish()
            summary["cpu"] = meter.microseconds_each(summary["acknowledged"])
            summary["cpu"]["loadgen"] = summary["cpu_us_a_reading"]
            self.check(summary)
            runs.append(summary)
        return sorted(runs, key=lambda summary: summary["rate"])[len(runs) // 2]

    def check(self, summary):
        """Whatever spoils a figure is said."""
        spoiled = {key: summary[key] for key in ("unanswered", "sessions_lost", "handshake_failures", "strange")
                   if summary[key]}
        if summary["refused"]:
            spoiled["refused"] = summary["refused"]
        if summary["connected"] < summary["sensors"] + summary["idle"]:
            spoiled["connected"] = summary["connected"]
        if spoiled:
            self.note(f"! {spoiled}")

    def pids(self):
        return {**self.gateway.pids(), "mosquitto": self.broker.process.pid}

    # What is measured, in this order

    def start(self):
        self.title("Start")
        taken = []
        for _ in range(STARTS):
            taken.append(self.gateway.restart())
            self.gateway.wait_up()
        self.row("start_ms", f"start to READY, middle of {STARTS}", statistics.median(taken), "ms", 0, most=300)
        time.sleep(2)
        sizes = {name: parts.pss_kb(pid) / 1024 for name, pid in self.gateway.pids().items()}
        self.row("idle_pss_mb", "idle memory (PSS) of core, coap and mqtt", sum(sizes.values()), "MB", 1, most=20)
        self.note("  " + ", ".join(f"{name} {size:.1f} MB" for name, size in sizes.items()))

    def prepare(self):
        """Also when `start` is left out."""
        if not self.gateway.control:
            self.gateway.restart()
            self.gateway.wait_up()
        began = time.monotonic()
        self.gateway.enrol(self.arguments.sensors + 100)
        self.gateway.enrol_certificates(CERTIFICATES)
        self.row("enrol_rate", "devices enrolled through the control socket",
                 (self.arguments.sensors + 100) / (time.monotonic() - began), "/s")

    def measure_speed(self):
        self.title("Confirmable 64-byte readings over DTLS (PSK), answered after the broker's PUBACK")
        for sensors in sorted({50, 500, self.arguments.sensors}):
            summary = self.speed(self.pids(), "--sensors", sensors)
            latency = summary["latency_ms"]
            self.row(f"rate_{sensors}", f"{sensors:,} sensors, one outstanding each", summary["rate"], "readings/s",
                     least=25000 if sensors == 50 else None)
            self.note(f"  p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms, answered on their own "
                      f"{summary['separate'] / max(summary['acknowledged'], 1):.0%}; processor time a reading: "
                      + ", ".join(f"{name} {us:.1f}" for name, us in summary["cpu"].items()) + " µs")
            self.figures[f"summary_{sensors}"] = summary

    def measure_rival(self):
        self.title("The rival: node-coap and mqtt.js, plain CoAP in, the same broker")
        rival = parts.Rival(self.folder, self.pki, self.broker.port)
        if rival.reason:
            self.note(f"!!! NOT MEASURED: {rival.reason} !!!")
            return
        try:
            rival.start()
            pids = {"node": rival.process.pid, "mosquitto": self.broker.process.pid}
            summary = self.speed(pids, "--plain", "--sensors", 50, server=rival.server)
            memory = parts.pss_kb(rival.process.pid) / 1024
        finally:
            rival.stop()
        latency = summary["latency_ms"]
        self.figures["summary_rival"] = summary
        self.row("rate_rival", "50 sensors, one outstanding each", summary["rate"], "readings/s")
        self.note(f"  p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} ms, memory (PSS) {memory:.0f} MB; "
                  "processor time a reading: "
                  + ", ".join(f"{name} {us:.1f}" for name, us in summary["cpu"].items()) + " µs")
        if self.figures.get("rate_50"):
            self.row("ratio", "tidegate with DTLS against the rival without, 50 sensors",
                     self.figures["rate_50"] / summary["rate"], "times", 2, least=2.5)

    def measure_handshakes(self):
        self.title("Handshakes, each a full one, 64 at a time")
        summary = self.psk_load("--sensors", 64, "--handshakes", 5000, "--count", 0).finish()["handshake_phase"]
        self.row("handshakes_psk", "PSK-AES128-CCM8", summary["rate"], "/s")
        summary = self.load("--certs", self.pki.folder, "--prefix", "cert", "--trust", self.pki.certificate("devices-ca"),
                            "--sensors", CERTIFICATES, "--parallel", CERTIFICATES, "--handshakes", 1000,
                            "--count", 0).finish()["handshake_phase"]
        self.row("handshakes_x509", "ECDHE-ECDSA-AES128-CCM8, both sides verified", summary["rate"], "/s")
        if summary["failed"]:
            self.note(f"! {summary}")

    def measure_resume(self):
        sensors = min(1000, self.arguments.sensors)
        self.title(f"{sensors:,} sensors come back after a restart of the gateway, 64 at a time")
        tickets = self.folder / "tickets"
        for key, text in (("full", "with full handshakes"), ("resumed", "with their session tickets")):
            summary = self.psk_load("--sensors", sensors, "--tickets", tickets, "--handshakes", sensors,
                                    "--count", 0).finish()["handshake_phase"]
            self.row(f"{key}_rate", text, summary["rate"], "/s")
            self.note(f"  {summary['resumed']} of {summary['done']} resumed, p99 {summary['p99_ms']:.1f} ms")
            if summary["failed"]:
                self.note(f"! {summary}")
            if key == "full":
                self.gateway.restart()
                self.gateway.wait_up()
        self.row("resumed", "of them resumed", summary["resumed"], "", 0, least=sensors)

    def measure_flood(self):
        self.title("2,000 spoofed ClientHellos a second, and 20 honest handshakes a second beside them")
        flood = parts.Tool("flood", "--server", self.gateway.server, "--rate", 2000, "--seconds", 10)
        time.sleep(1)
        summary = self.psk_load("--sensors", 64, "--handshakes", 150, "--handshake-rate", 20,
                                "--count", 0).finish()["handshake_phase"]
        flood.finish()
        self.row("flood_done", "honest handshakes that were completed", 100 * summary["done"] / 150, "%", 1, least=99)
        self.row("flood_p99_ms", "the time that 99 % of them needed", summary["p99_ms"], "ms", 1, most=3000)

    def settled_kb(self, before):
        """What the coap process has more than before, as soon as that is little, or after a minute."""
        end = time.monotonic() + 60
        while True:
            more = parts.pss_kb(self.gateway.pids()["coap"]) - before
            if more < 1024 or time.monotonic() > end:
                return more
            time.sleep(0.5)

    def measure_storm(self):
        seconds = int(max(3 * self.arguments.seconds, 30))
        for key, text, options in (("storm", "without a cookie, from 16 ports", ("--ports", 16)),
                                   ("storm_cookie", "with their cookies, from 1,000 addresses", ("--half-open",))):
            self.title(f"ClientHellos {text}, as fast as one processor sends them, for {seconds} s;\n"
                       "50 sensors send ten readings a second each beside them, and 5 sensors a second shake hands")
            before = parts.pss_kb(self.gateway.pids()["coap"])
            flood = parts.Tool("flood", "--server", self.gateway.server, "--rate", 1000000, "--seconds", seconds, *options)
            sensors = self.psk_load("--sensors", 50, "--rate", 10, "--seconds", seconds - 4)
            hands = self.psk_load("--sensors", 64, "--skip", 60, "--handshakes", 5 * (seconds - 6), "--handshake-rate", 5,
                                  "--count", 0).finish()["handshake_phase"]
            summary, sent = sensors.finish(), flood.finish()
            self.check(summary)
            self.row(f"{key}_rate", "ClientHellos sent", sent["rate"], "/s")
            self.row(f"{key}_lost", "sessions lost, readings without an answer",
                     summary["sessions_lost"] + summary["unanswered"], "", most=0)
            self.row(f"{key}_p99_ms", "the time that 99 % of the readings needed", summary["latency_ms"]["p99"], "ms", 1, most=100)
            self.row(f"{key}_done", "honest handshakes that were completed", 100 * hands["done"] / (5 * (seconds - 6)), "%", 1,
                     least=99)
            self.row(f"{key}_handshake_p99_ms", "the time that 99 % of them needed", hands["p99_ms"], "ms", 1, most=3000)
            wait_until(lambda: self.gateway.status()["endpoints"][0]["counters"]["half_open"] == 0, "nothing is half-open", 90)
            self.row(f"{key}_kb", "memory of the coap process within a minute, against before", self.settled_kb(before), "kB",
                     most=4096)

    def measure_idle_sessions(self):
        sensors = self.arguments.sensors
        self.title(f"{sensors:,} idle sessions")
        self.gateway.restart()
        self.gateway.wait_up()
        alone = self.speed(self.pids(), "--sensors", 50, repeat=3)
        before = parts.pss_kb(self.gateway.pids()["coap"])
        idle = self.psk_load("--sensors", 0, "--idle", sensors, "--skip", 100, "--source", "127.32.0.1", "--seconds", 600)
        try:
            opened = idle.wait_connected()
            time.sleep(1)
            after = parts.pss_kb(self.gateway.pids()["coap"])
            beside = self.speed(self.pids(), "--sensors", 50, repeat=3)
        finally:
            idle.stop()
            summary = idle.finish()
        self.check(summary)
        self.row("session_kb", "memory a session (PSS of the coap process)", (after - before) / max(opened, 1), "kB", 1)
        self.row("rate_alone", "50 busy sensors without them", alone["rate"], "readings/s")
        self.row("rate_beside_idle", "50 busy sensors beside them", beside["rate"], "readings/s")
        self.row("idle_share", "of the rate without them", 100 * beside["rate"] / max(alone["rate"], 1), "%", 1, least=80)

    def measure_outage(self):
        self.title("The broker is down")
        self.broker.stop()
        for sensors in (50, 500):
            summary = self.speed(self.gateway.pids(), "--sensors", sensors)
            self.row(f"disk_{sensors}", f"{sensors} sensors, answered once on disk", summary["rate"], "readings/s")
            self.note(f"  p50 {summary['latency_ms']['p50']:.2f} ms, p99 {summary['latency_ms']['p99']:.2f} ms")
        held = self.gateway.held()
        self.broker.start()
        wait_until(lambda: self.gateway.held() < held, "the outbox begins to drain", 60)
        begin, left = time.monotonic(), self.gateway.held()
        wait_until(lambda: self.gateway.held() == 0, "the outbox is empty", 300)
        self.row("drain_rate", f"drained afterwards ({held:,} held)", left / (time.monotonic() - begin), "messages/s")

    def bridge_run(self, bridge, port, pids):
        tool = parts.Tool("pipe", "--from", port, "--to", bridge.watch, "--warm-up", 1, "--seconds", self.arguments.seconds)
        time.sleep(1)
        meter = parts.CpuMeter(pids)
        summary = tool.finish()
        summary["cpu"] = meter.microseconds_each(summary["counted"])
        summary["cpu"]["the tool"] = summary["cpu_us"]
        if summary["missing"] or summary["repeated"]:
            self.note(f"! {summary['missing']} missing, {summary['repeated']} came twice")
        return summary

    def measure_bridge(self):
        self.title("Local MQTT to a broker over TLS, QoS 1 both, 64 bytes, up to 500 messages on their way: the gateway (MQTT 5, with\n"
                   "id, device and time on each message), and mosquitto's own bridge (mqttv311, without), by turns")
        bridge = parts.BridgeBench(self.folder / "bridge", self.pki)
        runs = {"gateway": [], "bridge": []}
        repeat = max(3, self.arguments.repeat)
        try:
            bridge.start()
            for _ in range(repeat):
                for key, port, pids in bridge.runs():
                    runs[key].append(self.bridge_run(bridge, port, pids))
        finally:
            bridge.stop()
        for key, text in (("gateway", "tidegate"), ("bridge", "mosquitto's bridge")):
            summary = sorted(runs[key], key=lambda run: run["rate"])[repeat // 2]
            self.figures[f"summary_{key}"] = summary
            self.row(f"rate_{key}", f"{text}, middle of {repeat}", summary["rate"], "messages/s")
            self.note("  processor time a message: " + ", ".join(f"{name} {us:.1f}" for name, us in summary["cpu"].items())
                      + f", together {sum(summary['cpu'].values()):.1f} µs")
        self.row("bridge_ratio", "tidegate against mosquitto's bridge", self.figures["rate_gateway"] / self.figures["rate_bridge"],
                 "times", 2, least=3)
        # What is left to a gateway: the brokers and the tool are on the same processors.
        ours, theirs = (self.figures[f"summary_{key}"]["cpu"] for key in ("gateway", "bridge"))
        others = sum(ours[name] for name in ("broker on site", "broker there", "the tool"))
        self.note(f"  the brokers and the tool alone take {others:.1f} µs beside the gateway: where processors are the limit, one that took no "
                  f"time at all would be {sum(theirs.values()) / others:.1f} times as fast as the bridge")

    def measure_amqp(self):
        self.title("AMQP 1.0 and RabbitMQ, one classic queue, TLS 1.3 with certificates: 64-byte messages in, and out again")
        bench = amqp.AmqpBench(self.folder / "amqp", self.pki)
        try:
            bench.start()
            for name, gateway, counter, text in (("sink", bench.sink, "confirmed", "messages sent and settled by RabbitMQ"),
                                                 ("source", bench.source, "accepted", "messages received, confirmed, and accepted")):
                rate, cpu = bench.measure(gateway, counter, max(self.arguments.seconds, 3))
                self.row(f"amqp_{name}_rate", text, rate, "messages/s")
                self.note("  processor time a message: " + ", ".join(f"{who} {us:.1f}" for who, us in cpu.items()) + " µs")
                most = max(cpu, key=cpu.get)
                self.note(f"  the bottleneck: {most}, {rate * cpu[most] / 1e6:.0%} of a processor")
        finally:
            bench.stop()

    def measure_dds(self):
        self.title("DDS to a sink that confirms at once: a reliable CycloneDDS writer, 100 instances, samples of about 60 bytes")
        bench = dds.DdsBench(self.folder / "dds")
        try:
            bench.start()
            rate, cpu = bench.measure(max(self.arguments.seconds, 3))
        finally:
            bench.stop()
        self.row("dds_rate", "samples taken in and delivered", rate, "samples/s")
        most = max(cpu, key=cpu.get)
        self.note("  processor time a sample: " + ", ".join(f"{name} {us:.1f}" for name, us in cpu.items()) + " µs")
        busy = rate * cpu[most] / 1e6
        self.note(f"  the bottleneck: {most}, {busy:.0%} of a processor" if busy > 0.7 else
                  f"  the bottleneck: no process is busy (most is {most}, {busy:.0%} of a processor): the writer waits, as the reliable "
                  "protocol has it, whenever the reader is full")

    def measure_import(self):
        self.title(f"The registry: {IMPORTED:,} devices at once")
        if not self.gateway.control:
            self.gateway.restart()
        path = self.folder / "devices.csv"
        path.write_text("name,endpoint,proof,key,profile\n" + "".join(
            f"imported-{n:05},field,psk,{os.urandom(16).hex()},meters\n" for n in range(IMPORTED)), encoding="ascii")
        for words, text, most in ((["import", path], "tidegatectl device import", 10), (["export"], "device export", None)):
            longest, begin = 0, time.monotonic()
            tool = subprocess.Popen([parts.BUILD / "tidegatectl", "--run", self.gateway.run, "device", *words],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            while tool.poll() is None:
                asked = time.monotonic()
                self.gateway.control.ask("outbox")
                longest = max(longest, time.monotonic() - asked)
                time.sleep(0.001)
            self.row(f"{words[0]}_s", text, time.monotonic() - begin, "s", 2, most=most)
            self.row(f"{words[0]}_longest_ms", "longest answer to another request meanwhile", longest * 1000, "ms", 1, most=50)
            if tool.returncode != 0:
                raise AssertionError(f"{text} ended with {tool.returncode}")

    def run(self):
        wanted = self.arguments.only
        steps = [("start", self.start), (None, self.prepare), ("speed", self.measure_speed),
                 ("rival", self.measure_rival), ("handshakes", self.measure_handshakes), ("resume", self.measure_resume),
                 ("flood", self.measure_flood),
                 ("storm", self.measure_storm), ("idle", self.measure_idle_sessions), ("outage", self.measure_outage),
                 ("bridge", self.measure_bridge), ("amqp", self.measure_amqp), ("dds", self.measure_dds), ("import", self.measure_import)]
        for name, step in steps:
            if wanted and name not in wanted and (name or wanted in (["rival"], ["import"], ["bridge"], ["amqp"], ["dds"])):
                continue
            try:
                step()
            except AssertionError as error:
                self.troubles.append(f"{name or 'preparation'}: {error}")
                self.note(f"!!! {error}")
                if name is None or name == "start":
                    break
        return 1 if self.troubles else 0

    def close(self):
        if self.gateway.end() != 0:
            self.troubles.append("tidegated did not end well")
        self.gateway.close()
        self.broker.stop()
        for line in self.gateway.complaints():
            if line.startswith("error"):
                print(f"  log: {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for each speed")
    parser.add_argument("--repeat", type=int, default=1, help="measure each speed so often, and take the middle one")
    parser.add_argument("--sensors", type=int, default=5000, help="the largest number of sensors")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[],
                        help="of: start, speed, rival, handshakes, resume, flood, storm, idle, outage, bridge, amqp, dds, import")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tidegate-bench-"))
    bench = Bench(arguments, folder)
    try:
        code = bench.run()
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.figures, indent=1), encoding="utf-8")
    return 1 if bench.troubles else code


if __name__ == "__main__":
    sys.exit(main())
