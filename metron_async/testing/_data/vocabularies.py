"""Choices of the server, and the words of the generated catalogue."""

from __future__ import annotations

ROLES = (
    "Writer",
    "Script",
    "Story",
    "Plot",
    "Artist",
    "Penciller",
    "Inker",
    "Colorist",
    "Letterer",
    "Cover",
    "Editor",
    "Translator",
    "Production",
    "Designer",
)
SERIES_TYPES = {
    1: "Ongoing Series",
    2: "Annual Series",
    5: "One-Shot",
    8: "Hardcover",
    9: "Omnibus",
    10: "Trade Paperback",
    11: "Limited Series",
    12: "Digital Chapter",
    13: "Single Issue",
    15: "Graphic Novel",
}
RATINGS = ("Unknown", "Everyone", "Teen", "Teen Plus", "Mature", "CCA")
GENRES = (
    "Adult",
    "Adventure",
    "Comedy",
    "Crime",
    "Drama",
    "Fantasy",
    "History",
    "Horror",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Super-Hero",
    "Thriller",
    "War",
    "Western",
)
STATUSES = {1: "Cancelled", 2: "Completed", 3: "Hiatus", 4: "Ongoing"}
BOOK_FORMATS = {"PRINT": "Print", "DIGITAL": "Digital", "BOTH": "Both"}
GRADING_COMPANIES = {
    "": "",
    "CGC": "CGC (Certified Guaranty Company)",
    "CBCS": "CBCS (Comic Book Certification Service)",
    "PGX": "PGX (Professional Grading Experts)",
}
_GRADES = (
    "10.0 9.9 9.8 9.6 9.4 9.2 9.0 8.5 8.0 7.5 7.0 6.5 6.0 5.5 5.0 4.5 4.0 3.5 3.0 2.5 2.0 1.8 "
    "1.5 1.0 0.5"
)
GRADES = tuple(float(grade) for grade in _GRADES.split())
CURRENCIES = ("USD", "GBP", "EUR", "ITL")
ATTRIBUTIONS = {
    "": "",
    "CBRO": "Comic Book Reading Orders",
    "CMRO": "Complete Marvel Reading Orders",
    "CBH": "Comic Book Herald",
    "CBT": "Comic Book Treasury",
    "MG": "Marvel Guides",
    "HTLC": "How To Love Comics",
    "LOCG": "League of ComicGeeks",
    "OTHER": "Other",
}
LIST_TYPES = {
    "": "",
    "CHARACTERS": "Characters",
    "CREATOR": "Creator",
    "EVENT": "Event",
    "MASTER": "Master Reading Order",
    "STORY": "Story Arc",
    "TEAMS": "Teams",
}
ISSUE_TYPES = ("Prologue", "Core Issue", "Tie-In", "Epilogue", "")

PUBLISHERS = (
    ("Marvelle Comics", 1939, "US"),
    ("Detective City Comics", 1934, "US"),
    ("Figment Comics", 1992, "US"),
    ("Dark Mare", 1986, "US"),
    ("Idle Hands Publishing", 1999, "US"),
    ("KABOOM! House", 2005, "US"),
    ("Dynamo Works", 2004, "US"),
    ("Éditions Belle Étoile", 1969, "FR"),
    ("Archer Comics", 1941, "US"),
    ("Rébellion Press", 1977, "GB"),
    ("Casa Sueños", None, "ES"),
    ("Nordlicht Verlag", 1951, "DE"),
)
IMPRINTS = (
    ("Vertiginous", 2, 1993),
    ("Ultimo", 1, 2001),
    ("Black Tag", 2, 2018),
    ("Skyborne", 3, None),
)
ADJECTIVES = (
    "Amazing",
    "Mighty",
    "Savage",
    "Uncanny",
    "Silent",
    "Golden",
    "Crimson",
    "Fantastic",
    "Wicked",
    "Immortal",
    "Café",
    "Astonishing",
    "Invisible",
    "Electric",
    "Última",
    "Midnight",
    "Iron",
    "Brave",
    "Lost",
    "Secret",
)
NOUNS = (
    "Arrow",
    "Comet",
    "Wolf",
    "Lantern",
    "Falcon",
    "Señora",
    "Titan",
    "Phantom",
    "Witch",
    "Ranger",
    "Knight",
    "Ghost",
    "Dragon",
    "Panther",
    "Sentinel",
    "Noir",
    "Harbor",
    "Orchid",
    "Machine",
    "Zéro",
)
FIRST_NAMES = (
    "Ada",
    "Amélie",
    "Björn",
    "Chidi",
    "Dolores",
    "Émile",
    "Fatima",
    "Goro",
    "Hana",
    "Iñaki",
    "Jules",
    "Katya",
    "Łukasz",
    "Maren",
    "Nils",
    "Oisín",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
)
LAST_NAMES = (
    "Abara",
    "Brontë",
    "Castillo",
    "D'Arcy",
    "Eriksen",
    "Fraktur",
    "García",
    "Holm",
    "Ito",
    "Jansson",
    "Kowalski",
    "Lindqvist",
    "Muñoz",
    "Nakamura",
    "O'Nolan",
    "Pérez",
    "Quist",
    "Rossi",
    "Șerban",
    "Tanaka",
)
STORIES = ("The Returñ", "Homecoming", "“What Now?”", "Ash & Ember", "A Door, Closed", "Zugzwang")
BLURB = (
    "When the city falls silent, one hero must answer the call — but at what cost? "
    '"Nothing will ever be the same," they said. They were right.'
)
ODD_NUMBERS = ("-1", "0", "½", "1.MU", "80.BEY", "100AU")
LANGUAGES = ("en", "en", "en", "en", "en", "fr", "es", "de", "it", "ja")
_LANGUAGE_CODES = (
    "af ar ar-dz ast az be bg bn br bs ca ckb cs cy da de dsb el en en-au en-gb eo es "
    "es-ar es-co es-mx es-ni es-ve et eu fa fi fr fy ga gd gl he hi hr hsb ht hu hy ia id "
    "ig io is it ja ka kab kk km kn ko ky lb lt lv mk ml mn mr ms my nb ne nl nn os pa pl "
    "pt pt-br ro ru sk sl sq sr sr-latn sv sw ta te tg th tk tr tt udm ug uk ur uz vi "
    "zh-hans zh-hant"
)
LANGUAGE_CODES = tuple(_LANGUAGE_CODES.split())
_COUNTRIES = (
    "AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ "
    "BA BW BV BR IO BN BG BF BI CV KH CM CA KY CF TD CL CN CX CC CO KM CG CK CR CI HR CU "
    "CW CY CZ CD DK DJ DM DO EC EG SV GQ ER EE SZ ET FK FO FJ FI FR GF PF TF GA GM GE DE "
    "GH GI GR GL GD GP GU GT GG GN GW GY HT HM HN HK HU IS IN ID IR IQ IE IM IL IT JM JP "
    "JE JO KZ KE KI KW KG LA LV LB LS LR LY LI LT LU MO MG MW MY MV ML MT MH MQ MR MU YT "
    "MX FM MD MC MN ME MS MA MZ MM NA NR NP NL NC NZ NI NE NG NU NF KP MK MP NO OM PK PW "
    "PS PA PG PY PE PH PN PL PT PR QA RE RO RU RW BL SH KN LC MF PM VC WS SM ST SA SN RS "
    "SC SL SG SX SK SI SB SO ZA GS KR SS ES LK SD SR SJ SE CH SY TW TJ TZ TH TL TG TK TO "
    "TT TN TR TM TC TV UG UA AE GB UM US UY UZ VU VA VE VN VG VI WF EH YE ZM ZW"
)
COUNTRIES = tuple(_COUNTRIES.split())
