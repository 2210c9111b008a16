"""FF1 against NIST's samples, and the epoch permutation against FF1."""

from hypothesis import given, settings
from hypothesis import strategies as st

from passlight.core.codes import ff1
from passlight.core.codes.permutation import SIZE_MIN, EpochPermutation, list_size
from passlight.runtime.signing import aes_blocks

# NIST, FF1 samples (SP 800-38G examples), AES-256: samples 7, 8 and 9.
KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
SAMPLES = [
    (10, "", "0123456789", "6657667009"),
    (10, "39383736353433323130", "0123456789", "1001623463"),
    (36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]
SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
# AES-256 on one block: FIPS 197, C.3.
FIPS_KEY = bytes(range(32))
FIPS_PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
FIPS_CIPHER = bytes.fromhex("8ea2b7ca516745bfeafc49904b496089")


def test_the_block_function_is_aes_256_on_single_blocks() -> None:
    assert aes_blocks(FIPS_KEY)(FIPS_PLAIN * 2) == FIPS_CIPHER * 2


def test_ff1_gives_the_samples_of_nist() -> None:
    for radix, tweak, plain, cipher in SAMPLES:
        symbols = [SYMBOLS.index(symbol) for symbol in plain]
        found = ff1.encrypt(aes_blocks(KEY), symbols, radix=radix, tweak=bytes.fromhex(tweak))
        assert "".join(SYMBOLS[symbol] for symbol in found) == cipher


def by_ff1(ordinal: int, *, size: int) -> int:
    """The definition of field/09 2.5: FF1 of the bits, walking until it falls below the size."""
    bits = (size - 1).bit_length()
    index = ordinal
    while True:
        symbols = [index >> bits - 1 - at & 1 for at in range(bits)]
        found = ff1.encrypt(aes_blocks(KEY), symbols, radix=2)
        index = int("".join(map(str, found)), 2)
        if index < size:
            return index


sizes = st.sampled_from([SIZE_MIN, 2**20 - 1, 2**20, 2**20 + 1, 2**21 + 1, 25_500_000])


@given(sizes, st.data())
@settings(max_examples=40, deadline=None)
def test_the_table_form_is_ff1_and_is_undone(size: int, data: st.DataObject) -> None:
    permutation = EpochPermutation(aes_blocks(KEY), size=size)
    ordinal = data.draw(st.sampled_from([0, 1, size - 1]) | st.integers(0, size - 1))
    index = permutation.index_of(ordinal)
    assert index == by_ff1(ordinal, size=size)
    assert permutation.ordinal_of(index) == ordinal


def test_the_whole_list_is_a_permutation() -> None:
    found = EpochPermutation(aes_blocks(KEY), size=SIZE_MIN).whole_list()
    seen = bytearray(SIZE_MIN)
    for index in found:
        seen[index] = 1
    assert sum(seen) == SIZE_MIN
    assert found[:3].tolist() == [by_ff1(ordinal, size=SIZE_MIN) for ordinal in range(3)]


def test_list_sizes() -> None:
    """max(1,000,000, 1.02 × registered), rounded up."""
    assert list_size(0) == 1_000_000
    assert list_size(980_392) == 1_000_000
    assert list_size(980_393) == 1_000_001
    assert list_size(25_000_000) == 25_500_000
