# SPDX-License-Identifier: Apache-2.0
"""A clock of its own for the gateway and its endpoint processes: it can be set at any time, and be synchronised or not."""
import struct
import time
from datetime import datetime, timezone

from .gateway import BUILD, SANITIZED, SOURCE
from .process import compile_c

DAY_S = 86400


def seconds(text):
    """Of an RFC 3339 time in UTC, or of a date."""
    text = text.replace("Z", "+00:00")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


class FakeClock:
    """Set it up before the gateway is started the first time."""

    def __init__(self, folder, gateway):
        self._file, library = folder / "fake-clock", folder / "fake_clock.so"
        compile_c("-shared", "-fPIC", "-o", library, SOURCE / "tests/integration/fake_clock.c")
        self._file.write_bytes(bytes(16))
        self.offset_s, self.synchronised = 0, False
        settings = {"LD_PRELOAD": str(library), "FAKE_CLOCK": str(self._file)}
        if SANITIZED:
            settings["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        program = folder / "endpoint"
        words = " ".join(f"{name}='{value}'" for name, value in settings.items())
        program.write_text(f"#!/bin/sh\n{words} exec '{BUILD / 'tidegate-endpoint'}' \"$@\"\n", encoding="ascii")
        program.chmod(0o755)
        gateway.environment.update(settings)
        gateway.endpoint_program = program

    def set(self, moment, synchronised=False):
        """The clock says this from now on (seconds since 1970, or RFC 3339), and goes on from there."""
        moment = seconds(moment) if isinstance(moment, str) else moment
        self._write(round(moment - time.time()), synchronised)

    def right(self, synchronised=False):
        self._write(0, synchronised)

    def _write(self, offset_s, synchronised):
        self.offset_s, self.synchronised = offset_s, synchronised
        with open(self._file, "r+b") as file:
            file.write(struct.pack("=qq", offset_s, synchronised))
