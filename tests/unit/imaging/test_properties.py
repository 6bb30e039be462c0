"""Whatever is written into a file counts, unless programs write it by themselves."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from mobisearch.imaging.holdings import Holdings, find_missing
from mobisearch.imaging.iptc import read_iptc
from mobisearch.imaging.parts import MIN_UNKNOWN_BYTES

Held = Callable[[bytes], Holdings]

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "darktable": "http://darktable.sf.net/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "expressionmedia": "http://ns.microsoft.com/expressionmedia/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "regions": "http://www.metadataworkinggroup.com/schemas/regions/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "iio": "http://ns.apple.com/ImageIO/1.0/",
    "GIMP": "http://www.gimp.org/xmp/",
    "drone": "http://www.dji.com/drone-dji/1.0/",
    "iX": "http://ns.example.com/",
}

LARGE = "x" * MIN_UNKNOWN_BYTES

WIDE = (
    "<GPano:ProjectionType>equirectangular</GPano:ProjectionType>"
    "<GPano:FullPanoWidthPixels>8000</GPano:FullPanoWidthPixels>"
)


def saved(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(buffer, options.pop("kind", "JPEG"), **options)
    return buffer.getvalue()


def with_xmp(properties: str = "", attributes: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{name}="{space}"' for name, space in NAMESPACES.items())
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="some toolkit"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{properties}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    )
    return saved(xmp=packet.encode())


def listed(name: str, *values: str) -> str:
    each = "".join(f'<rdf:li xml:lang="x-default">{value}</rdf:li>' for value in values)
    return f"<{name}><rdf:Bag>{each}</rdf:Bag></{name}>"


HISTORY = (
    '<darktable:history><rdf:Seq><rdf:li darktable:operation="exposure" darktable:params="{}"/>'
    "</rdf:Seq></darktable:history>"
)

NOTICED = {
    WIDE: "what makes it a panorama",
    HISTORY.format("00aa"): "its edits in darktable",
    listed("mediapro:People", "Anna"): "its people",
    listed("expressionmedia:People", "Anna"): "its people",
    listed("mediapro:CatalogSets", "Family"): "XMP mediapro:CatalogSets",
    "<photoshop:Category>NEW</photoshop:Category>"
    + listed("photoshop:SupplementalCategories", "wedding"): "its category",
    "<photoshop:Credit>Paul</photoshop:Credit>": "its credit",
    "<photoshop:CaptionWriter>Eve</photoshop:CaptionWriter>": "XMP photoshop:CaptionWriter",
    listed("lr:weightedFlatSubject", "lake"): "its keywords",
    listed("xmpRights:UsageTerms", "no reuse"): "its terms of use",
    "<xmpRights:Marked>False</xmpRights:Marked>": "its terms of use",
    "<exif:GPSLongitude>13,24.3E</exif:GPSLongitude>": "its position",
    "<exif:GPSAltitude>1234/10</exif:GPSAltitude>": "its altitude",
    "<exifEX:LensModel>50mm</exifEX:LensModel>": "how it was taken",
    "<tiff:Make>Acme</tiff:Make>": "its camera",
    "<regions:Description>on the left</regions:Description>": "its description",
    listed("dc:contributor", "Eve"): "XMP dc:contributor",
    '<core:CreatorContactInfo core:CiEmailWork="paul@example.com"/>': (
        "XMP core:CreatorContactInfo"
    ),
    "<drone:GimbalYawDegree>+12.5</drone:GimbalYawDegree><drone:FlightYawDegree>+7</"
    "drone:FlightYawDegree>": "its flight data",
    "<iX:note>hand note</iX:note>": "XMP iX:note",
    '<iX:notes rdf:parseType="Resource"><iX:note>hand note</iX:note></iX:notes>': "XMP iX:notes",
    '<other:note xmlns:other="http://ns.example.com/other#">Anna</other:note>': "XMP other:note",
    '<note xmlns="http://ns.example.com/other#">Anna</note>': "XMP note",
    f"<GCamera:RelitInputImageData>{LARGE}</GCamera:RelitInputImageData>": (
        "XMP GCamera:RelitInputImageData"
    ),
    "<GDepth:Data>aaaa</GDepth:Data>": "a depth map",
}


@pytest.mark.parametrize("properties", NOTICED)
def test_any_property_of_xmp_that_may_say_something_is_missed(held: Held, properties: str) -> None:
    made = held(with_xmp(properties))
    assert find_missing(made, held(saved())) == NOTICED[properties]
    if properties != "<GDepth:Data>aaaa</GDepth:Data>":  # of which others are not compared
        assert find_missing(made, made) == ""
    assert find_missing(held(saved()), made) == ""


def test_a_property_may_be_written_as_an_attribute(held: Held) -> None:
    as_attribute = held(with_xmp(attributes='iX:note="hand note"'))
    as_element = held(with_xmp("<iX:note> hand note </iX:note>"))
    assert find_missing(as_attribute, as_element) == find_missing(as_element, as_attribute) == ""
    assert find_missing(as_attribute, held(saved())) == "XMP iX:note"


def test_another_value_of_a_property_is_missed(held: Held) -> None:
    first, second = (held(with_xmp(f"<iX:note>{note}</iX:note>")) for note in ("one", "two"))
    assert find_missing(first, second) == "XMP iX:note"
    edits = [held(with_xmp(HISTORY.format(params))) for params in ("00aa", "00ab")]
    assert find_missing(*edits) == "its edits in darktable"


def test_one_panorama_of_another_width_is_as_good_as_the_other(held: Held) -> None:
    assert find_missing(held(with_xmp(WIDE)), held(with_xmp(WIDE.replace("8", "4")))) == ""
    only_how = "<GPano:StitchingSoftware>Some</GPano:StitchingSoftware>"
    assert find_missing(held(with_xmp(WIDE)), held(with_xmp(only_how))) != ""


def test_of_many_properties_a_few_are_named(held: Held) -> None:
    made = held(with_xmp("".join(f"<iX:n{n}>1</iX:n{n}>" for n in range(5))))
    words = "XMP iX:n0, XMP iX:n1, XMP iX:n2, 2 more properties of XMP"
    assert find_missing(made, held(saved())) == words
    endless = "n" * 10_000
    made = held(with_xmp(f"<iX:{endless}>1</iX:{endless}>"))
    assert len(find_missing(made, held(saved()))) < 100


@pytest.mark.parametrize(
    "properties",
    [
        "<xmp:ModifyDate>2021-02-03</xmp:ModifyDate><xmp:MetadataDate>2021-02-03</xmp:MetadataDate>"
        "<xmp:CreatorTool>Some 1.2</xmp:CreatorTool><dc:format>image/jpeg</dc:format>",
        "<xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:width='256' xmpGImg:image='aaaa'/></rdf:Alt>"
        "</xmp:Thumbnails>",
        "<xmpMM:DocumentID>xmp.did:1</xmpMM:DocumentID><xmpMM:History><rdf:Seq><rdf:li"
        " stEvt:action='saved' stEvt:when='2021-02-03'/></rdf:Seq></xmpMM:History>",
        "<photoshop:ColorMode>3</photoshop:ColorMode><photoshop:ICCProfile>sRGB IEC61966-2.1</"
        "photoshop:ICCProfile>" + listed("photoshop:DocumentAncestors", "0123"),
        "<photoshop:LegacyIPTCDigest>00</photoshop:LegacyIPTCDigest>",
        "<tiff:Orientation>1</tiff:Orientation><tiff:XResolution>72/1</tiff:XResolution>"
        "<tiff:Software>Some</tiff:Software>",
        "<exif:PixelXDimension>64</exif:PixelXDimension><exif:Flash rdf:parseType='Resource'>"
        "<exif:Fired>True</exif:Fired></exif:Flash>",
        "<aux:LensInfo>24/1 70/1 28/10 28/10</aux:LensInfo><aux:Firmware>1.0</aux:Firmware>",
        "<regions:Regions rdf:parseType='Resource'><regions:RegionList><rdf:Bag><rdf:li"
        " regions:Type='Face'/></rdf:Bag></regions:RegionList></regions:Regions>",
        "<GCamera:SpecialTypeID>PORTRAIT</GCamera:SpecialTypeID><GCamera:BurstID>a</"
        "GCamera:BurstID><GCamera:MotionPhoto>1</GCamera:MotionPhoto>",
        f"<GCamera:hdrp_makernote>{LARGE}</GCamera:hdrp_makernote>",
        "<Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item"
        " Item:Semantic='Primary' Item:Mime='image/jpeg'/></rdf:li></rdf:Seq>"
        "</Container:Directory>",
        "<hdrgm:Version>1.0</hdrgm:Version><iio:hasXMP>True</iio:hasXMP>",
        "<GIMP:Version>2.10</GIMP:Version><GIMP:TimeStamp>1</GIMP:TimeStamp>",
        "<xmpNote:HasExtendedXMP>0123</xmpNote:HasExtendedXMP>",
        "<MicrosoftPhoto:DateAcquired>2021-02-03</MicrosoftPhoto:DateAcquired>",
        "<darktable:xmp_version>5</darktable:xmp_version><darktable:history_end>0</"
        "darktable:history_end><darktable:history/>",
        "<GPano:SourcePhotosCount>7</GPano:SourcePhotosCount>",
        "<iX:note> </iX:note><iX:flag>False</iX:flag>" + listed("ext:PersonInImage", ""),
    ],
)
def test_what_programs_write_by_themselves_is_nothing(held: Held, properties: str) -> None:
    assert find_missing(held(with_xmp(properties)), held(saved())) == ""


def test_categories_and_credits_of_iptc_are_those_of_xmp(held: Held) -> None:
    block = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text
        for number, text in ((15, b"NEW"), (20, b"wedding"), (110, b"Paul"), (115, b"album"))
    )
    in_xmp = held(
        with_xmp(
            "<photoshop:Category>NEW</photoshop:Category><photoshop:Credit>Paul</photoshop:Credit>"
            "<photoshop:Source>album</photoshop:Source>"
            + listed("photoshop:SupplementalCategories", "wedding")
        )
    )
    found: dict[str, set[str]] = {}
    for name, value in read_iptc(block):
        found.setdefault(name, set()).add(str(value))
    assert in_xmp.facts == found
