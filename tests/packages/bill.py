# SPDX-License-Identifier: Apache-2.0
"""Bills of materials: SPDX 2.3 in JSON, as far as ours go. Debian has no tool that checks one; so the rules of the specification
that apply are here, by its own sections."""
import hashlib
import json
import re

ID = r"^SPDXRef-[A-Za-z0-9.-]+$"  # 3.2: letters, numbers, "." and "-"
HEAD = {"spdxVersion": r"^SPDX-2\.3$", "dataLicense": r"^CC0-1\.0$", "SPDXID": r"^SPDXRef-DOCUMENT$", "name": r".",
        "documentNamespace": r"^[a-z][a-z0-9+.-]*:[^#\s]+$"}  # 6.1 to 6.5
PACKAGE = {"SPDXID": ID, "name": r".", "versionInfo": r".", "supplier": r"^(NOASSERTION|(Person|Organization): .+)$",
           "downloadLocation": r"^NOASSERTION$"}  # 7
FILE = {"SPDXID": ID, "fileName": r"^\./."}  # 8
RELATION = {"relationshipType": r"^(DESCRIBES|CONTAINS|DYNAMIC_LINK|STATIC_LINK)$"}  # 11.1
PURL = r"^pkg:deb/debian/[a-z0-9.%-]+@[^\s@?+]+\?arch=[a-z0-9]+$"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def described(document):
    """The package that the document is about."""
    name = next(each["relatedSpdxElement"] for each in document["relationships"] if each["relationshipType"] == "DESCRIBES")
    return next(package for package in document["packages"] if package["SPDXID"] == name)


def linked(document):
    """The packages that the programs are linked with: version by name."""
    packages = {package["SPDXID"]: package for package in document["packages"]}
    found = [packages[each["relatedSpdxElement"]] for each in document["relationships"] if each["relationshipType"] == "DYNAMIC_LINK"]
    return {package["name"]: package["versionInfo"] for package in found}


def check_fields(element, rules, place):
    for name, pattern in rules.items():
        if not re.search(pattern, str(element.get(name, ""))):
            yield f"{place}: {name} is {element.get(name)!r}"


def check_references(document):
    ids = [element["SPDXID"] for element in [document, *document["packages"], *document["files"]]]
    if len(ids) != len(set(ids)):
        yield "an identifier is there twice"
    for each in document["relationships"]:
        yield from check_fields(each, RELATION, "a relationship")
        for end in ("spdxElementId", "relatedSpdxElement"):
            if each[end] not in ids:
                yield f"a relationship names {each[end]}, which is not there"


def check_packages(document):
    for package in document["packages"]:
        place = f"package {package.get('name')}"
        yield from check_fields(package, PACKAGE, place)
        for reference in package.get("externalRefs", []):
            yield from check_fields(reference, {"referenceCategory": "^PACKAGE-MANAGER$", "referenceType": "^purl$", "referenceLocator": PURL}, place)
        if package.get("filesAnalyzed") and not package.get("licenseInfoFromFiles"):
            yield f"{place}: its files were analysed, and it names no licence of theirs"  # 7.14


def check_verification_code(document):
    """7.9: the checksum of all checksums."""
    sums = sorted(each["checksumValue"] for file in document["files"] for each in file["checksums"] if each["algorithm"] == "SHA1")
    code = described(document)["packageVerificationCode"]["packageVerificationCodeValue"]
    if code != hashlib.sha1("".join(sums).encode()).hexdigest():
        yield "the verification code is not that of the files"


def flaws(document):
    """What is not as the specification wants it, a sentence each."""
    yield from check_fields(document, HEAD, "the document")
    yield from check_fields(document["creationInfo"], {"created": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}, "the document")  # 6.9
    if not all(re.search(r"^(Tool|Person|Organization): .", creator) for creator in document["creationInfo"]["creators"] or [""]):
        yield "a creator is neither tool, person nor organization"  # 6.8
    for file in document["files"]:
        yield from check_fields(file, FILE, f"file {file.get('fileName')}")
    yield from check_packages(document)
    yield from check_references(document)
    yield from check_verification_code(document)
