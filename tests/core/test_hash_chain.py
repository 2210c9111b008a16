"""The hash chain, held to digests that hashlib gives over bytes written out by hand."""

import hashlib

import pytest

from passlight.core.kernel.hash_chain import GENESIS, first_break, link, links

PREFIX = b"passlight chain 1\x00"


def test_a_link_is_the_digest_of_domain_previous_and_body() -> None:
    # Oracle: the definition, with every byte written out.
    first = hashlib.sha256(PREFIX + b"\x00" * 32 + b"one").digest()
    second = hashlib.sha256(PREFIX + first + b"two").digest()
    assert GENESIS == b"\x00" * 32
    assert link(GENESIS, b"one") == first
    assert list(links([b"one", b"two"])) == [first, second]


def test_any_change_breaks_the_chain_where_it_was_made() -> None:
    bodies = [b"a", b"b", b"c", b"d"]
    whole = list(zip(bodies, links(bodies), strict=True))
    assert first_break(whole) is None
    assert (
        first_break([(b"x", value) if i == 2 else (b, value) for i, (b, value) in enumerate(whole)])
        == 2
    )
    assert first_break([whole[0], *whole[2:]]) == 1  # one row taken out
    assert first_break([whole[1], whole[0]]) == 0  # two rows exchanged
    assert first_break(whole[2:], after=whole[1][1]) is None  # a later part, from a kept link


def test_moving_a_byte_between_two_bodies_changes_the_links() -> None:
    assert list(links([b"ab", b"c"]))[-1] != list(links([b"a", b"bc"]))[-1]


def test_a_previous_link_of_another_length_is_a_fault_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="32 bytes"):
        link(b"", b"body")
