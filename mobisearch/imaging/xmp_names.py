"""What properties of XMP are: facts that people know by a name, others, or nothing that counts.

Whatever is not known to be harmless counts. Harmless is what programs and cameras write by
themselves, and what is told by other means: by EXIF, or by what is found inside the file.
"""

from __future__ import annotations

from mobisearch.imaging.facts import (
    COLOUR_NUMBER,
    KEYWORD_PATH,
    LATITUDE,
    LONGITUDE,
    PICK_NUMBER,
    RATING_PERCENT,
)

HARMLESS = "nothing"
UNKNOWN = "XMP"
"""How names of facts begin that have none in words; the name of the property follows."""

_MAX_SHOWN = 60
"""Characters of the name of a property; none that is in use is longer."""

CAMERA_RAW = "http://ns.adobe.com/camera-raw-settings/1.0/ "
"""How properties begin that say what Camera Raw is to do with a picture."""

_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_LIGHTROOM = "http://ns.adobe.com/lightroom/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_EXIF_NEW = "http://cipa.jp/exif/1.0/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_DIGIKAM = "http://www.digikam.org/ns/1.0/"
_MICROSOFT = "http://ns.microsoft.com/photo/1.0"  # with a slash at its end and without
_ACDSEE = "http://ns.acdsee.com/iptc/1.0/"
_REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
_KEYWORDS = "http://www.metadataworkinggroup.com/schemas/keywords/"
_MEDIA_PRO = "http://ns.iview-multimedia.com/mediapro/1.0/"
_EXPRESSION_MEDIA = "http://ns.microsoft.com/expressionmedia/1.0/"
_DARKTABLE = "http://darktable.sf.net/"
_GOOGLE = "http://ns.google.com/photos/1.0/"
_PANORAMA = f"{_GOOGLE}panorama/"

_FACTS = {
    f"{_DC} description": "description",
    f"{_DC} title": "title",
    f"{_DC} subject": "keywords",
    f"{_DC} creator": "author",
    f"{_DC} rights": "copyright",
    f"{_DC} source": "source",
    f"{_DC} date": "date",
    f"{_XMP} Rating": "rating",
    f"{_XMP} Label": "label",
    f"{_XMP} CreateDate": "date",
    f"{_LIGHTROOM} hierarchicalSubject": "keywords",
    f"{_LIGHTROOM} weightedFlatSubject": "keywords",
    f"{_PHOTOSHOP} Headline": "title",
    f"{_PHOTOSHOP} DateCreated": "date taken",
    f"{_PHOTOSHOP} Instructions": "instructions",
    f"{_PHOTOSHOP} City": "place",
    f"{_PHOTOSHOP} State": "place",
    f"{_PHOTOSHOP} Country": "place",
    f"{_PHOTOSHOP} Credit": "credit",
    f"{_PHOTOSHOP} Source": "source",
    f"{_PHOTOSHOP} Category": "category",
    f"{_PHOTOSHOP} SupplementalCategories": "category",
    f"{_PHOTOSHOP} History": "history",
    f"{_EXIF} DateTimeOriginal": "date taken",
    f"{_EXIF} DateTimeDigitized": "date",
    f"{_EXIF} UserComment": "comment",
    f"{_EXIF} GPSLatitude": LATITUDE,
    f"{_EXIF} GPSLongitude": LONGITUDE,
    f"{_EXIF} GPSAltitude": "altitude",
    f"{_EXIF} GPSImgDirection": "direction",
    f"{_EXIF} GPSTimeStamp": "position's time",
    f"{_EXIF} GPSAreaInformation": "area's name",
    f"{_EXIF} RelatedSoundFile": "sound recording's name",
    f"{_EXIF} ExposureTime": "exposure time",
    f"{_EXIF} FNumber": "aperture",
    f"{_EXIF} ISOSpeedRatings": "sensitivity",
    f"{_EXIF} FocalLength": "focal length",
    f"{_EXIF_NEW} PhotographicSensitivity": "sensitivity",
    f"{_EXIF_NEW} LensModel": "lens",
    f"{_EXIF_NEW} CameraOwnerName": "author",
    f"{_EXIF_NEW} BodySerialNumber": "serial number",
    f"{_EXIF_NEW} LensSerialNumber": "lens's serial number",
    f"{_EXIF_AUX} Lens": "lens",
    f"{_EXIF_AUX} OwnerName": "author",
    f"{_EXIF_AUX} SerialNumber": "serial number",
    f"{_EXIF_AUX} LensSerialNumber": "lens's serial number",
    f"{_TIFF} ImageDescription": "description",
    f"{_TIFF} Artist": "author",
    f"{_TIFF} Copyright": "copyright",
    f"{_TIFF} Make": "camera",
    f"{_TIFF} Model": "camera",
    f"{_REGIONS} Name": "people",
    f"{_REGIONS} Description": "description",
    f"{_KEYWORDS} Keyword": "keywords",
    "http://ns.microsoft.com/photo/1.2/t/Region# PersonDisplayName": "people",
    f"{_MICROSOFT} LastKeywordXMP": KEYWORD_PATH,
    f"{_MICROSOFT}/ LastKeywordXMP": KEYWORD_PATH,
    f"{_MICROSOFT} LastKeywordIPTC": KEYWORD_PATH,
    f"{_MICROSOFT}/ LastKeywordIPTC": KEYWORD_PATH,
    f"{_MICROSOFT} Rating": RATING_PERCENT,
    f"{_MICROSOFT}/ Rating": RATING_PERCENT,
    f"{_IPTC_CORE} Location": "place",
    f"{_IPTC_CORE} CountryCode": "place",
    f"{_IPTC_CORE} AltTextAccessibility": "description",
    f"{_IPTC_CORE} ExtDescrAccessibility": "description",
    f"{_IPTC_EXT} PersonInImage": "people",
    f"{_IPTC_EXT} PersonInImageWDetails": "people",
    f"{_IPTC_EXT} Event": "event",
    f"{_IPTC_EXT} LocationShown": "place",
    f"{_IPTC_EXT} LocationCreated": "place",
    f"{_DIGIKAM} TagsList": KEYWORD_PATH,
    f"{_DIGIKAM} PickLabel": PICK_NUMBER,
    f"{_DIGIKAM} ColorLabel": COLOUR_NUMBER,
    f"{_ACDSEE} caption": "description",
    f"{_ACDSEE} notes": "comment",
    f"{_ACDSEE} author": "author",
    f"{_ACDSEE} keywords": "keywords",
    f"{_ACDSEE} rating": "rating",
    "http://ns.acdsee.com/regions/ Name": "people",
    f"{_MEDIA_PRO} People": "people",
    f"{_MEDIA_PRO} Event": "event",
    f"{_MEDIA_PRO} Location": "place",
    f"{_EXPRESSION_MEDIA} People": "people",
    f"{_EXPRESSION_MEDIA} Event": "event",
    f"{_DARKTABLE} history": "edits in darktable",
    f"{_DARKTABLE} masks_history": "edits in darktable",
    f"{_DARKTABLE} colorlabels": "label in darktable",
}
"""What a property says, by its namespace and name. Source: Adobe XMP specification, part 2; IPTC
photo metadata standard 2023.1; MWG guidelines 2.0, 5.9 and 5.10; Microsoft Photo 1.0 and 1.2
schemas; CIPA DC-010; https://exiftool.org/TagNames/XMP.html for digiKam, ACDSee, MediaPro."""

_FACTS_OF_SPACES = {
    _PANORAMA: "what makes it a panorama",
    "http://ns.adobe.com/photoshop/1.0/panorama-profile": "what makes it a panorama",
    "http://ns.adobe.com/xap/1.0/rights/": "terms of use",
    "http://www.dji.com/drone-dji/1.0/": "flight data",
}
"""Namespaces of which all properties, but harmless ones, say the same."""

_PLUMBING = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns# ",
    "http://www.w3.org/XML/1998/namespace ",
    "adobe:ns:meta/ ",
)
"""How names begin that say how to read what is around them."""

_HARMLESS_SPACES = frozenset(
    {
        *(_TIFF, _EXIF, _EXIF_NEW, _EXIF_AUX),  # the rest is told by EXIF, or of no use to people
        "http://ns.adobe.com/xap/1.0/mm/",  # names and times of versions
        "http://ns.adobe.com/xap/1.0/g/img/",  # thumbnails
        "http://ns.adobe.com/xap/1.0/t/pg/",  # fonts and inks
        "http://ns.adobe.com/xmp/note/",  # that there is more XMP, which is read
        "http://ns.adobe.com/creatorAtom/1.0/",
        "http://ns.adobe.com/illustrator/1.0/",
        "http://ns.adobe.com/camera-raw-defaults/1.0/",
        "http://ns.adobe.com/camera-raw-saved-settings/1.0/",  # those inside are read
        "http://ns.adobe.com/hdr-gain-map/1.0/",  # the map itself is a picture
        "http://ns.adobe.com/hdr-metadata/1.0/",
        "http://ns.apple.com/HDRGainMap/1.0/",
        "http://ns.apple.com/ImageIO/1.0/",
        "http://ns.apple.com/pixeldatainfo/1.0/",
        "http://ns.apple.com/faceinfo/1.0/",
        "http://www.gimp.org/xmp/",
        "http://www.gimp.org/ns/2.10/",
        *(_REGIONS, "http://ns.acdsee.com/regions/"),  # where faces are; their names are read
        _KEYWORDS,  # how they hang together; they themselves are read
        "http://ns.microsoft.com/photo/1.2/",
        "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
        "http://ns.microsoft.com/photo/1.2/t/Region#",
        *(f"{_GOOGLE}depthmap/", f"{_GOOGLE}image/", f"{_GOOGLE}audio/"),  # see ``attachments``
    }
)
"""Source: as above; ISO 21496-1; Google's dynamic depth and Ultra HDR formats."""

_HARMLESS_NAMES: dict[str, frozenset[str]] = {
    _DC: frozenset({"format", "Format"}),
    _XMP: frozenset(
        {"ModifyDate", "MetadataDate", "CreatorTool", "Thumbnails", "BaseURL", "Advisory", "Format"}
    ),
    _PHOTOSHOP: frozenset(
        {
            *("ColorMode", "ICCProfile", "DocumentAncestors", "TextLayers", "CameraProfiles"),
            *("LegacyIPTCDigest", "EmbeddedXMPDigest", "SidecarForExtension"),
        }
    ),
    _LIGHTROOM: frozenset({"privateRTKInfo"}),
    "http://ns.adobe.com/pdf/1.3/": frozenset({"Producer", "PDFVersion", "Trapped"}),
    "http://purl.org/dc/terms/": frozenset({"provenance"}),
    **dict.fromkeys(
        (_MICROSOFT, f"{_MICROSOFT}/"),
        frozenset(
            {
                *("DateAcquired", "CreatorAppId", "CreatorOpenWithUIOptions"),
                *("CameraSerialNumber", "FlashManufacturer", "FlashModel"),
                *("LensManufacturer", "LensModel"),
            }
        ),
    ),
    _DIGIKAM: frozenset({"ImageHistory", "CaptionsDateTimeStamps", "ImageUniqueID"}),
    _ACDSEE: frozenset({"datetime", "rawrppused", "rppused", "rpp", "dpp"}),
    "http://ns.camerabits.com/photomechanic/1.0/": frozenset({"Prefs", "PMVersion"}),
    _DARKTABLE: frozenset(
        {
            *("xmp_version", "raw_params", "auto_presets_applied", "history_end"),
            *("history_auto_hash", "history_basic_hash", "history_current_hash"),
            *("import_timestamp", "change_timestamp", "export_timestamp", "print_timestamp"),
            *("iop_order_version", "iop_order_list", "derived_from"),
        }
    ),
    _PANORAMA: frozenset(
        {
            *("FirstPhotoDate", "LastPhotoDate", "SourcePhotosCount", "ExposureLockUsed"),
            *("StitchingSoftware", "CaptureSoftware"),
        }
    ),
    f"{_GOOGLE}camera/": frozenset({"hdrp_makernote", "HdrPlusMakernote", "shot_log_data"}),
}
"""What programs and cameras write by themselves. Source: as above; darktable's ``exif.cc``."""

_FLAG_SPACES = (
    *(f"{_GOOGLE}camera/", f"{_GOOGLE}container/", f"{_GOOGLE}creations/"),
    "http://ns.google.com/photos/dd/1.0/",
    *("http://ns.xiaomi.com/photos/1.0/", "http://ns.oplus.com/photos/1.0/"),
    "http://ns.samsung.com/photos/1.0/",
)
"""How namespaces begin in which cameras say how they took a picture and what is behind it, which
is found there: harmless unless it is large."""


def is_plumbing(name: str) -> bool:
    """Say whether a name has no meaning of its own; names are a namespace, a space, and a name."""
    return name.startswith(_PLUMBING) or " " not in name


def is_flag(name: str) -> bool:
    """Say whether a property is a flag of a camera, as long as its value is short."""
    return name.startswith(_FLAG_SPACES)


def known_fact(name: str) -> str:
    """Return the fact that a property is wherever it stands; else "".

    A setting of Camera Raw is its own name.
    """
    return name if name.startswith(CAMERA_RAW) else _FACTS.get(name, "")


def outer_fact(name: str, prefix: str) -> str:
    """Return the fact that a property is which is in no other one and is not known."""
    space, _, own = name.rpartition(" ")
    if space in _HARMLESS_SPACES or own in _HARMLESS_NAMES.get(space, ()):
        return HARMLESS
    shown = f"{prefix}:{own}" if prefix else own
    return _FACTS_OF_SPACES.get(space, f"{UNKNOWN} {shown[:_MAX_SHOWN]}")
