# --- Build ---------------------------------------------------------------------------------------
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# The dependencies first, with empty sources: a layer that stays until a manifest changes.
COPY Cargo.toml Cargo.lock ./
COPY .cargo/config.toml .cargo/
COPY benches/Cargo.toml benches/
COPY macros/Cargo.toml macros/
COPY migration/Cargo.toml migration/
COPY text_index/Cargo.toml text_index/
RUN mkdir -p src benches/src macros/src migration/src text_index/src tests/api tests/faults \
    && for main in src benches/src tests/api tests/faults; do echo 'fn main() {}' >"$main/main.rs"; done \
    && touch src/lib.rs macros/src/lib.rs migration/src/lib.rs text_index/src/lib.rs \
    && cargo build --profile dist --locked

# The sources are older than what was just built; touched, they are built again.
COPY . .
RUN touch src/main.rs src/lib.rs macros/src/lib.rs migration/src/lib.rs text_index/src/lib.rs \
    && cargo build --profile dist --locked

# --- Run -----------------------------------------------------------------------------------------
FROM debian:bookworm-slim
# A rebuild is to have what was mended since, so no version is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin caseload \
    && install -d -o caseload -g caseload -m 0750 /data
COPY --from=build /build/target/dist/caseload /usr/local/bin/caseload

ENV DATABASE_URL=sqlite:///data/caseload.db \
    CASELOAD_LISTEN=0.0.0.0:8080
# By number, so that Kubernetes sees that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["caseload"]
CMD ["serve"]
