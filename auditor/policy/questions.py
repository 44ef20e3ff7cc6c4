"""The facts that may be missing: how they are asked for, and whom to ask."""

from collections.abc import Mapping

from auditor.model.policy import Question, Text

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
            "asset.maker_country",
            Text(
                "In which country does the maker of this device have its seat (two-letter code)?",
                "Dans quel pays le fabricant de cet appareil a-t-il son siège (code à deux lettres)?",
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
