# The daemon's image: production packages only, not root, works with a read-only root file system and without capabilities.
# Build: docker build -t ivs-autopilot .    Run: deploy/compose.yaml shows all it needs.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The image brings Node 24 itself: the Node that npm would install beside the packages is left out with the optional ones.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# The page is bundled with packages that the daemon does not need.
FROM node:24-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/page.ts ./scripts/
COPY docs/operations.md ./docs/
COPY web ./web
RUN node scripts/page.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    AUTOPILOT_CONTAINER=1 \
    AUTOPILOT_HTTP_HOST=0.0.0.0 \
    AUTOPILOT_HTTP_PORT=8080 \
    AUTOPILOT_CONFIG=/config/autopilot.yaml \
    AUTOPILOT_DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY config ./config
COPY simulator ./simulator
COPY src ./src
COPY --from=page /app/dist/web ./dist/web
COPY workers ./workers
# Compiled once here, by the user who will run it, so that a container starts quickly on a read-only tree.
RUN mkdir .compile-cache /data && chown node .compile-cache /data
USER node
RUN ["node", "--input-type=module", "--eval", "await import('/app/src/cli/main.ts'); await import('/app/src/app.ts')"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# No curl in the image, and none needed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.AUTOPILOT_HTTP_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: Node is process 1 and gets SIGTERM itself.
# The flags keep the daemon small and its pauses short (src/runtime/heap-growth.ts).
ENTRYPOINT ["node", "--max-semi-space-size=4", "--v8-pool-size=1", "src/cli/main.ts"]
CMD ["run"]
