import pytest

pytest.register_assert_rewrite("tests.acceptance.stories", "tests.acceptance.events")
