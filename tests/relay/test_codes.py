"""The register of close codes."""

from proxy.relay.codes import Code


def test_the_range_of_a_code_says_whether_to_come_back() -> None:
    """4000–4499 come back, 4500–4999 do not; 4505 is not used."""
    assert {code for code in Code if code.reconnect} == {Code(4000 + n) for n in range(10)}
    assert 4505 not in set(Code)
