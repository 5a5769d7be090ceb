"""The packages that are installed in folders, as the standard library reads them.

`importlib.metadata.distributions` asks every finder of the process. The package importlib_metadata, where something
has imported it, brings one whose objects behave otherwise: they raise for a missing key, and leave out missing files.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder


def find_distributions(folders: Sequence[str], name: str | None = None) -> Iterable[Distribution]:
    """Return the distributions in the folders: all, or those of this name."""
    return MetadataPathFinder.find_distributions(DistributionFinder.Context(name=name, path=list(folders)))
