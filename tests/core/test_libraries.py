"""Heavy libraries are imported by one thread at a time, and nobody waits for one that is there."""

from __future__ import annotations

import subprocess
import sys
import threading

from core import libraries

TWO_AT_ONCE = """
import threading
from core.libraries import load_training_libraries

errors = []

def use():
    try:
        load_training_libraries()
        from transformers import DistilBertConfig, DistilBertModel
        from core.model import DistilBertClassifier
    except BaseException as error:
        errors.append(repr(error))

threads = [threading.Thread(target=use) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(errors)
"""


def test_threads_that_load_at_once_each_get_whole_libraries() -> None:
    answer = subprocess.run([sys.executable, "-c", TWO_AT_ONCE], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_whoever_only_asks_the_hub_does_not_wait_for_another_import() -> None:
    libraries.load_hub_library()
    with libraries._importing:
        asking = threading.Thread(target=libraries.load_hub_library)
        asking.start()
        asking.join(timeout=10)
        assert not asking.is_alive()
