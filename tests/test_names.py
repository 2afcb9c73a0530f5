"""Names as they stand in addresses: ASCII that OSC 1.0 takes, different from each other, and what
they stood for before there still finds them."""

from __future__ import annotations

import re
import unicodedata

import pytest

from installation.names import formerly, parts, slug, slugs
from installation.scene import HOUSE

OSC = re.compile(r"[^\s#*,/?\[\]{}\x00-\x1f\x7f-\U0010ffff]+")


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


def test_names_in_ascii_stand_where_they_always_stood() -> None:
    names = ["Dark Brown", "dark-brown", "été", "ete", "2", "角", "3", "!", "oma", "ọma"]
    assert formerly(names) == [
        "dark_brown", "dark_brown_2", "ete", "ete_4", "2", "6", "3", "8", "oma", "oma_10"
    ]  # fmt: skip
    assert slugs(names) == [*formerly(names)[:5], "jiao", *formerly(names)[6:]]


def test_no_name_takes_an_address_that_was_another_s() -> None:
    """A fader that was learned for one value must not move another from then on."""
    names = ["жа", "角", "za", "zha", "2"]  # 角 was /2, so that 2 was /2_5
    before, now = formerly(names), slugs(names)
    assert before == ["1", "2", "za", "zha", "2_5"]
    assert now == ["zha_1", "jiao", "za", "zha", "2_5"]
    for at, address in enumerate(now):
        assert address not in before or before.index(address) == at


def test_what_osc_takes_stays_and_the_rest_is_spelled() -> None:
    names = ["Ember-2", "ọma", "oma", "my piece", "a#b", "面", "麺", "\ue000"]
    assert parts(names) == [
        "Ember-2", "oma_2", "oma", "my_piece", "a_b", "mian", "mian_7", "8"
    ]  # fmt: skip
    assert all(OSC.fullmatch(part) for part in parts(names))
    assert parts(["piéce", "clock"], HOUSE) == ["piece_1", "clock"]
