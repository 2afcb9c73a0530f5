"""Names as they stand in addresses: ASCII that OSC 1.0 takes, different from each other."""

from __future__ import annotations

import unicodedata

import pytest

from installation.names import slug, slugs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hair colour", "hair_colour"),
        ("A--B", "a_b"),
        ("x9_y", "x9_y"),
        ("Élan", "elan"),
        ("a caption " * 9, "a_caption_a_caption_a_caption_a_caption_a_captio"),
        ("ọma ụ ị ṅ", "oma_u_i_n"),
        (unicodedata.normalize("NFD", "ọma ụ ị ṅ"), "oma_u_i_n"),
        ("Straße Ærø łódź Đà kız", "strasse_aero_lodz_da_kiz"),
        ("笑顔", "xiaoyan"),
        ("えがお ガール", "egao_garu"),
        (unicodedata.normalize("NFD", "がおー"), "gao"),
        ("больше", "bolshe"),
        ("γάτα", "gata"),
        ("قطة", "qth"),
        ("हिन्दी", "hindi"),
        ("한국", "hangug"),
        ("l’été — 45°", "lete_45"),  # signs are left out, as they always were
        ("😀", "grinning"),  # but where there is nothing else
        ("\ue000", "_"),
        ("", "_"),
    ],
)
def test_a_name_is_written_in_the_letters_of_an_address(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_siblings_have_addresses_of_their_own() -> None:
    assert slugs(["面", "麺", "oma", "ọma", "", "!"]) == [
        "mian",
        "mian_2",
        "oma",
        "oma_4",
        "5",
        "6",
    ]


def test_what_reads_alike_has_its_number() -> None:
    names = ["Dark Brown", "dark-brown", "été", "ete", "2", "角", "!", "8", ""]
    assert slugs(names) == [
        "dark_brown", "dark_brown_2", "ete", "ete_4", "2", "jiao", "7", "8", "9"
    ]  # fmt: skip
