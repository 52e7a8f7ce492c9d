# SPDX-License-Identifier: Apache-2.0
"""What each unit is exposed to, as systemd-analyze reckons it: no more than what the service really needs; the AppArmor profile that
the service names; and the journal's catalog, which explains every id that the gateway logs with."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Tenths. What is left is the network and its sockets.
HIGHEST = 12
# It brings the packages of the version before back: what installs packages has to be free to do anything.
INSTALLS_PACKAGES = {"tidegate-return.service"}


def catalog_is_whole():
    """The ids in the code and those in the catalog are the same."""
    source = Path(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
    in_code = set(re.findall(r'"([0-9a-f]{32})"', (source / "daemon/core/events.h").read_text(encoding="utf-8")))
    catalog = (source / "systemd/tidegate.catalog").read_text(encoding="utf-8")
    explained = set(re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE))
    print(f"{len(in_code)} ids are logged, {len(explained)} explained; the difference: {sorted(in_code ^ explained)}")
    return bool(in_code) and in_code == explained


def profile_is_sound(parser):
    """It has the name that the service asks for, and the parser, where there is one, understands it. What it does shows on a kernel
    with AppArmor alone."""
    source = Path(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
    profile, unit = source / "packaging/debian/tidegated.apparmor", source / "systemd/tidegate.service.in"
    asked = re.search(r"^AppArmorProfile=-(\S+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    if not asked or not re.search(rf"^profile {asked[1]} ", profile.read_text(encoding="utf-8"), re.MULTILINE):
        print(f"{unit} does not ask for the profile in {profile}")
        return False
    if not parser:
        return True
    result = subprocess.run([parser, "-QTK", "--features-file", "/usr/share/apparmor-features/features", profile],
                            capture_output=True, encoding="utf-8", check=False)
    print(f"{profile.name}: parsed with {result.returncode}", result.stdout, result.stderr)
    return result.returncode == 0


def units_are_shut_in():
    build = Path(os.environ.get("TG_BUILD", "."))
    units = sorted(unit for unit in build.glob("systemd/*.service") if unit.name not in INSTALLS_PACKAGES)
    good = bool(units)
    for unit in units:
        command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={HIGHEST}", unit]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        level = re.search(r"Overall exposure level for \S+: (\S+)", result.stdout)
        print(f"{unit.name}: exposure {level[1] if level else 'unknown'}, allowed {HIGHEST / 10}")
        if result.returncode or not level:
            print(result.stdout, result.stderr)
            good = False
    return good


def main():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    tools = {name: shutil.which(name, path=path) for name in ("apparmor_parser", "systemd-analyze")}
    good = [catalog_is_whole(), profile_is_sound(tools["apparmor_parser"]), not tools["systemd-analyze"] or units_are_shut_in()]
    missing = [name for name, place in tools.items() if not place]
    if all(good) and missing:
        print(f"SKIPPED: missing here: {', '.join(missing)}: not all of the units and the profile was checked")
        sys.exit(77)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
