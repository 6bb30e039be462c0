"""What the crash tests are made of: a process that forks cases, faults, checks, power loss.

``client`` is the tests' side; ``server``, ``actions`` and ``checks`` run in the other process, with
``faults.c`` below them.
"""
