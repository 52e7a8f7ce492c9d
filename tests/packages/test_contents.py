# SPDX-License-Identifier: Apache-2.0
"""What the Debian packages hold: what lintian says, which machine they are for, what they stand on, what an upgrade keeps.

TG_PACKAGES names the folder with the packages of one architecture, as packaging/build-deb and packaging/cross make them, on a
machine that has the libraries that they were built with. No test here is of a running gateway: see tests/system for that.
"""
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import bill

PACKAGES = Path(os.environ.get("TG_PACKAGES") or Path(os.environ.get("TG_BUILD", "build")) / "packages")
ARCHITECTURE = os.environ.get("TG_ARCHITECTURE")
NAMES = {"tidegate", "tidegate-amqp", "tidegate-dds", "tidegate-dev", "tidegate-hypercat"}
ADAPTERS = ["amqp.so", "coap.so", "coap_client.so", "dds.so", "hypercat.so", "hypercat_client.so", "loopback.so", "mqtt.so"]
MACHINES = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64", "armhf": "ARM"}


def output(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if result.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


class Package:
    """One .deb, unpacked."""

    def __init__(self, path, folder):
        self.path, self.root, self.control = path, folder / "root", folder / "control"
        folder.mkdir()
        output("dpkg-deb", "-x", path, self.root)
        output("dpkg-deb", "-e", path, self.control)
        self.name, self.version, self.architecture = (self.field(name) for name in ("Package", "Version", "Architecture"))

    def field(self, name):
        return output("dpkg-deb", "-f", self.path, name).strip()

    def names(self, field):
        """The packages in a field, by name: the first of each choice."""
        return {re.split(r"[\s(:]", choice.strip())[0] for choice in re.split(r"[,|]", self.field(field))} - {""}

    def files(self):
        return sorted(path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())

    def programs(self):
        """The programs and libraries among the files."""
        return [path for path in self.files() if path.read_bytes()[:4] == b"\x7fELF"]

    def conffiles(self):
        path = self.control / "conffiles"
        return path.read_text(encoding="utf-8").split() if path.exists() else []


def needed(program):
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", output("readelf", "-dW", program))


@functools.cache
def triplet(architecture):
    return output("dpkg-architecture", "-a", architecture, "-qDEB_HOST_MULTIARCH").strip()


@functools.cache
def loaded(program):
    """Where the loader of this machine finds the libraries of one of its own programs: by name."""
    found = re.findall(r"^\s+(\S+) => (\S+)", output("ldd", program), re.MULTILINE)
    return dict(found) | {Path(path).name: path for path in re.findall(r"^\s+(/\S*ld-\S+)", output("ldd", program), re.MULTILINE)}


def find_library(name, program, architecture):
    if architecture == output("dpkg", "--print-architecture").strip():
        return Path(loaded(program)[name])
    return next(path for path in (Path(folder, triplet(architecture), name) for folder in ("/usr/lib", "/lib")) if path.exists())


@functools.cache
def owner(path):
    """(name, version) of the installed package that a library belongs to. dpkg may know it without the /usr of today."""
    real = path.resolve()
    for each in (path, real, Path("/", real.relative_to("/usr")) if real.is_relative_to("/usr") else real):
        found = subprocess.run(["dpkg-query", "-S", each], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            package = found.stdout.split(": ")[0].split(", ")[0]
            return package.split(":")[0], output("dpkg-query", "-W", "-f", "${Version}", package)
    raise AssertionError(f"no package has {path}")


def for_each(test):
    """A test of one package, for each of them."""
    @functools.wraps(test)
    def run(self):
        for package in self.packages:
            with self.subTest(package=package.name):
                test(self, package)
    return run


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="tidegate-contents-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        paths = [path for path in sorted(PACKAGES.glob(f"tidegate*_{ARCHITECTURE or '*'}.deb")) if "-dbgsym_" not in path.name]
        cls.packages = [Package(path, cls.folder / path.name) for path in paths]
        cls.architecture = cls.packages[0].architecture if cls.packages else None

    def test_all_are_there_in_one_version_for_one_machine(self):
        self.assertEqual({package.name for package in self.packages}, NAMES, PACKAGES)
        self.assertEqual(len(self.packages), len(NAMES), "packages of several versions or architectures: see TG_ARCHITECTURE")
        self.assertEqual(len({(package.version, package.architecture) for package in self.packages}), 1)
        for package in self.packages:
            symbols = PACKAGES / f"{package.name}-dbgsym_{package.version}_{package.architecture}.deb"
            self.assertEqual(symbols.exists(), bool(package.programs()), symbols)

    def test_lintian_finds_nothing(self):
        if not shutil.which("lintian"):
            self.skipTest("SKIPPED: no lintian here")
        changes = list(PACKAGES.glob(f"tidegate_*_{self.architecture}.changes"))
        self.assertEqual(len(changes), 1, changes)
        result = subprocess.run(["lintian", "--no-cfg", "--allow-root", "--pedantic", "-E", "-I", changes[0]], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    @for_each
    def test_each_override_of_lintian_has_its_reason(self, package):
        path = package.root / "usr/share/lintian/overrides" / package.name
        before = ""
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            self.assertTrue(line.startswith("#") or before.startswith("#"), line)
            before = line

    @for_each
    def test_programs_are_for_their_machine_in_its_places(self, package):
        for program in package.programs():
            header = output("readelf", "-hW", program)
            self.assertEqual(re.search(r"Machine:\s+(.+)", header)[1], MACHINES[package.architecture], program)
            self.assertEqual("hard-float ABI" in header, package.architecture == "armhf", program)
        places = {path.name for path in package.root.glob("usr/lib/*-linux-*")}
        self.assertEqual(places, {triplet(package.architecture)})

    def test_all_adapters_are_there(self):
        place = f"usr/lib/{triplet(self.architecture)}/tidegate/adapters/*"
        self.assertEqual(sorted(path.name for package in self.packages for path in package.root.glob(place)), ADAPTERS)

    @for_each
    def test_an_upgrade_keeps_what_the_operator_may_edit_and_that_alone(self, package):
        settings = sorted("/" + path.relative_to(package.root).as_posix() for path in package.files() if path.relative_to(package.root).parts[0] == "etc")
        self.assertEqual(settings, sorted(package.conffiles()))
        self.assertEqual(settings, ["/etc/apparmor.d/tidegated", "/etc/tidegate/tidegate.conf"] if package.name == "tidegate" else [])

    @for_each
    def test_nothing_is_anybodys_but_roots_or_writable_for_others(self, package):
        for line in output("dpkg-deb", "-c", package.path).splitlines():
            mode, user = line.split()[:2]
            self.assertEqual(user, "root/root", line)
            self.assertRegex(mode, r"^(d|-)rwxr-xr-x$|^-rw-r--r--$|^l", line)

    @for_each
    def test_adapters_come_and_go_with_their_gateway(self, package):
        own = f"tidegate (= {package.version})"
        self.assertEqual(own in package.field("Depends"), package.name not in ("tidegate", "tidegate-dev"))

    @for_each
    def test_bill_is_of_the_form_of_spdx(self, package):
        self.assertEqual(list(bill.flaws(self.bill(package))), [])

    def bill(self, package):
        return bill.read(package.root / f"usr/share/doc/{package.name}/{package.name}.spdx.json")

    @for_each
    def test_bill_names_each_file_with_its_content(self, package):
        document = self.bill(package)
        named = {file["fileName"]: {sum_["algorithm"]: sum_["checksumValue"] for sum_ in file["checksums"]} for file in document["files"]}
        own = f"./usr/share/doc/{package.name}/{package.name}.spdx.json"
        content = {"./" + path.relative_to(package.root).as_posix(): path.read_bytes() for path in package.files()}
        self.assertEqual(set(named), set(content) - {own})
        for name, sums in named.items():
            self.assertEqual(sums, {kind: hashlib.new(kind, content[name]).hexdigest() for kind in ("SHA1", "SHA256")}, name)

    @for_each
    def test_bill_names_what_the_programs_are_linked_with(self, package):
        """By the loader's answer and the database of packages; and by what the package depends on, which another tool found."""
        linked = bill.linked(self.bill(package))
        libraries = {find_library(name, program, package.architecture) for program in package.programs() for name in needed(program)}
        self.assertEqual(linked, dict(map(owner, libraries)))
        self.assertEqual(set(linked), {name for name in package.names("Depends") if name.startswith("lib")})
        self.assertEqual(bool(linked), bool(package.programs()))

    @for_each
    def test_bill_is_of_this_package(self, package):
        own = bill.described(self.bill(package))
        self.assertEqual((own["name"], own["versionInfo"]), (package.name, package.version))


if __name__ == "__main__":
    unittest.main(verbosity=2)
