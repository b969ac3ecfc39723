#!/usr/bin/env python3
"""Tests of tools/check_scenarios: a small project that it finds in order, and one fault at a time."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent / "check_scenarios"

CATALOGUE = """\
# 4.4 References
R-01
R-02
R-03

# 4.7 Alternates
A-01
"""

ROWS = {
    "R-01": ("4.4", "a branch is created", "ported", "`refs_create.txt`, `RefTest.Creates`"),
    "R-02": ("4.4", "a file is locked", "superseded", "there are no such files; `RefTest.Creates`"),
    "R-03": ("4.4", "a push", "ported", "`e2e/push.sh`"),
    "A-01": ("4.7", "a fork", "later", "**forks**"),
}

LISTED = """\
RefTest.
  Creates
Modes/RandomTest.
  Agrees/local  # GetParam() = "local"
"""


class CheckScenariosTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.rows = dict(ROWS)
        self.write("test/scenarios/CATALOGUE", CATALOGUE)
        self.write("test/scenarios/refs_create.txt", "# A branch.\n# Scenarios: R-01.\nopen\n")
        self.write("test/e2e/push.sh", "#!/usr/bin/env bash\n# Scenarios: R-03.\n")
        self.write("build/src/ref_test", f"#!/bin/sh\ncat <<'END'\n{LISTED}END\n").chmod(0o755)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def check(self):
        text, before = "", None
        for name, (section, story, status, why) in self.rows.items():
            if section != before:
                text += f"\n## {section} A section\n\n| id | story | status | where / why |\n|---|---|---|---|\n"
                before = section
            text += f"| {name} | {story} | {status} | {why} |\n"
        self.write("docs/scenarios.md", text)
        done = subprocess.run([TOOL, "--root", self.root, "--build", self.root / "build"],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def change(self, name, **cells):
        section, story, status, why = self.rows[name]
        self.rows[name] = (cells.get("section", section), cells.get("story", story),
                           cells.get("status", status), cells.get("why", why))

    def assert_fault(self, expected):
        status, output = self.check()
        self.assertIn(expected, output)
        self.assertEqual(status, 1, output)

    def test_in_order(self):
        status, output = self.check()
        self.assertEqual(status, 0, output)
        self.assertIn("4 ids: 2 ported, 1 superseded, 1 later; 0 faults", output)

    def test_id_missing(self):
        del self.rows["R-02"]
        self.assert_fault("R-02 of section 4.4 is missing")

    def test_id_unknown(self):
        self.rows["A-99"] = ("4.7", "a story", "later", "**forks**")
        self.assert_fault("A-99: is not in the catalogue")

    def test_id_in_another_section(self):
        self.change("R-03", section="4.7")
        self.assert_fault("R-03: belongs to section 4.4")

    def test_no_story(self):
        self.change("R-02", story="")
        self.assert_fault("R-02: says no story")

    def test_unknown_status(self):
        for status in ("done", "open"):
            self.change("R-02", status=status)
            self.assert_fault(f"R-02: has the unknown status '{status}'")

    def test_script_does_not_exist(self):
        self.change("R-01", why="`refs_vanish.txt`")
        self.assert_fault("the test refs_vanish.txt does not exist")

    def test_unit_test_does_not_exist(self):
        self.change("R-01", why="`refs_create.txt`, `RefTest.Vanishes`")
        self.assert_fault("the test RefTest.Vanishes does not exist")

    def test_unit_test_with_parameters_goes_by_its_bare_name(self):
        self.change("R-01", why="`refs_create.txt`, `RandomTest.Agrees`")
        self.assertEqual(self.check()[0], 0)

    def test_ported_names_no_test(self):
        self.change("R-01", why="somewhere in `src/txn`")
        self.assert_fault("R-01: names no test")

    def test_script_does_not_claim_the_story(self):
        self.write("test/scenarios/refs_create.txt", "# A branch.\nopen\n# Scenarios: R-01.\n")
        self.assert_fault("R-01: refs_create.txt does not say that it tells this story")

    def test_script_claims_another_story(self):
        self.write("test/scenarios/refs_create.txt", "# Scenarios: R-01, R-02.\nopen\n")
        self.assert_fault("refs_create.txt: claims R-02, whose row does not name it as ported")

    def test_superseded_without_reason(self):
        self.change("R-02", why="`RefTest.Creates`")
        self.assert_fault("R-02: says no reason")

    def test_superseded_without_test(self):
        self.change("R-02", why="there are no such files")
        self.assert_fault("R-02: names no test")

    def test_later_for_nothing_known(self):
        self.change("A-01", why="**time**")
        self.assert_fault("A-01: waits for none of forks")

    def test_later_that_may_not_wait(self):
        self.change("R-02", status="later", why="**forks**")
        self.assert_fault("R-02: section 4.4 may not wait for forks")

    def test_nothing_built(self):
        self.write("build/src/ref_test", "#!/bin/sh\n").chmod(0o755)
        self.assert_fault("no test binary lists a test")


if __name__ == "__main__":
    sys.exit(unittest.main())
