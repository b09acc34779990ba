"""What can happen in Toyland: actions, what follows from them, and how they turn out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from classroom.toyland.lexicon import Polarity


@dataclass(frozen=True)
class Action:
    """What the hero does to an object, if need be with a friend.

    `fr` is a participle after "a"; `ja` is a verb with the particle before it. The three prepositions say
    how the friend is attached (empty: the action needs no friend).
    """

    en: str
    en_base: str
    en_present: str
    fr: str
    ja: str
    en_friend: str = ""
    fr_friend: str = ""
    ja_friend: str = ""

    @property
    def needs_friend(self) -> bool:
        """Whether the action is done to, for or with somebody."""
        return bool(self.en_friend)


@dataclass(frozen=True)
class Beat:
    """A small thing that somebody does after the main action.

    English is the predicate, {it} being the object. French: {le}, {l} and {e} agree with the object, {s}
    with the subject. Japanese: {it} is the object, and the particle after the subject comes first. `link`
    says how the line is joined to the one before: by a word for time, by "but", or by nothing.
    """

    en: str
    fr: str
    ja: str
    link: Literal["then", "but", "none"] = "then"


@dataclass(frozen=True)
class Step:
    """A beat with its actor: "hero" or "friend"."""

    actor: str
    beat: str


ACTIONS = (
    Action("found", "find", "finds", "trouvé", "を見つけました"),
    Action("lost", "lose", "loses", "perdu", "をなくしました"),
    Action("gave", "give", "gives", "donné", "をあげました", "to", "à", "に"),
    Action("showed", "show", "shows", "montré", "を見せました", "to", "à", "に"),
    Action("hid", "hide", "hides", "caché", "を隠しました"),
    Action("made", "make", "makes", "fabriqué", "を作りました"),
    Action("broke", "break", "breaks", "cassé", "を壊してしまいました"),
    Action("washed", "wash", "washes", "lavé", "を洗いました"),
    Action("borrowed", "borrow", "borrows", "emprunté", "を借りました", "from", "à", "から"),
    Action("admired", "admire", "admires", "admiré", "をながめました"),
)
ACTION = {action.en: action for action in ACTIONS}

BEATS = {
    "picked up": Beat("picked it up", "l'a ramassé{e}", "は{it}を拾いました"),
    "took home": Beat("took it home", "l'a emporté{e} à la maison", "は{it}を家に持って帰りました"),
    "left": Beat("left it there", "l'a laissé{e} là", "は{it}をそこに置いておきました"),
    "put back": Beat("put it away", "l'a rangé{e}", "は{it}を片づけました"),
    "looked closely": Beat("looked at it closely", "l'a regardé{e} de près", "は{it}をじっと見ました"),
    "lost on the way": Beat(
        "lost it on the way home", "l'a perdu{e} en chemin", "は帰り道で{it}をなくしました", "but"
    ),
    "searched": Beat("looked everywhere", "a cherché partout", "はあちこち探しました"),
    "found": Beat("found it", "l'a trouvé{e}", "が{it}を見つけました"),
    "no find": Beat("could not find it", "ne l'a pas trouvé{e}", "は{it}を見つけられませんでした", "but"),
    "brought back": Beat("brought it back", "l'a rapporté{e}", "が{it}を持ってきました"),
    "thanked": Beat("said thank you", "a dit merci", "は「ありがとう」と言いました"),
    "liked": Beat("liked it very much", "l'a beaucoup aimé{e}", "は{it}がとても気に入りました", "none"),
    "disliked": Beat("did not like it", "ne l'a pas aimé{e}", "は{it}が気に入りませんでした", "but"),
    "wanted": Beat("wanted it too", "{le} voulait aussi", "も{it}を欲しがりました", "but"),
    "laughed": Beat("laughed out loud", "a ri aux éclats", "は大きな声で笑いました"),
    "danced": Beat("danced for joy", "a dansé de joie", "はうれしくて踊りました"),
    "sang": Beat("sang a little song", "a chanté une petite chanson", "は小さな歌を歌いました"),
    "clapped": Beat("clapped", "a applaudi", "は拍手をしました"),
    "cried": Beat("cried a little", "a pleuré un peu", "は少し泣きました"),
    "sighed": Beat("gave a long sigh", "a poussé un long soupir", "は長いため息をつきました"),
    "said nothing": Beat("said nothing", "n'a rien dit", "は何も言いませんでした", "but"),
    "waited": Beat("waited for a while", "a attendu un moment", "はしばらく待ちました"),
    "sat down": Beat("sat down", "s'est assis{s}", "は腰を下ろしました"),
    "went home": Beat("went home", "est rentré{s} à la maison", "は家に帰りました"),
    "forgot where": Beat(
        "forgot where it was", "a oublié où {il} était", "は{it}がどこにあるか忘れてしまいました", "but"
    ),
    "mended": Beat("mended it", "l'a réparé{e}", "が{it}を直しました", "but"),
    "tried to mend": Beat("tried to mend it", "a essayé de {le} réparer", "は{it}を直そうとしました"),
    "no mend": Beat("could not mend it", "n'a pas pu {le} réparer", "は{it}を直せませんでした", "but"),
    "broke": Beat(
        "broke it by accident", "l'a cassé{e} sans le vouloir", "はうっかり{it}を壊してしまいました", "but"
    ),
    "cared": Beat("took good care of it", "en a pris soin", "は{it}を大切に使いました"),
    "gave back": Beat("gave it back", "l'a rendu{e}", "は{it}を返しました"),
    "forgot back": Beat(
        "forgot to give it back", "a oublié de {le} rendre", "は{it}を返すのを忘れました", "but"
    ),
}

# What may follow an action, by how it turns out. "h" is the hero, "f" the friend; a line with "f" is only
# chosen when a friend is there.
_PLOTS: dict[str, dict[Polarity, str]] = {
    "found": {
        "positive": "h picked up, h took home | h picked up, h danced | h picked up, f liked "
        "| h danced, h sang",
        "neutral": "h looked closely, h left | h picked up, h put back | h looked closely, h went home",
        "negative": "h picked up, h lost on the way | f wanted, h cried | h picked up, h broke, h cried",
    },
    "lost": {
        "positive": "h searched, h found | h searched, f found, h thanked | f brought back, h thanked",
        "neutral": "h searched, h waited | h waited, h went home | h searched, h sat down",
        "negative": "h searched, h no find | h searched, h no find, h cried | h cried, h went home",
    },
    "gave": {
        "positive": "f thanked | f liked, f danced | f thanked, f took home | f clapped, f thanked",
        "neutral": "f took home | f looked closely, f put back | f said nothing, h went home",
        "negative": "f disliked | f disliked, h sighed | f lost on the way | f broke, f cried",
    },
    "showed": {
        "positive": "f liked | f clapped | f liked, h danced | f laughed, f clapped",
        "neutral": "f looked closely | f said nothing | f looked closely, h put back",
        "negative": "f disliked | f broke, h cried | f disliked, h sighed | f took home, h cried",
    },
    "hid": {
        "positive": "h laughed | f searched, f found, h laughed | h waited, h laughed "
        "| f searched, f no find, h laughed",
        "neutral": "h waited | h went home | f searched, h waited | h waited, h sat down",
        "negative": "h forgot where | h forgot where, h cried | h searched, h no find | f took home, h cried",
    },
    "made": {
        "positive": "h danced | h liked, h sang | f liked | f clapped, h took home | h took home, h sang",
        "neutral": "h put back | h looked closely, h left | h took home | h sat down, h waited",
        "negative": "h disliked | h disliked, h sighed | f disliked, h cried | h broke, h sighed",
    },
    "broke": {
        "positive": "h mended | h mended, h danced | f mended, h thanked "
        "| h tried to mend, f mended, h thanked",
        "neutral": "h tried to mend | h sat down, h waited | h took home, h tried to mend",
        "negative": "h cried | h no mend | h tried to mend, h no mend | h no mend, h cried "
        "| f no mend, h sighed",
    },
    "washed": {
        "positive": "h liked | h sang | f liked, h danced | h took home, h sang",
        "neutral": "h put back | h left, h went home | h looked closely, h put back",
        "negative": "h broke | h broke, h cried | h lost on the way | h disliked, h sighed",
    },
    "borrowed": {
        "positive": "h cared, h gave back | h liked, h gave back, h thanked | h cared, f thanked",
        "neutral": "h gave back | h looked closely, h gave back | h took home",
        "negative": "h lost on the way | h forgot back | h broke, h cried | h disliked, h gave back",
    },
    "admired": {
        "positive": "h danced | h sang | h laughed, h sang | f liked, f sang | h liked, h danced",
        "neutral": "h waited, h went home | h sat down | h looked closely, h went home | f said nothing",
        "negative": "f took home, h cried | h sighed, h went home | h broke, h cried | h cried, h went home",
    },
}


def _steps(line: str) -> tuple[Step, ...]:
    actors = {"h": "hero", "f": "friend"}
    parts = [part.strip().split(" ", 1) for part in line.split(",")]
    return tuple(Step(actors[actor], beat) for actor, beat in parts)


PLOTS: dict[str, dict[Polarity, tuple[tuple[Step, ...], ...]]] = {
    action: {outcome: tuple(_steps(line) for line in lines.split("|")) for outcome, lines in plots.items()}
    for action, plots in _PLOTS.items()
}
