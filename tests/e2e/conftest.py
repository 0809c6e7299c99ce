import pytest

from harness import World


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.failed_in_call = report.failed


@pytest.fixture
def world(request):
    made = World()
    yield made
    made.close(getattr(request.node, "failed_in_call", True))
