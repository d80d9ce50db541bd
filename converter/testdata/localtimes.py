#!/usr/bin/env python3
"""Writes localtimes.txt.gz: local times in twelve zones and the moments in UTC
at which clocks showed them, computed by Python's zoneinfo, an implementation
that shares nothing with Go's.

    python3 localtimes.py

A line is "zone,local time,UTC...": no UTC is a time that never came (a gap),
two are one that came twice (an overlap), the earlier one first. Random times are
drawn from 1970 to 2037; every change of the clocks from 2009 to 2030 adds
the times at its edges and inside it. The seed is fixed, so that the file
changes only with the zone database (made with 2026f; PYTHONTZPATH names the
folder of another release than the machine's).
"""

import gzip
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

ZONES = [
    "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Kolkata",
    "Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Pacific/Auckland", "America/Havana", "Antarctica/Troll",
]
RANDOM_TIMES = 10_000
SECOND = timedelta(seconds=1)


def moments(wall, zone):
    """The moments at which the zone's clocks showed wall."""
    found = set()
    for fold in (0, 1):
        utc = wall.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc)
        if utc.astimezone(zone).replace(tzinfo=None) == wall:
            found.add(utc)
    return sorted(found)


def changes(zone, first, last):
    """The changes of the zone's offset, as (moment, offset before, offset after)."""
    at = datetime(first, 1, 1, tzinfo=timezone.utc)
    end = datetime(last + 1, 1, 1, tzinfo=timezone.utc)
    offset = at.astimezone(zone).utcoffset()
    while at < end:
        after = at + timedelta(hours=6)
        new = after.astimezone(zone).utcoffset()
        if new != offset:
            low, high = at, after
            while high - low > SECOND:
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if middle.astimezone(zone).utcoffset() == offset:
                    low = middle
                else:
                    high = middle
            yield high, offset, new
            offset = new
        at = after


def main():
    draw = random.Random(2026)
    rows = []
    for _ in range(RANDOM_TIMES):
        name = draw.choice(ZONES)
        wall = datetime(1970, 1, 2) + timedelta(seconds=draw.randrange(68 * 365 * 86400))
        rows.append((name, wall))
    for name in ZONES:
        for at, before, after in changes(ZoneInfo(name), 2009, 2030):
            utc = at.replace(tzinfo=None)
            low, high = sorted((utc + before, utc + after))
            middle = low + (high - low) // 2
            for wall in (low - SECOND, low, low + SECOND, middle, high - SECOND, high, high + SECOND):
                rows.append((name, wall))
    lines = []
    for name, wall in rows:
        utc = [u.strftime("%Y-%m-%d %H:%M:%S") for u in moments(wall, ZoneInfo(name))]
        lines.append(",".join([name, wall.strftime("%Y-%m-%d %H:%M:%S")] + utc))
    text = "\n".join(lines) + "\n"
    path = Path(__file__).with_name("localtimes.txt.gz")
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as out:
        out.write(text.encode())


if __name__ == "__main__":
    main()
