"""What an image is made of: sbom.py PACKAGES LOCK CRATES TREE NAME VERSION EPOCH SBOM LICENCES

Writes a CycloneDX 1.6 bill (ECMA-424) of the Debian packages that are in the image and of the crates that are in the binary, and
a list of their licences. PACKAGES has a line a package: name, version, architecture, source, version of the source; LOCK
their hashes; CRATES is what `cargo metadata` said. The same input gives the same bytes.
"""

import datetime
import json
import pathlib
import re
import sys
import urllib.parse
import uuid

packages, lock, crates, tree, name, version, epoch, to_sbom, to_licences = sys.argv[1:]


def lines(path):
    for line in pathlib.Path(path).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def licences_of(package):
    """Short names that a package's copyright file declares (Debian's machine-readable format 1.0), or nothing."""
    path = pathlib.Path(tree, "usr/share/doc", package, "copyright")
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    found = re.findall(r"^License:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE) if "Format:" in text[:400] else []
    return sorted(set(found))


def debian():
    hashes = {(p, v): h for p, v, _, _, h in lines(lock)}
    for package, number, architecture, source, source_number in lines(packages):
        at = urllib.parse.quote(number, safe="~")
        purl = f"pkg:deb/debian/{package.replace('+', '%2B')}@{at}?arch={architecture}&distro=trixie"
        yield {
            "type": "library",
            "bom-ref": purl,
            "supplier": {"name": "Debian"},
            "name": package,
            "version": number,
            "hashes": [{"alg": "SHA-256", "content": hashes[package, number]}],
            "purl": purl,
            "properties": [
                {"name": "debian:source", "value": source},
                {"name": "debian:source-version", "value": source_number},
            ],
        }, licences_of(package)


def rust():
    """Crates that the binary is built of: neither those of its tests, nor those of other platforms."""
    said = json.loads(pathlib.Path(crates).read_text())
    by_id = {package["id"]: package for package in said["packages"]}
    needs = {node["id"]: node["deps"] for node in said["resolve"]["nodes"]}
    todo = [i for i, package in by_id.items() if package["name"] == "vigie" and package["source"] is None]
    seen = set()
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [d["pkg"] for d in needs[one] if any(kind["kind"] != "dev" for kind in d["dep_kinds"])]
    for package in sorted((by_id[i] for i in seen), key=lambda p: (p["name"], p["version"])):
        purl = f"pkg:cargo/{package['name']}@{package['version']}"
        part = {"type": "library", "bom-ref": purl, "name": package["name"], "version": package["version"]}
        if package["source"]:
            part["purl"] = purl
        yield part, [package["license"] or "see its source"]


parts, table = [], []
for kind, found in (("deb", debian()), ("crate", rust())):
    for part, licences in found:
        if licences and kind == "crate":
            part["licenses"] = [{"expression": licences[0].replace("/", " OR ")}]
        elif licences:
            part["licenses"] = [{"license": {"name": text}} for text in licences]
        parts.append(part)
        table.append(f"{kind}\t{part['name']}\t{part['version']}\t{', '.join(licences) or 'see /usr/share/doc/' + part['name']}")

bill = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {
        "timestamp": datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "component": {"type": "operating-system", "bom-ref": "image", "name": name, "version": version},
    },
    "components": parts,
}
content = json.dumps(bill, sort_keys=True)
bill["serialNumber"] = "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, content))
pathlib.Path(to_sbom).write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n")
pathlib.Path(to_licences).write_text("\n".join(table) + "\n")
