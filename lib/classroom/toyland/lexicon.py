"""The words of Toyland: every character, place, landmark, object and feeling, in three languages.

This file is data. How words become sentences is told in `english.py`, `french.py` and `japanese.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f"]
Polarity = Literal["negative", "neutral", "positive"]


@dataclass(frozen=True)
class Noun:
    """A common noun: English, French with its grammatical gender, Japanese."""

    en: str
    fr: str
    fr_gender: Gender
    ja: str


@dataclass(frozen=True)
class Kind:
    """A kind of animal, with the French noun for him and for her (equal where French has only one)."""

    en: str
    fr_m: str
    fr_f: str
    ja: str


@dataclass(frozen=True)
class Character:
    """Somebody who lives in Toyland; name, kind, pronoun and colours never change."""

    name: str
    ja: str
    kind: Kind
    gender: Gender
    fur: str
    scarf: str

    @property
    def he(self) -> str:
        """The English pronoun."""
        return "he" if self.gender == "m" else "she"


@dataclass(frozen=True)
class Place:
    """A place with its phrase ("in the garden") and what stands there."""

    noun: Noun
    en: str
    fr: str
    ja: str
    landmarks: tuple[str, ...]
    indoors: bool = False


@dataclass(frozen=True)
class Landmark:
    """Something big that does not move, and the relations an object may have to it."""

    noun: Noun
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """Where an object is, seen from a landmark; the French phrase ends in "de" when it contracts."""

    en: str
    fr: str
    ja: str


@dataclass(frozen=True)
class Colour:
    """A colour: French masculine and feminine; Japanese before a noun and before another adjective."""

    en: str
    fr_m: str
    fr_f: str
    ja: str
    ja_linked: str
    rgb: str


@dataclass(frozen=True)
class Shape:
    """A shape; "-shaped" words stand after the colour in English, "en forme de" stands last in French."""

    en: str
    fr_m: str
    fr_f: str
    ja: str
    after_colour: bool = False


@dataclass(frozen=True)
class Size:
    """A size; `scale` is the width of such an object as a share of the picture's edge."""

    en: str
    fr_m: str
    fr_f: str
    ja: str
    scale: float


@dataclass(frozen=True)
class Time:
    """A time of day: noun, "one morning", "it was morning", "spent the morning"."""

    en: str
    fr_one: str
    fr_it_was: str
    fr_span: str
    ja_one: str
    ja: str


@dataclass(frozen=True)
class Mood:
    """A feeling, its polarity, its French forms, and what a Japanese storyteller says of it."""

    en: str
    fr_m: str
    fr_f: str
    ja: str
    polarity: Polarity


BEAR = Kind("bear", "ours", "ourse", "くま")
RABBIT = Kind("rabbit", "lapin", "lapine", "うさぎ")
CAT = Kind("cat", "chat", "chatte", "ねこ")
DOG = Kind("dog", "chien", "chienne", "いぬ")
FOX = Kind("fox", "renard", "renarde", "きつね")
MOUSE = Kind("mouse", "souris", "souris", "ねずみ")
FROG = Kind("frog", "grenouille", "grenouille", "かえる")
OWL = Kind("owl", "hibou", "hibou", "ふくろう")
PIG = Kind("pig", "cochon", "cochon", "ぶた")
ELEPHANT = Kind("elephant", "éléphant", "éléphante", "ぞう")
KINDS = (BEAR, RABBIT, CAT, DOG, FOX, MOUSE, FROG, OWL, PIG, ELEPHANT)

# Kinds with one French noun have only characters of that noun's gender.
CHARACTERS = (
    Character("Bruno", "ブルーノ", BEAR, "m", "#9b6a43", "#d94f4f"),
    Character("Mila", "ミラ", BEAR, "f", "#c79a6b", "#5a8fd6"),
    Character("Pip", "ピップ", RABBIT, "m", "#b9b2ac", "#58a55c"),
    Character("Luna", "ルナ", RABBIT, "f", "#f1e6da", "#e58ab0"),
    Character("Milo", "ミロ", CAT, "m", "#8d8f99", "#f0b43c"),
    Character("Coco", "ココ", CAT, "f", "#4b4550", "#e2705f"),
    Character("Rex", "レックス", DOG, "m", "#b98552", "#4f7fc0"),
    Character("Daisy", "デイジー", DOG, "f", "#ead3b0", "#9a6bc4"),
    Character("Felix", "フェリックス", FOX, "m", "#e07a3a", "#3f8f86"),
    Character("Ruby", "ルビー", FOX, "f", "#cf5f3c", "#f4cf58"),
    Character("Nina", "ニナ", MOUSE, "f", "#a9a6b8", "#e86f8f"),
    Character("Lili", "リリ", MOUSE, "f", "#d8c3b4", "#5fb0c9"),
    Character("Greta", "グレタ", FROG, "f", "#6fb04f", "#f29a4a"),
    Character("Kiki", "キキ", FROG, "f", "#4fa886", "#f2d24a"),
    Character("Otto", "オットー", OWL, "m", "#8a6f5a", "#6aa5dd"),
    Character("Oscar", "オスカー", OWL, "m", "#b89878", "#c85a7c"),
    Character("Max", "マックス", PIG, "m", "#f0a8ab", "#5b8f5a"),
    Character("Toto", "トト", PIG, "m", "#e4b39a", "#5767b8"),
    Character("Tembo", "テンボ", ELEPHANT, "m", "#93a0b4", "#e8b13e"),
    Character("Nelly", "ネリー", ELEPHANT, "f", "#b3a9c4", "#e0687a"),
)
CHARACTER = {character.name: character for character in CHARACTERS}

ON = Relation("on", "sur", "の上")
UNDER = Relation("under", "sous", "の下")
BESIDE = Relation("beside", "à côté de", "のそば")
BEHIND = Relation("behind", "derrière", "の後ろ")
BEFORE = Relation("in front of", "devant", "の前")
RELATIONS = (ON, UNDER, BESIDE, BEHIND, BEFORE)
RELATION = {relation.en: relation for relation in RELATIONS}

LANDMARKS = (
    Landmark(Noun("tree", "arbre", "m", "木"), ("under", "beside", "behind", "in front of")),
    Landmark(Noun("bench", "banc", "m", "ベンチ"), ("on", "under", "beside", "in front of")),
    Landmark(Noun("well", "puits", "m", "井戸"), ("beside", "behind", "in front of")),
    Landmark(Noun("rock", "rocher", "m", "岩"), ("on", "beside", "behind", "in front of")),
    Landmark(Noun("mushroom", "champignon", "m", "きのこ"), ("under", "beside", "behind")),
    Landmark(Noun("umbrella", "parasol", "m", "パラソル"), ("under", "beside", "in front of")),
    Landmark(Noun("table", "table", "f", "テーブル"), ("on", "under", "beside", "in front of")),
    Landmark(Noun("shelf", "étagère", "f", "棚"), ("on", "beside", "in front of")),
    Landmark(Noun("cart", "charrette", "f", "荷車"), ("on", "beside", "behind", "in front of")),
    Landmark(Noun("fence", "clôture", "f", "柵"), ("beside", "behind", "in front of")),
    Landmark(Noun("haystack", "meule de foin", "f", "干し草の山"), ("on", "beside", "behind", "in front of")),
)
LANDMARK = {landmark.noun.en: landmark for landmark in LANDMARKS}

PLACES = (
    Place(Noun("garden", "jardin", "m", "庭"), "in", "dans le jardin", "庭", ("tree", "bench", "well")),
    Place(Noun("forest", "forêt", "f", "森"), "in", "dans la forêt", "森", ("tree", "rock", "mushroom")),
    Place(Noun("beach", "plage", "f", "浜辺"), "on", "sur la plage", "浜辺", ("umbrella", "rock")),
    Place(Noun("kitchen", "cuisine", "f", "台所"), "in", "dans la cuisine", "台所", ("table", "shelf"), True),
    Place(Noun("park", "parc", "m", "公園"), "in", "dans le parc", "公園", ("bench", "tree")),
    Place(Noun("market", "marché", "m", "市場"), "at", "au marché", "市場", ("cart", "table")),
    Place(
        Noun("library", "bibliothèque", "f", "図書館"),
        "in",
        "à la bibliothèque",
        "図書館",
        ("shelf", "table"),
        True,
    ),
    Place(Noun("farm", "ferme", "f", "農場"), "on", "à la ferme", "農場", ("fence", "cart", "haystack")),
    Place(Noun("lake", "lac", "m", "湖"), "by", "au bord du lac", "湖のほとり", ("bench", "rock", "tree")),
    Place(Noun("hill", "colline", "f", "丘"), "on", "sur la colline", "丘の上", ("tree", "rock", "fence")),
)
PLACE = {place.noun.en: place for place in PLACES}

THINGS = (
    Noun("kite", "cerf-volant", "m", "凧"),
    Noun("balloon", "ballon", "m", "風船"),
    Noun("cushion", "coussin", "m", "クッション"),
    Noun("box", "boîte", "f", "箱"),
    Noun("lantern", "lanterne", "f", "ランタン"),
    Noun("clock", "horloge", "f", "時計"),
    Noun("mirror", "miroir", "m", "鏡"),
    Noun("plate", "assiette", "f", "お皿"),
    Noun("basket", "panier", "m", "かご"),
    Noun("medal", "médaille", "f", "メダル"),
)
THING = {noun.en: noun for noun in THINGS}

COLOURS = (
    Colour("red", "rouge", "rouge", "赤い", "赤くて", "#dc3d43"),
    Colour("blue", "bleu", "bleue", "青い", "青くて", "#3f74d8"),
    Colour("green", "vert", "verte", "緑色の", "緑色で", "#2f9e58"),
    Colour("yellow", "jaune", "jaune", "黄色い", "黄色くて", "#f6cf3a"),
    Colour("orange", "orange", "orange", "オレンジ色の", "オレンジ色で", "#f08a2c"),
    Colour("purple", "violet", "violette", "紫色の", "紫色で", "#8a4fc2"),
    Colour("pink", "rose", "rose", "ピンク色の", "ピンク色で", "#f07fb2"),
    Colour("white", "blanc", "blanche", "白い", "白くて", "#fbfaf5"),
)
COLOUR = {colour.en: colour for colour in COLOURS}

SHAPES = (
    Shape("round", "rond", "ronde", "丸い"),
    Shape("square", "carré", "carrée", "四角い"),
    Shape("triangular", "triangulaire", "triangulaire", "三角形の"),
    Shape("star-shaped", "en forme d'étoile", "en forme d'étoile", "星形の", after_colour=True),
    Shape("heart-shaped", "en forme de cœur", "en forme de cœur", "ハート形の", after_colour=True),
)
SHAPE = {shape.en: shape for shape in SHAPES}

SIZES = (
    Size("tiny", "tout petit", "toute petite", "とても小さな", 0.075),
    Size("small", "petit", "petite", "小さな", 0.115),
    Size("big", "grand", "grande", "大きな", 0.175),
)
SIZE = {size.en: size for size in SIZES}

TIMES = (
    Time("morning", "un matin", "c'était le matin", "la matinée", "ある朝", "朝"),
    Time("afternoon", "un après-midi", "c'était l'après-midi", "l'après-midi", "ある日の午後", "午後"),
    Time("evening", "un soir", "c'était le soir", "la soirée", "ある日の夕方", "夕方"),
    Time("night", "une nuit", "c'était la nuit", "la nuit", "ある夜", "夜"),
)
TIME = {time.en: time for time in TIMES}

MOODS = (
    Mood("happy", "heureux", "heureuse", "うれしくなりました", "positive"),
    Mood("proud", "fier", "fière", "誇らしい気持ちになりました", "positive"),
    Mood("cheerful", "joyeux", "joyeuse", "楽しい気持ちになりました", "positive"),
    Mood("calm", "calme", "calme", "穏やかな気持ちになりました", "neutral"),
    Mood("sleepy", "somnolent", "somnolente", "眠くなりました", "neutral"),
    Mood("thoughtful", "pensif", "pensive", "しみじみとした気持ちになりました", "neutral"),
    Mood("sad", "triste", "triste", "悲しくなりました", "negative"),
    Mood("cross", "fâché", "fâchée", "腹が立ちました", "negative"),
    Mood("worried", "inquiet", "inquiète", "心配になりました", "negative"),
)
MOOD = {mood.en: mood for mood in MOODS}
POLARITIES: tuple[Polarity, ...] = ("negative", "neutral", "positive")
