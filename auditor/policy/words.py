"""The sentences that belong to judging as such and to no instrument, in both languages.

Blanks are `{name}`; what goes into them is written as each language writes it.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from auditor.model.policy import Text

BLANK = re.compile(r"\{([a-z_]+)\}")
_ISO_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_CLASSES = {
    "camera": Text("video surveillance camera", "caméra de vidéosurveillance"),
    "recorder": Text("video recorder", "enregistreur vidéo"),
    "intercom": Text("intercom", "interphone"),
    "access-control": Text("access control device", "appareil de contrôle d’accès"),
    "alarm": Text("alarm panel", "centrale d’alarme"),
    "network": Text("network equipment", "équipement réseau"),
    "server": Text("server", "serveur"),
    "telecom": Text("telecommunications equipment", "équipement de télécommunication"),
    "other": Text("other equipment", "autre équipement"),
    "": Text("device of unknown kind", "appareil de nature inconnue"),
}
# whose it is, as the French verb wants it
OWNERS = {
    "landlord": Text("the landlord", "au locateur"),
    "contractor": Text("a contractor", "à un entrepreneur"),
    "third_party": Text("a third party", "à un tiers"),
}

NOT_IN_FORCE = Text(
    "On {today} this instrument was not in force (status: {status}).",
    "Le {today}, cet instrument n’était pas en vigueur (état : {status}).",
)
NOT_BOUND = Text(
    "This instrument does not bind an organisation of the kind “{kind}”.",
    "Cet instrument ne lie pas une organisation de type « {kind} ».",
)
NOTHING = Text("The rule does not apply.", "La règle ne s’applique pas.")
OWNED_BY = Text(
    " By the record it belongs to {owner}: raise it with the owner.",
    " Selon la fiche, il appartient {owner} : communiquer avec le propriétaire.",
)
EXEMPTED = Text(
    "Set aside until the end of {expires} by exemption {id}, granted by {by}: {reason}",
    "Suspendu jusqu’à la fin du {expires} par l’exemption {id}, accordée par {by} : {reason}",
)
OVERRIDDEN = Text(
    "{by} decided otherwise ({id}): {reason}",
    "{by} en a décidé autrement ({id}) : {reason}",
)
REMOVED = Text(
    "Removed and disposed of on {day}, with proof ({id}); not seen since.",
    "Retiré et éliminé le {day}, preuve à l’appui ({id}); non revu depuis.",
)
REAPPEARED = Text(
    " It had been recorded as disposed of ({id}) and was seen again: the removal is reopened.",
    " Il avait été inscrit comme éliminé ({id}) et a été revu : le retrait est rouvert.",
)
STATUSES = {
    "in_force": Text("in force", "en vigueur"),
    "litigated": Text("in force, before the courts", "en vigueur, devant les tribunaux"),
    "partly": Text("partly in force", "partiellement en vigueur"),
    "proposed": Text("proposed", "proposé"),
    "enacted_not_in_force": Text("enacted, not in force", "édicté, non en vigueur"),
    "done": Text("carried out", "exécuté"),
    "superseded": Text("superseded", "remplacé"),
    "repealed": Text("repealed", "abrogé"),
}


def long_day(day: date, language: str) -> str:
    """Write a day as people of that language do: 21 December 2023, 1er janvier 2024."""
    month = _MONTHS[language].split()[day.month - 1]
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {month} {day.year}"


_LONGEST = 200  # a fact is a name or a day; a longer one is somebody's file
_BOTH = "\x1f"


def both(en: str, fr: str) -> str:
    """Make one fact of two wordings; `fill` takes the one of its language."""
    return f"{en}{_BOTH}{fr}"


def _say(key: str, value: str, language: str) -> str:
    if _BOTH in value:
        return value.split(_BOTH)[language == "fr"]
    if key == "class":
        return _CLASSES.get(value, _CLASSES["other"]).in_language(language)
    if key == "owner":
        return OWNERS.get(value, Text(value, f"à {value}")).in_language(language)
    if key == "status":
        return STATUSES.get(value, Text(value, value)).in_language(language)
    if key == "acquired":
        return _on_or_in(value, language)
    if found := _ISO_DAY.fullmatch(value):
        return _long(found, language) or value
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _long(found: re.Match[str], language: str) -> str | None:
    try:
        return long_day(date(*map(int, found.groups())), language)
    except ValueError:
        return None


def _on_or_in(value: str, language: str) -> str:
    """Write a day, a month or a year with the preposition that it takes."""
    if (found := _ISO_DAY.fullmatch(value)) and (day := _long(found, language)):
        return f"le {day}" if language == "fr" else f"on {day}"
    year, _, month = value.partition("-")
    names = _MONTHS[language].split()
    if month.isdigit() and 1 <= int(month) <= len(names):
        value = f"{names[int(month) - 1]} {year}"
    return f"en {value}" if language == "fr" else f"in {value}"


def typeset(french: str) -> str:
    """Set no-break spaces where French has them: before a colon and inside quotation marks."""
    return french.replace(" :", "\u00a0:").replace("« ", "«\u00a0").replace(" »", "\u00a0»")


def _fill(template: str, facts: Mapping[str, str], language: str) -> str:
    return BLANK.sub(lambda blank: _say(blank[1], facts.get(blank[1], "—"), language), template)


@lru_cache(maxsize=65_536)
def fill(template: Text, facts: tuple[tuple[str, str], ...]) -> Text:
    """Put facts into the blanks, each as its language writes it; a blank without a fact is a dash.

    What a device says is only ever put into a blank and never read as a template.
    """
    known = dict(facts)
    return Text(_fill(template.en, known, "en"), _fill(typeset(template.fr), known, "fr"))
