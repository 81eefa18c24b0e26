"""Heavy libraries are imported by one thread at a time; a loaded one is available without waiting."""

from __future__ import annotations

import threading

from core import libraries


def test_a_thread_that_needs_all_libraries_waits_for_other_imports() -> None:
    libraries.load_training_libraries()  # from here on it takes no time of its own
    with libraries.IMPORT_LOCK:
        other = threading.Thread(target=libraries.load_training_libraries)
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()
    other.join(timeout=30)
    assert not other.is_alive()


def test_a_thread_that_only_needs_the_hub_does_not_wait() -> None:
    libraries.load_hub_library()
    with libraries.IMPORT_LOCK:
        asking = threading.Thread(target=libraries.load_hub_library)
        asking.start()
        asking.join(timeout=10)
        assert not asking.is_alive()
