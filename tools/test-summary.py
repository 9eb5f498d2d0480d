#!/usr/bin/env python3
"""Sums up a test run from Meson's log. Usage: test-summary.py build/meson-logs/testlog.json

A program that prints a line for each of its tests, or a summary of them, counts with each of them; any other program is
one test. The last line is "N passed, N failed"; the exit status is 0 if none failed.
"""
import json
import re
import sys

LINE_PASSED = re.compile(r"^ok .+|^\S+ +\S+ +ok$", re.M)  # the second form is checkasm's
LINE_FAILED = re.compile(r"^not ok .+|^\S+ +\S+ +FAILED$", re.M)
SUMMARY = re.compile(r"^.*\b\d+ (?:passed|failed)\b.*$", re.M)  # pytest's, for one


def number(word, line):
    match = re.search(rf"(\d+) {word}\b", line)
    return int(match.group(1)) if match else 0


def count(test):
    """(passed, failed) of one program: from its own summary if it ends with one, else from its lines."""
    out = test.get("stdout") or ""
    summaries = SUMMARY.findall(out)
    if summaries:
        passed, failed = number("passed", summaries[-1]), number("failed", summaries[-1])
    else:
        passed, failed = len(LINE_PASSED.findall(out)), len(LINE_FAILED.findall(out))
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return (passed or 1), failed
    if test["result"] == "SKIP":
        return passed, failed
    return passed, (failed or 1)  # it crashed, or ran out of time


def main():
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            p, f = count(json.loads(line))
            passed += p
            failed += f
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
