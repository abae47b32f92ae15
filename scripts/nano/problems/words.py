"""Names, things and places of the word problems, cut into disjoint splits by `part`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .base import Split, part
from .spelling import made_up

NAMES = """
Anna Ben Carla David Elif Farid Grace Hugo Irene Jonas Karim Laura Marco Nina Oscar Priya Quentin
Rosa Samir Tara Umar Vera Walter Xenia Yusuf Zoe Adam Bella Carlos Diana Emil Fatima George Hana
Ivan Julia Kevin Lena Mia Noah Olga Peter Rahul Sofia Tom Ursula Victor Wendy Yara Zack Alice Boris
Clara Dan Eva Felix Greta Henry Ida Jack Kate Leo Maria Nick Omar Paula Ruth Simon Tina Uma Vince
Will Amir Bruno Celia Dora Eric Fiona Gina Hector Ines James Kira Liam Maya Nora Otto Pia Ralf Sam
Theo Ulla Viktor Wanda Ali Beth Chen Daria Ella Frank Gloria Harry Isa John Klara Luis Milan Nadia
Oliver Petra Rico Sara Tim Vito Zara Abel Bea Cora Derek Emma Finn Gabriel Helen Igor Jade Kurt Lily
Max Nell Orla Paul Rita Stefan Tessa Ugo Vivian Yan Zelda
""".split()

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip

# Singular|plural only where the plural is not the singular with an s.
_THINGS = """
apple pencil marble sticker book card shell stamp coin button cookie candle balloon ribbon bead
egg orange lemon peach pear plum banana carrot onion potato|potatoes tomato|tomatoes mushroom cake
muffin bagel sandwich|sandwiches candy|candies lollipop biscuit pretzel cherry|cherries
strawberry|strawberries nut grape melon toy doll puzzle kite ball brick robot car train photo
poster magazine comic letter notebook pen eraser crayon marker brush|brushes folder envelope
ticket badge flag flower rose tulip seed plant leaf|leaves stone pebble feather cup plate bowl
spoon fork bottle jar can towel pillow blanket sock shirt hat scarf|scarves glove ring necklace
bracelet chair lamp clock battery|batteries cable screw nail bolt tile pipe rope fish|fish chick
duck sheep|sheep goat hen rabbit token medal trophy|trophies paperclip magnet pin sponge soap|soaps
""".split()


def _plural(entry: str) -> tuple[str, str]:
    one, _, many = entry.partition("|")
    return one, many or one + "s"


THINGS = [_plural(entry) for entry in _THINGS]

CONTAINERS = [
    _plural(entry)
    for entry in """box|boxes bag basket pack crate tray drawer shelf|shelves jar carton packet
    case tin sack bucket bundle row pile chest folder""".split()
]

PLACES = """
shop market school library farm garden kitchen museum station bakery park office club hotel cafe
zoo theatre gym workshop factory|factories
""".split()


# Some training names exist nowhere else, so that a name is copied and not recalled.
_MADE_UP_SHARE = 0.25
_LONGEST = 7


def people(rng: Random, split: Split, count: int) -> list[str]:
    """Different names of one split."""
    names = rng.sample(list(part(split, NAMES)), count)
    if split is not Split.TRAIN:
        return names
    chosen: list[str] = []
    for name in names:
        chosen.append(_new_name(rng, chosen) if rng.random() < _MADE_UP_SHARE else name)
    return chosen


def _new_name(rng: Random, taken: Sequence[str]) -> str:
    while True:
        name = made_up(rng, 2).capitalize()
        if len(name) <= _LONGEST and name not in NAMES and name not in taken:
            return name


def things(rng: Random, split: Split, count: int = 1) -> list[tuple[str, str]]:
    """Different (singular, plural) things of one split."""
    return rng.sample(list(part(split, THINGS)), count)


def container(rng: Random, split: Split) -> tuple[str, str]:
    """A (singular, plural) thing that holds other things."""
    return rng.choice(part(split, CONTAINERS))


def place(rng: Random, split: Split) -> str:
    """Where the story happens."""
    return rng.choice(part(split, PLACES)).partition("|")[0]


def counted(number: int | str, thing: tuple[str, str]) -> str:
    """`1 apple`, `3 apples`."""
    return f"{number} {thing[0] if str(number) == '1' else thing[1]}"
