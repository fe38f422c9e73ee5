"""The keys that have a column of their own, and how their values are taken."""

from collections.abc import Mapping
from functools import partial
from typing import TypeAlias

from flows.normalize import dates
from flows.normalize.convert import Convert, to_boolean, to_integer, to_text, to_timestamp_within

# Key → column and conversion.
Keys: TypeAlias = Mapping[str, tuple[str, Convert]]
# Column → its own key, as the sample corpus writes it.
OWN_KEYS: dict[str, tuple[str, ...]] = {
    "category": ("category",),
    "type": ("type",),
    "language": ("language",),
    "translation_key": ("translationKey",),
    "title": ("title",),
    "excerpt": ("excerpt",),
    "published_at": ("publishedDateTime",),
    "updated_at": ("updatedDateTime",),
    "expires_at": ("expiryDate",),
    "original_url": ("originalUrl",),
    "web_url": ("webUrl",),
    "amp_web_url": ("ampWebUrl",),
    "cdn_amp_web_url": ("cdnAmpWebUrl",),
    "quality": ("quality",),
    "heat": ("heat",),
    "is_draft": ("draft",),
    "is_published": ("published",),
    "is_removed": ("removed",),
    "provider_name": ("provider", "name"),
    "provider_domain": ("provider", "domain"),
    "topics": ("topics",),
    "images": ("images",),
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
