"""The tree against an oracle (pymerkle), the RFC's own vectors, and wrong proofs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from headshotly.audit import merkle

# The eight leaves and roots that Certificate Transparency implementations test each other with.
_CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
_CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def built(leaves: list[bytes]) -> tuple[merkle.Frontier, dict[merkle.Subtree, bytes]]:
    frontier, stored = merkle.Frontier(), {}
    for leaf in leaves:
        stored.update(frontier.add(merkle.leaf_hash(leaf)))
    return frontier, stored


def oracle(leaves: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    return tree


def test_the_tree_gives_the_roots_of_certificate_transparency():
    for size, expected in enumerate(_CT_ROOTS, start=1):
        assert built(_CT_LEAVES[:size])[0].root.hex() == expected
    assert merkle.Frontier().root == merkle.EMPTY_ROOT


def test_every_proof_of_every_small_tree_agrees_with_the_oracle():
    leaves = [f"leaf {number}".encode() for number in range(33)]
    other = oracle(leaves)
    _, stored = built(leaves)
    for size in range(1, len(leaves) + 1):
        root = built(leaves[:size])[0].root
        assert root == other.get_root(size)
        for index in range(size):
            path = merkle.inclusion_proof(index, size, stored.__getitem__)
            theirs = other.prove_inclusion(index + 1, size).path
            assert path == list(theirs[1:])  # the oracle's path begins with the leaf itself
            assert merkle.root_from_inclusion(merkle.leaf_hash(leaves[index]), index, size, path) == root


def test_every_consistency_proof_of_small_trees_holds_and_no_other_root_passes():
    leaves = [f"leaf {number}".encode() for number in range(33)]
    other = oracle(leaves)
    _, stored = built(leaves)
    for new in range(1, len(leaves) + 1):
        for old in range(1, new + 1):
            path = merkle.consistency_proof(old, new, stored.__getitem__)
            old_root, new_root = other.get_root(old), other.get_root(new)
            assert merkle.is_consistent(old, old_root, new, new_root, path)
            assert not merkle.is_consistent(old, merkle.leaf_hash(old_root), new, new_root, path)
            assert not merkle.is_consistent(old, old_root, new, merkle.leaf_hash(new_root), path)
            assert not merkle.is_consistent(old, old_root, new, new_root, [*path, b"x" * 32])
            for place in range(len(path)):
                assert not merkle.is_consistent(old, old_root, new, new_root, path[:place] + path[place + 1 :])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=300), st.data())
def test_a_proof_leads_to_the_root_from_its_own_leaf_and_place_only(leaves, data):
    size = len(leaves)
    frontier, stored = built(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_proof(index, size, stored.__getitem__)
    own = merkle.leaf_hash(leaves[index])
    assert merkle.root_from_inclusion(own, index, size, path) == frontier.root
    assert merkle.root_from_inclusion(merkle.leaf_hash(leaves[index] + b"!"), index, size, path) != frontier.root
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        bent = [*path[:place], bytes([path[place][0] ^ 1]) + path[place][1:], *path[place + 1 :]]
        assert merkle.root_from_inclusion(own, index, size, bent) != frontier.root
    with pytest.raises(ValueError, match="wrong length"):
        merkle.root_from_inclusion(own, index, size, [*path, bytes(32)])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_a_frontier_taken_up_from_stored_subtrees_goes_on_as_if_never_left(first, more):
    leaves = [number.to_bytes(4, "big") for number in range(first + more)]
    whole, stored = built(leaves)
    taken_up = merkle.Frontier(first, [stored[place] for place in merkle.covering(0, first)])
    for leaf in leaves[first:]:
        taken_up.add(merkle.leaf_hash(leaf))
    assert (taken_up.size, taken_up.root) == (whole.size, whole.root)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_no_proof_is_made_for_an_entry_outside_the_tree(index, size):
    with pytest.raises(ValueError, match="not among"):
        merkle.inclusion_proof(index, size, {}.__getitem__)
    with pytest.raises(ValueError, match="not among"):
        merkle.root_from_inclusion(bytes(32), index, size, [])


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5)])
def test_no_consistency_proof_from_nothing_or_backwards(old, new):
    with pytest.raises(ValueError, match="cannot be the beginning"):
        merkle.consistency_proof(old, new, {}.__getitem__)
    assert not merkle.is_consistent(old, merkle.EMPTY_ROOT, new, bytes(32), [])


def test_places_names_exactly_what_a_proof_reads():
    _, stored = built([bytes([number]) for number in range(100)])
    read = []

    def lookup(place):
        read.append(place)
        return stored[place]

    merkle.inclusion_proof(37, 100, lookup)
    assert merkle.places(lambda look: merkle.inclusion_proof(37, 100, look)) == read
