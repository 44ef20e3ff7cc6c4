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


# what a field is called in a sentence
NAMES: Mapping[str, Text] = {
    "maker": Text("maker", "fabricant"),
    "brand": Text("brand", "marque"),
    "model": Text("model", "modèle"),
    "serial": Text("serial number", "numéro de série"),
    "firmware": Text("firmware", "micrologiciel"),
    "device_class": Text("kind of equipment", "type d’équipement"),
    "asset.location": Text("location", "emplacement"),
    "asset.owner": Text("owner", "propriétaire"),
    "asset.supplier": Text("supplier", "fournisseur"),
    "asset.network_exposure": Text("network exposure", "exposition au réseau"),
    "asset.risk_assessment": Text("risk assessment", "analyse de risques"),
    "asset.privacy_assessment": Text("privacy assessment", "évaluation des facteurs relatifs à la vie privée"),
}  # fmt: skip


def name_of(field: str) -> Text:
    """Give what a trait or a recorded field is called; the bare field where it has no name."""
    bare = field.removeprefix("device.")
    plain = bare.rpartition(".")[2].replace("_", " ")
    return NAMES.get(bare, Text(plain, plain))


def question(field: str) -> Question:
    """Give the question that would supply `field`."""
    if field in QUESTIONS:
        return QUESTIONS[field]
    name = name_of(field)
    on_site = field.startswith("device.")
    return Question(
        field,
        Text(
            f"What is the {name.en} of this device?",
            f"Quelle information est à consigner sous « {name.fr} » pour cet appareil?",
        ),
        _SITE if on_site else _RECORDS,
    )
