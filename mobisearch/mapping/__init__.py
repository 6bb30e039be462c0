"""Maps: all images of an index laid out on a plane, those alike beside one another."""

from mobisearch.mapping.files import ImageMap, read_map
from mobisearch.mapping.making import make_map

__all__ = ["ImageMap", "make_map", "read_map"]
