// Names who did something, in words; the page imports it too.
export { personText } from '#domain/person.ts';
export { endText } from '#domain/stream-end.ts';
