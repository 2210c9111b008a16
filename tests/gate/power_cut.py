"""A writer to be killed: appends records to a spool and says each number once it returned.

``python -m tests.gate.power_cut FOLDER FULL|OFF BOOT`` runs until it is killed.
"""

import itertools
import sys
from pathlib import Path

from nacl.public import PrivateKey

from passlight.gate.spool import FILE, Spool

KEY = PrivateKey(bytes(range(32)))


def content(boot: int, seq: int) -> bytes:
    return f"record {boot}:{seq}".encode()


def main() -> None:
    folder, synchronous, boot = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    assert synchronous in {"FULL", "OFF"}
    spool = Spool(folder / FILE, boot=boot, rows_max=10_000, synchronous=synchronous)  # type: ignore[arg-type]
    for _ in itertools.count():
        row = spool.append(lambda seq: content(boot, seq), key=KEY.public_key)
        print(row.seq, flush=True)


if __name__ == "__main__":
    main()
