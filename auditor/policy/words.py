"""The sentences that belong to judging as such and to no instrument, in both languages.

A pack may put its own words in the place of any of the DEFAULTS. Blanks are `{name}`.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from auditor.model.policy import Question, Text

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
_OWNERS = {
    "landlord": Text("the landlord", "le locateur"),
    "contractor": Text("a contractor", "un entrepreneur"),
    "third_party": Text("a third party", "un tiers"),
}

# reason -> (because, consequence): what checks conclude in the same way under every instrument
DEFAULTS: Mapping[str, tuple[Text, Text]] = {
    "other_maker": (
        Text(
            "Made by {maker}, which this rule does not name.",
            "Fabriqué par {maker}, que cette règle ne vise pas.",
        ),
        Text(
            "Nothing to do under this rule.",
            "Aucune mesure n’est requise au titre de cette règle.",
        ),
    ),
    "maker_unknown": (
        Text(
            "Who made this device is not established.",
            "Le fabricant de cet appareil n’est pas établi.",
        ),
        Text(
            "Establish the maker before concluding anything; not knowing is not a clearance.",
            "Établir le fabricant avant de conclure; ne pas savoir n’équivaut pas à un feu vert.",
        ),
    ),
    "not_looked_at": (
        Text(
            "A list says that {maker} made it, but nobody has looked at the device itself.",
            "Une liste indique que {maker} l’a fabriqué, mais personne n’a examiné l’appareil.",
        ),
        Text(
            "Look at the device, or have it answer a scan, before counting it as conforming.",
            "Examiner l’appareil ou le faire répondre à un balayage avant de le tenir pour conforme.",
        ),
    ),
    "other_equipment": (
        Text(
            "This is a {class}; the rule covers other kinds of equipment.",
            "Il s’agit de ce type d’équipement : {class}; la règle en vise d’autres.",
        ),
        Text("The rule does not apply.", "La règle ne s’applique pas."),
    ),
    "class_unknown": (
        Text(
            "{name} is tied to {entity}, but what kind of equipment this is has not been established.",
            "{name} est rattaché à {entity}, mais la nature de l’équipement n’est pas établie.",
        ),
        Text(
            "A person must establish what kind of equipment it is.",
            "Une personne doit établir la nature de l’équipement.",
        ),
    ),
    "class_doubtful": (
        Text(
            "Tied to {entity}; whether a {class} is equipment in the sense of the rule is a question for a person.",
            "Rattaché à {entity}; une personne doit dire si ce type d’équipement ({class}) est visé par la règle.",
        ),
        Text("A person must decide.", "Une personne doit trancher."),
    ),
    "probable": (
        Text(
            "Probably made by {entity}; only one kind of evidence says so.",
            "Probablement fabriqué par {entity}; un seul type d’indice l’indique.",
        ),
        Text(
            "A person must look at the device and record its maker.",
            "Une personne doit examiner l’appareil et consigner son fabricant.",
        ),
    ),
    "contradiction": (
        Text(
            "The evidence contradicts itself: part of it points to {entity}.",
            "Les indices se contredisent : une partie d’entre eux désigne {entity}.",
        ),
        Text(
            "A person must look at the device and record its maker.",
            "Une personne doit examiner l’appareil et consigner son fabricant.",
        ),
    ),
    "oem_rebrand": (
        Text(
            "Sold as {brand}; the evidence points to {entity} as the maker of the hardware (a relabel).",
            "Vendu sous la marque {brand}; les indices désignent {entity} comme fabricant (produit rebaptisé).",
        ),
        Text(
            "A person must confirm the maker; a relabel is never settled by a brand name alone.",
            "Une personne doit confirmer le fabricant; une marque seule ne tranche jamais un cas de produit rebaptisé.",
        ),
    ),
    "divested": (
        Text(
            "{name} once belonged to {entity} and was sold; units of either time may be of its making.",
            "{name} a appartenu à {entity} puis a été vendu; des unités des deux périodes peuvent en provenir.",
        ),
        Text(
            "A person must establish who produced this unit.",
            "Une personne doit établir qui a produit cette unité.",
        ),
    ),
    "component_only": (
        Text(
            "{name} supplies components; {entity} stands behind them. The network cannot show which parts a device holds.",
            "{name} fournit des composants; {entity} se trouve derrière. Le réseau ne révèle pas les pièces d’un appareil.",
        ),
        Text("A person must decide.", "Une personne doit trancher."),
    ),
    "sale_date_unknown": (
        Text(
            "{name} belonged to {entity} only for a time; without the date of acquisition the rule cannot be applied.",
            "{name} n’a appartenu à {entity} que pendant un temps; sans la date d’acquisition, la règle ne peut s’appliquer.",
        ),
        Text("Supply the date of acquisition.", "Fournir la date d’acquisition."),
    ),
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
    " It is recorded as belonging to {owner}: raise it with the owner.",
    " L’appareil est inscrit comme appartenant à l’entité suivante : {owner}; saisir le propriétaire.",
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

_RECORDS = Text(
    "the asset manager or the purchasing file", "le gestionnaire des biens ou le dossier d’achat"
)
_SITE = Text("the custodian of the device on site", "le responsable de l’appareil sur place")
_SECURITY = Text("the departmental security officer", "l’agent de sécurité du ministère")
_BUYER = Text("the contracting officer", "l’agent de négociation des contrats")

QUESTIONS: Mapping[str, Question] = {
    question.field: question
    for question in (
        Question(
            "asset.acquired",
            Text(
                "On what day was this device acquired?",
                "À quelle date cet appareil a-t-il été acquis?",
            ),
            _RECORDS,
        ),
        Question(
            "device.maker",
            Text(
                "Who made this device? Copy maker, model and serial number from the label.",
                "Qui a fabriqué cet appareil? Recopier de l’étiquette le fabricant, le modèle et le numéro de série.",
            ),
            _SITE,
        ),
        Question(
            "device.class",
            Text(
                "What kind of equipment is this (camera, recorder, network equipment …)?",
                "De quel type d’équipement s’agit-il (caméra, enregistreur, équipement réseau…)?",
            ),
            _SITE,
        ),
        Question(
            "asset.purpose",
            Text("What is this device used for?", "À quoi cet appareil sert-il?"),
            _SECURITY,
        ),
        Question(
            "asset.funding",
            Text(
                "Which funds paid for this device?", "Quels fonds ont servi à payer cet appareil?"
            ),
            Text("the grants or finance officer", "l’agent des subventions ou des finances"),
        ),
        Question(
            "site.sensitive",
            Text(
                "Is this site a sensitive site in the sense of the instrument?",
                "Ce site est-il un site sensible au sens de l’instrument?",
            ),
            _SECURITY,
        ),
        Question(
            "asset.core_network",
            Text(
                "Is this device connected to the organisation’s core network?",
                "Cet appareil est-il relié au réseau central de l’organisation?",
            ),
            Text("the network manager", "le gestionnaire du réseau"),
        ),
        Question(
            "asset.certificate",
            Text(
                "What is the number of this model’s certificate? Write “none” where there is none.",
                "Quel est le numéro de certificat de ce modèle? Écrire « aucun » s’il n’y en a pas.",
            ),
            _BUYER,
        ),
        Question(
            "asset.category",
            Text(
                "Is this a thermal camera? Write “thermal” or another category.",
                "S’agit-il d’une caméra thermique? Écrire « thermique » ou une autre catégorie.",
            ),
            _SITE,
        ),
        Question(
            "maker.country",
            Text(
                "In which country does the maker of this device have its seat?",
                "Dans quel pays le fabricant de cet appareil a-t-il son siège?",
            ),
            _BUYER,
        ),
    )
}


def question(field: str) -> Question:
    """Give the question that would supply `field`."""
    if field in QUESTIONS:
        return QUESTIONS[field]
    name = field.partition(".")[2].replace("_", " ")
    return Question(
        field,
        Text(
            f"What is recorded as “{name}” for this device?",
            f"Qu’est-il consigné sous « {name} » pour cet appareil?",
        ),
        _RECORDS,
    )


def long_day(day: date, language: str) -> str:
    """Write a day as people of that language do: 21 December 2023, 1er janvier 2024."""
    month = _MONTHS[language].split()[day.month - 1]
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {month} {day.year}"


def _say(key: str, value: str, language: str) -> str:
    if key == "class":
        return _CLASSES.get(value, _CLASSES["other"]).in_language(language)
    if key == "owner":
        return _OWNERS.get(value, Text(value, value)).in_language(language)
    if key == "status":
        return STATUSES.get(value, Text(value, value)).in_language(language)
    if found := _ISO_DAY.fullmatch(value):
        try:
            return long_day(date(*map(int, found.groups())), language)
        except ValueError:
            return value
    return value


def _fill(template: str, facts: Mapping[str, str], language: str) -> str:
    return BLANK.sub(lambda blank: _say(blank[1], facts.get(blank[1], "—"), language), template)


@lru_cache(maxsize=65_536)
def fill(template: Text, facts: tuple[tuple[str, str], ...]) -> Text:
    """Put facts into the blanks, each as its language writes it; a blank without a fact is a dash.

    What a device says is only ever put into a blank and never read as a template.
    """
    known = dict(facts)
    return Text(_fill(template.en, known, "en"), _fill(template.fr, known, "fr"))
