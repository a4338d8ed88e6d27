"""Write the golden files anew: ``python -m tests.golden.renew``. Then read the difference, line by line."""

from __future__ import annotations

from tests.golden.examples import FOLDER, STACKS, as_text, document_of, golden_file, recorded


def main() -> None:
    """One file per example stack; those of stacks that are gone are removed."""
    wanted = {golden_file(stack): as_text(document_of(recorded(stack))) for stack in STACKS}
    for path in sorted(set(FOLDER.glob("*.json")) - set(wanted)):
        path.unlink()
        print(f"removed {path.name}")
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
