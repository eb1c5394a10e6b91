"""Load tests. A play says what happens to a service while locust knocks at it, and what must be true of the recording.

A new one is one file in `plays/` with a subclass of `Play`, and one test in suites/elasticity/. Nothing is registered.
"""
