"""What checks conclude in the same way under every instrument, per reason code.

A pack may put its own words in the place of any of these. Blanks are `{name}`.
"""

from collections.abc import Mapping

from auditor.model.policy import Text

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
            "Vendu sous la marque {brand}; les indices désignent {entity} comme fabricant (produit vendu sous une autre marque).",
        ),
        Text(
            "A person must confirm the maker; a relabel is never settled by a brand name alone.",
            "Une personne doit confirmer le fabricant; une marque seule ne tranche jamais un tel cas.",
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
    "not_yet_named": (
        Text(
            "The companies that this rule is about were named from {since} only.",
            "Les entreprises visées par cette règle n’ont été désignées qu’à compter du {since}.",
        ),
        Text("The rule does not apply.", "La règle ne s’applique pas."),
    ),
    "other_country": (
        Text(
            "{name} has its seat in a country that this rule is not about ({country}).",
            "{name} a son siège dans un pays que cette règle ne vise pas ({country}).",
        ),
        Text(
            "Nothing to do under this rule.", "Aucune mesure n’est requise au titre de cette règle."
        ),
    ),
    "country_unknown": (
        Text(
            "In which country the maker has its seat is not recorded.",
            "Le pays où le fabricant a son siège n’est pas consigné.",
        ),
        Text("Establish the maker’s seat.", "Établir le siège du fabricant."),
    ),
    "probable_country": (
        Text(
            "Probably a product of {name} ({country}); the evidence does not confirm it.",
            "Probablement un produit de {name} ({country}); les indices ne le confirment pas.",
        ),
        Text(
            "A person must look at the device and record its maker.",
            "Une personne doit examiner l’appareil et consigner son fabricant.",
        ),
    ),
    "relabel_country": (
        Text(
            "Sold as {brand}, but made by {name} ({country}).",
            "Vendu sous la marque {brand}, mais fabriqué par {name} ({country}).",
        ),
        Text("A person must decide.", "Une personne doit trancher."),
    ),
    "class_unknown_country": (
        Text(
            "A product of {name} ({country}); whether it is equipment in the sense of the rule is not established.",
            "Un produit de {name} ({country}); il n’est pas établi qu’il s’agit d’équipement visé par la règle.",
        ),
        Text(
            "A person must establish what kind of equipment it is.",
            "Une personne doit établir la nature de l’équipement.",
        ),
    ),
    "maker_open": (
        Text(
            "Who made this device is not established; this instrument does not govern its use in any case.",
            "Le fabricant de cet appareil n’est pas établi; de toute façon, cet instrument ne régit pas son utilisation.",
        ),
        Text("The rule does not apply.", "La règle ne s’applique pas."),
    ),
    "not_named": (
        Text(
            "Made by {maker}, which this instrument does not name.",
            "Fabriqué par {maker}, que cet instrument ne désigne pas.",
        ),
        Text("The rule does not apply.", "La règle ne s’applique pas."),
    ),
    "sale_date_unknown": (
        Text(
            "{name} belonged to {entity} only for a time; without the date of acquisition the rule cannot be applied.",
            "{name} n’a appartenu à {entity} que pendant un temps; sans la date d’acquisition, la règle ne peut s’appliquer.",
        ),
        Text("Supply the date of acquisition.", "Fournir la date d’acquisition."),
    ),
}
