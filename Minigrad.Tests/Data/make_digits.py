#!/usr/bin/env python3
"""Writes Minigrad.Core/Data/digits.csv.gz from scikit-learn's copy of the UCI optical digits.

Needs Debian's python3-sklearn. The split is made here, once and for all: 20 % of each class, chosen with a fixed seed,
are for testing. The output does not depend on when or where it is made.
"""
import csv
import gzip
import io
import pathlib

import numpy
import sklearn.datasets

SEED = 20260101
TEST_SHARE = 0.2


def main():
    digits = sklearn.datasets.load_digits()
    pixels = digits.data.astype(int)
    labels = digits.target.astype(int)
    is_test = numpy.zeros(len(labels), dtype=int)
    random = numpy.random.RandomState(SEED)
    for digit in range(10):
        rows = numpy.flatnonzero(labels == digit)
        random.shuffle(rows)
        is_test[rows[: round(TEST_SHARE * len(rows))]] = 1

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"pixel{i}" for i in range(64)] + ["label", "test"])
    for row in range(len(labels)):
        writer.writerow([*pixels[row], labels[row], is_test[row]])

    target = pathlib.Path(__file__).parents[2] / "Minigrad.Core" / "Data" / "digits.csv.gz"
    target.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    print(f"{len(labels)} images, {is_test.sum()} for testing, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
