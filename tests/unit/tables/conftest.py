import pytest

from tests.support import changelog as twin


@pytest.fixture
def changelog():
    return twin.FakeChangelog()


@pytest.fixture
def make_table(tmp_path, changelog):
    return lambda name: twin.make_table(tmp_path / name, changelog)


@pytest.fixture
def table(make_table):
    return make_table("first")
