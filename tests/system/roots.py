# SPDX-License-Identifier: Apache-2.0
"""Debian in a folder, made by mmdebstrap from where this machine gets its own packages: to build the project's packages in, and to boot."""
import os
import subprocess
from pathlib import Path

from box import Box, Failed, call

SOURCE = Path(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
# What the clients and the broker of the tests need beside what the package asks for.
TOOLS = ["dbus", "iproute2", "libcoap3-bin", "mosquitto", "mosquitto-clients", "openssl", "procps", "systemd", "systemd-sysv"]


class NoDebian(Failed):
    """It cannot be had here."""


def sources_of(release):
    """The lines of sources.list for a release: from where this machine gets its own packages."""
    _, text = call("apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(COMPONENT)", "Created-By: Packages")
    places = {tuple(line.split()) for line in text.splitlines() if len(line.split()) == 3}
    bases = sorted({uri for uri, origin, component in places if origin == "Debian" and component == "main"})
    lines = [f"deb {uri} {release + '-security' if 'security' in uri else release} main" for uri in bases]
    if not lines:
        raise NoDebian("apt knows no place for Debian's packages here (apt-get update first)")
    return lines


def runtime_packages(packages):
    """What the packages depend on, by name: the first of each choice, and none of those that are among them."""
    own = {call("dpkg-deb", "-f", path, "Package")[1].strip() for path in packages}
    text = ",".join(call("dpkg-deb", "-f", path, "Depends")[1].strip() for path in packages)
    names = {choice.split("|")[0].split("(")[0].strip() for choice in text.split(",")}
    return sorted(name for name in names if name and name not in own)


def make_debian(folder, release, names):
    """A Debian of this release with these packages in it."""
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(sorted(set(names)))}", release, str(folder), "-"]
    try:
        result = subprocess.run(command, input="\n".join(sources_of(release)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=1800, check=False)
    except subprocess.TimeoutExpired as problem:
        raise NoDebian(str(problem)) from problem
    if result.returncode:
        raise NoDebian(f"mmdebstrap ended with {result.returncode}:\n{result.stdout[-3000:]}")


def make_root(folder, release, packages):
    """One that the packages can be installed in without anything from elsewhere."""
    make_debian(folder, release, TOOLS + runtime_packages(packages))


def probe(folder, release):
    """Whether a small box of this release comes up here at all: raises Failed where it does not."""
    make_debian(folder, release, ["dbus", "systemd", "systemd-sysv"])
    box = Box(folder)
    try:
        box.prepare()
        box.boot()
    finally:
        box.power_off(hard=True)


def own_release():
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return next((line.split("=")[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")), "")


def needed_to_build():
    text = (SOURCE / "packaging/packages").read_text(encoding="utf-8")
    pairs = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return ["build-essential", *(name for group, name in pairs if group in ("build", "package"))]


def build_packages(folder, release):
    """The project's packages, built on that release: here if this is one, else in a Debian of its own. Returns their folder."""
    out = folder / "packages"
    build = SOURCE / "packaging/build-deb"
    options = f"parallel={os.cpu_count()} noautodbgsym"
    if release == own_release():
        call(build, "--out", out, env={**os.environ, "DEB_BUILD_OPTIONS": options}, deadline_s=3600)
        return out
    root = folder / "build"
    make_debian(root, release, needed_to_build())
    call(build, "--copy", root / "srv/tidegate")
    call("systemd-nspawn", "--quiet", "-D", root, "--register=no", "--keep-unit", "--private-network", "--pipe",
         "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", f"DEB_BUILD_OPTIONS={options}",
         "/srv/tidegate/packaging/build-deb", "--out", "/srv/packages", deadline_s=3600)
    out.mkdir()
    for path in (root / "srv/packages").glob("*.deb"):
        path.rename(out / path.name)
    call("rm", "-rf", "--one-file-system", root)
    return out
