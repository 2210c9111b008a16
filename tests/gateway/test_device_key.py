"""The name of a device's key, by the example of RFC 9449 (4.1 the key, 6.1 its ``jkt``)."""

from passlight.runtime.device_key import thumbprint_of

KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
NAME = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_name_is_that_of_the_standard() -> None:
    assert thumbprint_of(KEY) == NAME


def test_only_the_public_members_count() -> None:
    assert thumbprint_of({**KEY, "alg": "ES256", "kid": "mine"}) == NAME
    assert thumbprint_of({**KEY, "x": KEY["y"]}) != NAME
