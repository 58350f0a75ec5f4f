"""Names of files as they are found on disks, each with the issue that a person takes it for.

Each case names the series as Metron has it; the file often spells it otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CASES", "UNKNOWN", "Case"]


class Case(NamedTuple):
    """A file, and the issue it means.

    Attributes:
        file: Its name.
        series: The series on the server.
        began: Year in which the series began.
        number: The issue's number on the server.
        cover: Year of the cover.
        volume: Volume of the series on the server.
        alt: Another name of the series.
        alone: Whether it is the only issue of its series.
    """

    file: str
    series: str
    began: int
    number: str
    cover: int
    volume: int = 1
    alt: str = ""
    alone: bool = False


CASES = [
    # dashes that stand for slashes and colons, underscores for spaces
    Case("Batman_-_Superman_#020_(2021)_(digital).cbr", "Batman/Superman", 2019, "20", 2021, 2),
    Case(
        "Aquaman - Green Arrow - Deep Target #01 (of 07) (2021) (digital).cbr",
        "Aquaman/Green Arrow: Deep Target",
        2021,
        "1",
        2021,
    ),
    Case(
        "Star Wars - Darth Vader 012 (2018) (Digital).cbz",
        "Star Wars: Darth Vader",
        2017,
        "12",
        2018,
        2,
    ),
    Case(
        "Once & Future 005 (2019) (Digital) (Zone-Empire).cbz", "Once and Future", 2019, "5", 2020
    ),
    Case("Archer and Armstrong 003 (2012).cbz", "Archer & Armstrong", 2012, "3", 2012, 2),
    Case("Assassins Creed - Uprising 03 (2017).cbz", "Assassin's Creed: Uprising", 2017, "3", 2017),
    Case("Asterix - 01 - Asterix le Gaulois (1961).cbr", "Astérix", 1961, "1", 1961),
    Case("Amazing Spider-Man, The 013 (1964).cbz", "The Amazing Spider-Man", 1963, "13", 1964),
    Case("Amazing Spiderman 014 (1964).cbz", "The Amazing Spider-Man", 1963, "14", 1964),
    Case(
        "Amazing Spider-Man #078.BEY (2022) (Digital) (Zone-Empire).cbr",
        "The Amazing Spider-Man",
        2018,
        "78.BEY",
        2022,
        5,
    ),
    # volumes, and volumes that are years
    Case("Action Spy Tales v1965 #3.cbr", "Action Spy Tales", 1965, "3", 1965),
    Case("Daredevil v5 #001 (2016).cbz", "Daredevil", 2016, "1", 2016, 5),
    Case("Wolverine (2010) #017 (2012).cbz", "Wolverine", 2010, "17", 2012, 4),
    Case(
        "Elephantmen 2259 #008 - Simple Truth 03 (of 06) (2021) (digital).cbr",
        "Elephantmen 2259",
        2019,
        "8",
        2021,
    ),
    Case("2000AD 2123 (2019).cbz", "2000 AD", 1977, "2123", 2019),
    # covers are dated ahead
    Case("Saga 056 (2021) (Digital).cbz", "Saga", 2012, "56", 2022),
    # numbers
    Case("Wizard ½ (1994).cbz", "Wizard", 1991, "1/2", 1994),
    Case("Generation X -1 (1997).cbz", "Generation X", 1994, "-1", 1997),
    Case("Detective Comics #000 (2012).cbz", "Detective Comics", 2011, "0", 2012, 2),
    Case(
        "Wolverine and the X-Men 27.AU (2013).cbz",
        "Wolverine & the X-Men",
        2011,
        "27AU",
        2013,
    ),
    # annuals and one-shots
    Case(
        "The Defenders v1 Annual #01 (1976) (Digital).cbr", "The Defenders Annual", 1976, "1", 1976
    ),
    Case("X-Men Annual 03 (1979).cbz", "X-Men Annual", 1970, "3", 1979),
    Case(
        "Batman - The Killing Joke (1988) (Digital).cbz",
        "Batman: The Killing Joke",
        1988,
        "1",
        1988,
        alone=True,
    ),
    Case(
        "Goblin (2021) (digital) (Son of Ultron-Empire).cbr", "Goblin", 2021, "1", 2021, alone=True
    ),
    Case("X-Men Annual 2021 (2021) (Digital).cbz", "X-Men Annual", 2021, "1", 2021, alone=True),
    Case(
        "Blade Runner Free Comic Book Day 2021 (2021) (digital-Empire).cbr",
        "Blade Runner Free Comic Book Day 2021",
        2021,
        "1",
        2021,
        alone=True,
    ),
    # renamed
    Case(
        "Captain Wonder 004 (1992).cbz", "Doctor Marvellous", 1991, "4", 1992, alt="Captain Wonder"
    ),
    Case(
        "Marvel Two In One V1 #090  c2c (Comixbear-DCP).cbr", "Marvel Two-in-One", 1974, "90", 1982
    ),
    Case("The Magic Order 2 #06 (2022) (Digital).cbz", "The Magic Order 2", 2021, "6", 2022, 2),
    Case("Batman - Superman 003 (2014) (Digital).cbz", "Batman/Superman", 2013, "3", 2014),
    Case("Batman 003 (2014) (Digital).cbz", "Batman", 2011, "3", 2014, 2),
    # other scripts
    Case("Атака титанов 003 (2010).cbz", "Атака титанов", 2010, "3", 2010),
    Case("進撃の巨人 007 (2012).cbz", "進撃の巨人", 2009, "7", 2012),
    Case("El Eternauta #1 (1957).cbz", "El Eternauta", 1957, "1", 1957),
    # no year, and nothing else by this name
    Case("Blue Lightning 7.cbz", "Blue Lightning", 2003, "7", 2003),
]

UNKNOWN = [
    "Zanzibar Detectives 004 (1999).cbz",
    "Blue Lightning 99.cbz",
    "Saga 057 (1985).cbz",
]
"""Files whose issues the server does not have, although it has series that are named alike."""
