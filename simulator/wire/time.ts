// Times as the service writes them.

/** ISO 8601 in whole seconds, as in events and API answers: `2026-11-20T10:15:04Z`. */
export const isoSeconds = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
