"""Manifests (a JSON array on standard input) against Kubernetes' own schemas, of its so many newest versions:
``manifests.py 3``. Prints the versions, and then a line for each thing that is wrong. Runs in the peer's Python.

Strict: a field that the schema does not know is wrong. Where it would only warn that there is no schema, it fails.
"""

import json
import sys

import kubernetes_validate  # type: ignore[import-not-found]  # in an environment of its own
from kubernetes_validate.utils import all_versions, major_minor  # type: ignore[import-not-found]  # as above

versions = sorted({major_minor(one) for one in all_versions()}, key=lambda one: tuple(map(int, one.split("."))))
newest = versions[-int(sys.argv[1]) :]
sys.stdout.write(" ".join(newest) + "\n")
for manifest in json.load(sys.stdin):
    for version in newest:
        try:
            used = kubernetes_validate.validate(manifest, version, strict=True)
            problem = None if used == version else f"judged by {used}"
        except kubernetes_validate.ValidationError as error:
            problem = f"{'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            problem = error.message
        if problem:
            sys.stdout.write(f"{version} {manifest['kind']} {manifest['metadata']['name']}: {problem}\n")
