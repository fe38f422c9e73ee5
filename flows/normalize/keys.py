"""The keys that have a column of their own, and how their values are taken."""

from collections.abc import Mapping
from functools import partial
from typing import TypeAlias

from flows.config import load_default
from flows.normalize import dates
from flows.normalize.convert import Convert, to_boolean, to_integer, to_text, to_timestamp_within

# Key → column and conversion.
Keys: TypeAlias = Mapping[str, tuple[str, Convert]]
# Column → its own key, as the sample corpus writes it: the first one of its row.
OWN_KEYS: dict[str, tuple[str, ...]] = {
    column: sources[0].path for column, sources in load_default().columns.items()
}
PROVIDER: Keys = {"name": ("provider_name", to_text), "domain": ("provider_domain", to_text)}
IMAGE: Keys = {
    "url": ("url", to_text),
    "width": ("width", to_integer),
    "height": ("height", to_integer),
    "isCached": ("is_cached", to_boolean),
    "title": ("title", to_text),
}


def related_keys(plausible: dates.DateRange) -> Keys:
    """Return the keys of a related item, whose dates must be plausible."""
    return {
        "title": ("title", to_text),
        "excerpt": ("excerpt", to_text),
        "publishedDateTime": ("published_at", partial(to_timestamp_within, plausible)),
        "webUrl": ("web_url", to_text),
        "ampWebUrl": ("amp_web_url", to_text),
        "cdnAmpWebUrl": ("cdn_amp_web_url", to_text),
        "type": ("type", to_text),
        "quality": ("quality", to_integer),
    }


def known_keys() -> set[str]:
    """Return the keys that have a column of their own, written as authors[].name is."""
    above = {
        "": map(".".join, OWN_KEYS.values()),
        "related[].": related_keys(dates.DateRange(0, 0)),
    }
    above |= {"related[].provider.": PROVIDER, "images[].": IMAGE, "provider.images[].": IMAGE}
    return {place + key for place, keys in above.items() for key in keys}
