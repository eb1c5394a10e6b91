"""The least that an audit must do, and nothing else: read everything once and decode it into objects.

python benchmarks/floor.py manifests DIRECTORY    PyYAML's C loader, then msgspec; one process
python benchmarks/floor.py cluster ADDRESS        every LIST, 500 objects a page, then msgspec; one thread
                   cluster ADDRESS TOKEN CERTIFICATE    the same of a real API server
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def manifests(directory: str) -> int:
    import msgspec
    import yaml

    from fixtures.snapshot.kinds import by_api

    found = []
    for path in sorted(Path(directory).rglob("*.yaml")):
        for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            kind = by_api(document["apiVersion"], document["kind"])
            if kind is not None:
                found.append(msgspec.convert(document, kind.model))
    return len(found)


def cluster(address: str, token: str = "", authority: str | None = None) -> int:
    import msgspec
    import urllib3

    from fixtures.snapshot.kinds import ALL

    class Metadata(msgspec.Struct):
        continue_: str = msgspec.field(default="", name="continue")

    pool = urllib3.PoolManager(ca_certs=authority)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    found = []
    for kind in ALL:
        fields = [("items", list[kind.model], []), ("metadata", Metadata, msgspec.field(default_factory=Metadata))]
        decoder = msgspec.json.Decoder(msgspec.defstruct("Page", fields))
        prefix = f"/apis/{kind.group}/{kind.versions[0]}" if kind.group else f"/api/{kind.versions[0]}"
        token = ""
        while True:
            query = f"?limit=500&continue={token}" if token else "?limit=500"
            answer = pool.request("GET", f"{address}{prefix}/{kind.plural}{query}", headers=headers)
            if answer.status != 200:
                break
            page = decoder.decode(answer.data)
            found += page.items
            token = page.metadata.continue_
            if not token:
                break
    return len(found)


if __name__ == "__main__":
    gc.disable()
    print({"manifests": manifests, "cluster": cluster}[sys.argv[1]](*sys.argv[2:]))
