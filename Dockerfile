# The image of Osteon: a virtual environment from the locked packages, and nothing else on top of the base image.
#
#   docker build -t osteon .            (without docker: deploy/build-image.sh)
#   docker run --rm -p 8000:8000 --read-only --cap-drop ALL -e OSTEON_TRUST=off osteon
#
# Callers of a container are never on its loopback, so OSTEON_TRUST has to be said: `required`, or `off` where something
# in front authenticates (docs/operations.md). Any base image with Python 3.11 and a C library of glibc will do.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# For hospitals with a package mirror or a TLS-inspecting proxy; both are empty by default (pip ignores that) and stay in
# this stage.
ARG PIP_INDEX_URL=
ARG PIP_CERT=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_COMPILE=1
WORKDIR /src
# The environment that builds the wheel is not the one that is shipped. The locks come first: they change rarely.
COPY requirements.lock requirements-build.lock ./
RUN "$(command -v python3 || command -v python)" -m venv /opt/osteon \
    && /opt/osteon/bin/python -m venv /opt/build \
    && /opt/osteon/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock \
    && /opt/build/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY guidelines ./guidelines
COPY openapi/examples ./openapi/examples
# The clinical cases, which the guideline browser shows.
COPY tests/clinical/cn-elderly ./tests/clinical/cn-elderly
COPY tests/clinical/conflicts ./tests/clinical/conflicts
COPY tests/clinical/dk-back-pain ./tests/clinical/dk-back-pain
COPY tests/clinical/dk-metastases ./tests/clinical/dk-metastases
COPY tests/clinical/hooks ./tests/clinical/hooks
COPY tests/clinical/msd ./tests/clinical/msd
COPY tests/clinical/uppsala ./tests/clinical/uppsala
# pip goes: nothing can be installed into a running container. Bytecode is made here, because the service may not write;
# "unchecked" because the sources do not change, and so that it does not depend on the times of files.
RUN /opt/build/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/osteon/bin/python -m pip install --quiet --no-deps --no-index /dist/*.whl \
    && /opt/osteon/bin/python -m pip uninstall --quiet --yes pip setuptools \
    && /opt/osteon/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/osteon/lib

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Osteon" \
      org.opencontainers.image.description="Clinical decision support for osteoporosis over CDS Hooks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 osteon \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin osteon
COPY --from=build /opt/osteon /opt/osteon
# Two arenas: the few threads that there are share what the allocator keeps.
ENV PATH=/opt/osteon/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2
USER 10001:10001
WORKDIR /opt/osteon
EXPOSE 8000
STOPSIGNAL SIGTERM
# No shell, no curl: the interpreter that is there anyway. http.client, because it takes no proxy from the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/opt/osteon/bin/python", "-I", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["/opt/osteon/bin/osteon"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
