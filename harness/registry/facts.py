"""The tables of a backend.toml that hold dated facts with their sources."""

from collections.abc import Iterator
from typing import Any

from .fields import Count, Fact, Licence, Percent, Table, Text, Words


class Openness(Table):
    """Who owns the framework, decides about it and maintains it. A fact that is not established is left out."""

    licence: Fact[Licence]
    """The framework's own licence, an SPDX expression."""
    licence_declared: Fact[Text] | None = None
    """The licence in the metadata of the newest package read, word for word."""
    copyright: Fact[Text] | None = None
    cla_or_dco: Fact[Text] | None = None
    """The agreement that a contributor signs."""
    trademark: Fact[Text] | None = None
    governance: Fact[Text] | None = None
    governance_file: Fact[Text] | None = None
    """The file that holds the rules of its governance."""
    governance_note: Fact[Text] | None = None
    maintainers_file: Fact[Text] | None = None
    steering_body: Fact[Text] | None = None
    who_decides: Fact[Text] | None = None
    status: Fact[Text] | None = None
    status_sentence: Fact[Text] | None = None
    """The status as the project states it."""
    first_release: Fact[Text] | None = None
    first_release_date: Fact[Text] | None = None
    last_release: Fact[Text] | None = None
    last_release_date: Fact[Text] | None = None
    release_channels: Fact[Text] | None = None
    releases_24m: Fact[Count] | None = None
    """Final versions on the package index in the last 24 months."""
    contributors_per_release: Fact[Text] | None = None
    """Contributors to a release, as the project counts them."""
    snapshot: Fact[Text] | None = None
    """The commit up to which the history was counted."""
    last_commit: Fact[Text] | None = None
    """The date of the newest commit counted."""
    authors_window: Fact[Text] | None = None
    """The 12 months that the keys below cover; they end at the newest commit counted."""
    commits_12m: Fact[Count] | None = None
    """Commits in `authors_window`, without merges and bots. The keys below count the same commits."""
    bot_commits_removed_12m: Fact[Count] | None = None
    authors_12m: Fact[Count] | None = None
    top_author_share: Fact[Percent] | None = None
    """Per cent of the commits that the most active author made."""
    top_five_share: Fact[Percent] | None = None
    """Per cent of the commits that the five most active authors made."""
    top_organisation_share: Fact[Text] | None = None
    """The most frequent e-mail domain and its share of the commits, without free mail and GitHub's own addresses."""
    top_organisation_share_ever: Fact[Text] | None = None
    """The same share, counting every author who has ever used that domain."""
    top_email_share: Fact[Text] | None = None
    """The most frequent e-mail domain, free mail included."""
    commits_all: Fact[Count] | None = None
    """Commits in the whole history. The keys below cover the whole history, too."""
    authors_all: Fact[Count] | None = None
    top_author_share_all: Fact[Percent] | None = None
    top_five_share_all: Fact[Percent] | None = None
    top_organisation_share_all: Fact[Text] | None = None
    authors_note: Fact[Text] | None = None

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Yield (key, fact) for every fact that is given, in the order above."""
        for key in type(self).model_fields:
            fact = getattr(self, key)
            if fact is not None:
                yield key, fact


class Supports(Table):
    """What the framework supports, by its own documentation. An ability that is not established is left out.

    These are facts about the framework, not about the adapter, which may support less: see `devices`.
    """

    gpu: Fact[bool] | None = None
    """Whether it computes on a GPU."""
    tpu: Fact[bool] | None = None
    """Whether it computes on a TPU."""
    mobile: Fact[bool] | None = None
    """Whether a trained model runs on a phone or another small device, with the project's own tools."""
    distributed: Fact[bool] | None = None
    """Whether it trains on several machines."""
    export: Fact[Words] | None = None
    """The formats that a trained model can be exported to: `onnx`, `savedmodel`, ..."""
    languages: Fact[Words] | None = None
    """The programming languages that the project has an interface for."""

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Yield (key, fact) for every fact that is given, in the order above."""
        for key in type(self).model_fields:
            fact = getattr(self, key)
            if fact is not None:
                yield key, fact
