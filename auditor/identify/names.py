"""Names of companies, made comparable without ever becoming substrings of each other."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=16_384)
def normalised(name: str) -> str:
    """Reduce a name to its letters and digits, case and width folded.

    `ZHEJIANG DAHUA TECHNOLOGYCO.,LTD` and `Zhejiang Dahua Technology Co., Ltd.` are the
    same registrant; `Shanghai Dahua Scale Factory` stays another: whole names are compared.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c.isalnum())
