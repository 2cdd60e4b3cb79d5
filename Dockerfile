# Builds the program and puts it into a small image with libpcap:
#   docker build -t imds-analyzer .
#   docker run --rm --privileged --network host --pid host imds-analyzer
# Both base images can be others of the same kind (Debian: apt-get).
ARG GO_IMAGE=golang:1.26-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${GO_IMAGE} AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpcap-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, from which go takes the version.
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -o /imds-analyzer .

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpcap0.8 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /imds-analyzer /usr/local/bin/imds-analyzer
ENTRYPOINT ["/usr/local/bin/imds-analyzer"]
