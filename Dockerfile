# Two images: `daemon` (the default) and `simulator`. Production packages only, not root, works with a read-only root file system and
# without capabilities.
# Build: docker build -t ivs-autopilot .    Run: deploy/compose.yaml shows all it needs.
#        docker build -t ivs-autopilot-simulator --target simulator .
# The base is an argument: give one of your own, or let `npm run pins -- --images --write` add the digest that its registry has.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The image brings Node 24 itself: the Node that npm would install beside the packages is left out with the optional ones.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# With the SQS stand-in of the simulator, in the versions of the lock file.
FROM packages AS simulator-packages
RUN npm pkg delete devDependencies && npm pkg set dependencies.fauxqs="$(node -p "require('./package.json').peerDependencies.fauxqs")" \
  && npm install --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# The page is bundled with packages that the daemon does not need.
FROM ${BASE} AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/page.ts ./scripts/
COPY docs/operations.md ./docs/
COPY web ./web
RUN node scripts/page.ts

FROM ${BASE} AS runtime
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
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
# The command's options alone: the daemon's image has no simulator.
COPY simulator/cli.ts ./simulator/
COPY simulator/flags.ts ./simulator/
COPY src ./src
COPY --from=page /app/dist/web ./dist/web
COPY workers ./workers
# Compiled once here, by the user who will run it, so that a container starts quickly on a read-only tree. All that the daemon loads: a
# single file that is not compiled loads the compiler, which takes 15 MB.
RUN mkdir .compile-cache /data && chown node .compile-cache /data
# A volume that ECS mounts here keeps this owner; without the directive it would be root's, which the daemon is not:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
VOLUME /data
USER node
RUN ["node", "--input-type=module", "--eval", "await import('/app/src/cli/main.ts'); await import('/app/src/main.ts'); await import('/app/src/api/queue-board.ts')"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# No curl in the image, and none needed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.AUTOPILOT_HTTP_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: Node is process 1 and gets SIGTERM itself.
# The flags, and MALLOC_ARENA_MAX, keep the daemon small and its pauses short (src/runtime/heap-growth.ts).
ENTRYPOINT ["node", "--max-semi-space-size=4", "--v8-pool-size=1", "src/cli/main.ts"]
CMD ["run"]

# A local Amazon IVS with its SQS stand-in, for tests and for trying things out.
FROM runtime AS simulator
COPY --from=simulator-packages /app/node_modules ./node_modules
COPY simulator ./simulator
EXPOSE 4599 4566
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=10 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4599/_simulator/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["simulator", "--host=0.0.0.0", "--port=4599", "--sqs", "--sqs-port=4566", "--channels=40"]

# The last stage is what `docker build` makes without a target.
FROM runtime AS daemon
