# Builds a static program and puts it into an image with nothing else, 15 MiB:
#   docker build -t imds-analyzer .            (scripts/build-image: also with podman or buildah)
# Docker before 23.0 takes BuildKit to be switched on: DOCKER_BUILDKIT=1 docker build …
#   docker run --rm -i --user 65534 imds-analyzer -r - <boot.pcapng
# Live it runs as root, in the host's network and pid namespaces: docs/containers.md.

# Any image with Go and Debian's apt-get, which brings the compilers that are missing.
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm

# On the machine's own architecture, for that of the image.
FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS build
ARG TARGETARCH
# From where the modules are.
ARG GOPROXY
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, which tells the version where none is given.
COPY . .
ARG VERSION
ARG SOURCE_DATE_EPOCH
RUN scripts/build-release --dir /release ${VERSION:+--version "$VERSION"} "linux/$TARGETARCH" \
 && install -D -m 755 "/release/imds-analyzer_"*"_linux_$TARGETARCH" /image/usr/bin/imds-analyzer

FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="imds-analyzer" \
      org.opencontainers.image.description="Finds the programs that call the EC2 instance metadata service by version 1" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# The user is root: what a live capture takes is no other's, and files are read by any.
ENTRYPOINT ["/usr/bin/imds-analyzer"]
