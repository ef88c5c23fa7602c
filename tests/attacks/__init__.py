"""Attacks on a real system with bystanders: what each meets, and what the others notice of it.

``identity``, ``flood``, ``visitors`` and ``malformed`` are the attacks, ``striker`` the process that they run in: they
cost the bystanders nothing but what the services let them. ``campaign`` runs one after the other and takes the figures.
"""
